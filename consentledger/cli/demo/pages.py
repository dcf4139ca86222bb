"""What mailbox and shop share: templates, answers, and a client for the few HTTP calls they make."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from html.parser import HTMLParser
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from werkzeug.exceptions import HTTPException
from werkzeug.routing import Map
from werkzeug.wrappers import Request, Response

from consentledger.kernel.data import data_dir

TIMEOUT_SECONDS = 20
FORM = "application/x-www-form-urlencoded"


@dataclass(frozen=True, slots=True)
class Answer:
    """What an HTTP server answered."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        """Return the body as JSON."""
        return json.loads(self.body)


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: Any, **__: Any) -> None:
        """Follow nothing: a one-click answer must not redirect, and the demo would not notice."""


# Without proxies: everything here is on this machine.
_opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), _NoRedirects())


def fetch(
    url: str, *, body: bytes | None = None, method: str | None = None, **headers: str
) -> Answer:
    """Call a server on this machine; any status is an answer. Underscores in `headers` mean hyphens."""
    request = urllib.request.Request(  # noqa: S310 - http addresses that the demo made itself
        url, data=body, method=method or ("GET" if body is None else "POST")
    )
    for name, value in headers.items():
        request.add_header(name.replace("_", "-"), value)
    try:
        with _opener.open(request, timeout=TIMEOUT_SECONDS) as answer:
            return Answer(answer.status, dict(answer.headers), answer.read())
    except urllib.error.HTTPError as error:
        with error:
            return Answer(error.code, dict(error.headers), error.read())


class _Inputs(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.fields: list[tuple[str, str]] = []
        self._in_form = False
        self._done = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag == "form" and not self._done:
            self._in_form = True
        if tag != "input" or not self._in_form or not given.get("name"):
            return
        kind = given.get("type") or "text"
        if kind not in ("radio", "checkbox") or "checked" in given:
            self.fields.append((given["name"] or "", given.get("value") or ""))

    def handle_endtag(self, tag: str) -> None:
        if tag == "form" and self._in_form:
            self._in_form, self._done = False, True


def form_fields(page: str) -> list[tuple[str, str]]:
    """Return what a browser sends when the first form of a page is sent as it was shown."""
    parser = _Inputs()
    parser.feed(page)
    return parser.fields


class Site:
    """A small WSGI site: endpoints of `routes` are methods that get the request and the parts of the path."""

    routes: Map

    def __init__(self) -> None:
        self._templates = Environment(
            loader=FileSystemLoader(data_dir("templates") / "demo"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )

    def __call__(self, environ: Any, start_response: Any) -> Iterable[bytes]:
        request = Request(environ)
        try:
            endpoint, values = self.routes.bind_to_environ(environ).match()
            response = getattr(self, endpoint)(request, **values)
        except HTTPException as error:
            return error(environ, start_response)
        answer: Iterable[bytes] = response(environ, start_response)
        return answer

    def page(self, template: str, status: int = 200, **values: Any) -> Response:
        """Answer with a rendered template."""
        text = self._templates.get_template(template).render(**values)
        return Response(text, status=status, mimetype="text/html")

    def stylesheet(self, _request: Request) -> Response:
        """Answer with the town's stylesheet."""
        return Response(
            (data_dir("templates") / "demo" / "town.css").read_text(), mimetype="text/css"
        )
