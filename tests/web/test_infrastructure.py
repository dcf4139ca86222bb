"""The web without its slices: headers, limits, bodies, problems, proxies."""

from __future__ import annotations

import io
import json
import threading
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from flask import Flask, request
from flask.testing import FlaskClient

from consentledger.app import create_app
from consentledger.db.installation import Installation
from consentledger.kernel import errors
from consentledger.web.access import public
from consentledger.web.body import PAGE_BODY_BYTES, json_object


@pytest.fixture
def app(installation: Installation) -> Flask:
    made = create_app(installation.settings, installation)

    @made.post("/echo")
    @public
    def echo() -> dict[str, Any]:
        return {"form": len(request.form.get("a", "")), "remote": request.remote_addr}

    @made.get("/boom/<name>")
    @public
    def boom(name: str) -> str:
        raise FAILURES[name]

    return made


@pytest.fixture
def client(app: Flask) -> Iterator[FlaskClient]:
    with app.test_client() as client:
        yield client


FAILURES: dict[str, Exception] = {
    "input": errors.InputError("no such purpose", field="purpose", reason="unknown"),
    "malformed": errors.InputError("not JSON", field="body", reason="malformed"),
    "gone": errors.NotFoundError("no such form"),
    "key": errors.UnauthorisedError("no key"),
    "origin": errors.ForbiddenError("origin not listed"),
    "twice": errors.ConflictError("published already"),
    "often": errors.LimitError("too many", retry_after=77),
    "down": errors.UnavailableError("locked", retry_after=5),
    "keys": errors.ConfigurationError("the path /etc/secret is wrong"),
    "bug": ZeroDivisionError("a secret in a message"),
}
STATUS = {
    "input": 422,
    "malformed": 400,
    "gone": 404,
    "key": 401,
    "origin": 403,
    "twice": 409,
    "often": 429,
    "down": 503,
    "keys": 500,
    "bug": 500,
}


@pytest.mark.parametrize("name", sorted(FAILURES))
def test_every_error_is_a_page_for_people_and_a_problem_for_software(
    client: FlaskClient, name: str
) -> None:
    page = client.get(f"/boom/{name}")
    problem = client.get(f"/boom/{name}", headers={"Accept": "application/json"})
    assert page.status_code == problem.status_code == STATUS[name]
    assert page.mimetype == "text/html"
    assert f"Error {STATUS[name]}".encode() in page.data
    assert problem.mimetype == "application/problem+json"
    body = json.loads(problem.data)
    assert body["status"] == STATUS[name]
    assert b"secret" not in page.data + problem.data
    for response in (page, problem):
        assert ("Retry-After" in response.headers) == (name in ("often", "down"))
    if name == "input":
        assert body["errors"] == [
            {"field": "purpose", "reason": "unknown", "detail": "no such purpose"}
        ]


def test_pages_speak_the_language_that_the_browser_asks_for(client: FlaskClient) -> None:
    german = client.get("/boom/gone", headers={"Accept-Language": "de-AT,en;q=0.5"})
    assert "Hier ist keine Seite" in german.text
    assert german.headers["Content-Language"] == "de"
    assert "Accept-Language" in german.headers["Vary"]
    assert "There is no page here" in client.get("/boom/gone").text


def test_pages_may_not_be_framed_scripted_cached_or_told_to_others(client: FlaskClient) -> None:
    for path in ("/", "/nowhere"):
        response = client.get(path)
        policy = response.headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "frame-ancestors 'none'" in policy
        assert "script" not in policy
        assert response.headers["X-Frame-Options"] == "DENY"
        assert response.headers["Referrer-Policy"] == "no-referrer"
        assert response.headers["Cache-Control"] == "no-store"
        assert response.headers["X-Content-Type-Options"] == "nosniff"
        assert response.headers["Strict-Transport-Security"]
        assert "Set-Cookie" not in response.headers
        assert b"<script" not in response.data
        assert b"style=" not in response.data


def test_addresses_with_tokens_are_not_indexed_even_when_broken(client: FlaskClient) -> None:
    for path in ("/c/x", "/u/x", "/r/x", "/stop/x"):
        assert client.get(path).headers["X-Robots-Tag"] == "noindex, nofollow"


@pytest.mark.parametrize("chunked", [False, True])
@pytest.mark.parametrize("over", [False, True])
def test_a_body_over_the_limit_is_refused_and_never_cut_short(
    client: FlaskClient, chunked: bool, over: bool
) -> None:
    filling = b"x" * (PAGE_BODY_BYTES - 2 + over)
    stream = io.BytesIO(b"a=" + filling)
    more: dict[str, Any] = {"content_length": PAGE_BODY_BYTES + over}
    if chunked:
        more = {"environ_overrides": {"wsgi.input_terminated": True}}
    response = client.post(
        "/echo",
        input_stream=stream,
        content_type="application/x-www-form-urlencoded",
        **more,
    )
    assert response.status_code == (413 if over else 200)
    if not over:
        assert json.loads(response.data)["form"] == len(filling)


def test_the_real_server_refuses_a_chunked_body_too(app: Flask) -> None:
    import http.client

    from werkzeug.serving import make_server

    server = make_server("127.0.0.1", 0, app)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        for size, status in ((1000, 200), (PAGE_BODY_BYTES + 1, 413)):
            connection = http.client.HTTPConnection("127.0.0.1", server.server_port, timeout=10)
            blocks = iter([b"a=" + b"x" * (size - 2)])
            headers = {"Content-Type": "application/x-www-form-urlencoded"}
            connection.request("POST", "/echo", blocks, headers, encode_chunked=True)
            assert connection.getresponse().status == status
            connection.close()
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "malformed"),
        (b"{", "malformed"),
        (b"[1]", "malformed"),
        (b'{"a": NaN}', "malformed"),
        (b'{"a": 1, "a": 1}', "duplicate_key"),
        (b'{"x": {"a": 1, "a": 2}}', "duplicate_key"),
        (b"[" * 100_000, "malformed"),
        (b'{"a": "\xff"}', "malformed"),
    ],
)
def test_json_is_read_strictly(content: bytes, reason: str) -> None:
    with pytest.raises(errors.InputError) as caught:
        json_object(content)
    assert caught.value.reason == reason


def test_health(client: FlaskClient) -> None:
    assert client.get("/healthz").text == "ok\n"
    assert client.get("/readyz").text == "ready\n"


def test_a_forwarded_address_counts_only_from_trusted_hops(installation: Installation) -> None:
    forwarded = {"X-Forwarded-For": "6.6.6.6, 203.0.113.9"}
    for hops, seen in ((0, "127.0.0.1"), (1, "203.0.113.9")):
        trusting = replace(installation.settings, trusted_proxies=hops)
        app = create_app(trusting, installation)
        app.add_url_rule("/who", view_func=lambda: {"remote": request.remote_addr})
        assert app.test_client().get("/who", headers=forwarded).json == {"remote": seen}
