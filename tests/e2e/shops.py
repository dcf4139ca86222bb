"""A live world for the embedded form: service, worker and mailbox, and a shop on another host whose pages hold it."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from flask import Flask, Response

from consentledger.app import create_app
from consentledger.db.installation import Installation, open_installation
from consentledger.organisations import service
from consentledger.organisations.facts import FormField
from tests.e2e import live
from tests.support.installations import settings_from
from tests.support.mails import eventually, working
from tests.support.smtp import SmtpPeer
from tests.web.town import Shop, open_shop

# Names that lead to the loopback whatever a resolver says; third parties' cookies are blocked everywhere.
FLAGS = [
    "--host-resolver-rules=MAP *.localhost 127.0.0.1",
    "--test-third-party-cookie-phaseout",
]
LINK = re.compile(r"https?://\S+/c/[\w.-]{33}")
LINE = '<script type="module" src="{service}/embed.js"></script><consent-form form="{form}">{inner}</consent-form>'

PAGE = """<!doctype html><html {html}><head><title>Shop</title>
<meta name="viewport" content="width=device-width, initial-scale=1">{head}</head>
<body><main><h1>Shop</h1>{body}</main></body></html>"""


@dataclass(slots=True)
class World:
    """What stands on which origin; `pages` are the shop's, html and headers by path; `asked` is our access log."""

    installation: Installation
    smtp: SmtpPeer
    shop: Shop
    app: Flask
    service: str
    site: str
    pages: dict[str, tuple[str, dict[str, str]]]
    asked: list[str] = field(default_factory=list)
    people: Iterator[int] = field(default_factory=lambda: itertools.count(1))
    remote: str = "192.0.2.1"

    def line(self, form: str | UUID | None = None, inner: str | None = None, **words: str) -> str:
        """The one line that a site pastes; `words` are attributes of the element."""
        form = str(form or self.shop.form_id)
        link = (
            f'<a href="{self.service}/f/{form}">Sign up over there</a>' if inner is None else inner
        )
        line = LINE.format(service=self.service, form=form, inner=link)
        extra = "".join(f' {name}="{value}"' for name, value in words.items())
        return line.replace("<consent-form", f"<consent-form{extra}")

    def page(self, body: str, *, head: str = "", html: str = 'lang="en"', **headers: str) -> str:
        """Put a page onto the shop's site; returns its address."""
        name = f"page{len(self.pages)}"
        self.pages[name] = (
            PAGE.format(html=html, head=head, body=body),
            {key.replace("_", "-"): value for key, value in headers.items()},
        )
        return f"{self.site}/{name}"

    def person(self) -> str:
        """Let somebody else come, from a network of their own; returns their address."""
        number = next(self.people)
        self.remote = f"198.51.{number}.7"
        self.asked.clear()
        return f"person{number}@example.org"

    def mail_to(self, address: str) -> str:
        """The confirm link of the mail that this person got."""
        found: list[str] = []

        def arrived() -> bool:
            found[:] = [
                link[0]
                for message in self.smtp.messages
                if message.rcpt_tos == (address,)
                and (text := message.message.get_body(("plain",)))
                and (link := LINK.search(text.get_content()))
            ]
            return bool(found)

        eventually(arrived)
        return found[-1]

    def posts(self) -> list[str]:
        """Every POST since this person came."""
        return [line for line in self.asked if line.startswith("POST")]

    def wsgi(self, environ: dict[str, Any], start_response: Any) -> Any:
        """Our web as a proxy of this world shows it: each person has an address."""
        environ["REMOTE_ADDR"] = self.remote
        self.asked.append(f"{environ['REQUEST_METHOD']} {environ['PATH_INFO']}")
        return self.app(environ, start_response)


@contextmanager
def world(environment: Mapping[str, str], smtp: SmtpPeer) -> Iterator[World]:
    """Open a world over a fresh database; everything in it is real but the names of its hosts."""
    ours, theirs = live.listening(), live.listening()
    service = f"http://127.0.0.1:{ours.getsockname()[1]}"
    site = f"http://shop.localhost:{theirs.getsockname()[1]}"
    settings = settings_from({**environment, "CONSENTLEDGER_BASE_URL": service})
    installation = open_installation(settings)
    with ExitStack() as stack:
        stack.callback(installation.database.close)
        shop = open_shop(installation, "Alpenkraut", origins=(site,), returns=(f"{site}/",))
        pages: dict[str, tuple[str, dict[str, str]]] = {}
        app = create_app(settings, installation)
        made = World(installation, smtp, shop, app, service, site, pages)
        stack.enter_context(live.serving(made.wsgi, ours))
        stack.enter_context(live.serving(_site(pages), theirs))
        stack.enter_context(working(installation))
        yield made


def _site(pages: Mapping[str, tuple[str, dict[str, str]]]) -> Flask:
    app = Flask("shop")

    @app.get("/<path:name>")
    def page(name: str) -> Response:
        if name not in pages:
            return Response(status=404)
        html, headers = pages[name]
        return Response(html, headers=headers, mimetype="text/html")

    return app


def add_form(world: World, language: str, title: str, statement: str, *more: FormField) -> UUID:
    """Publish another form of the shop, in another language, with one box."""
    wording = _wording(world, _purpose(world, {language: title}), language, title, statement)
    return _form(world, language, wording, *more)


def add_translated(world: World, *said: tuple[str, str, str]) -> list[UUID]:
    """Publish a form in several languages, each (language, title, statement); the first is the form itself."""
    purpose_id = _purpose(world, {language: title for language, title, _ in said})
    forms: list[UUID] = []
    for words in said:
        wording = _wording(world, purpose_id, *words)
        forms.append(_form(world, words[0], wording, of=forms[0] if forms else None))
    return forms


def _purpose(world: World, titles: dict[str, str]) -> UUID:
    with world.installation.database.begin() as tx:
        command = service.PublishPurpose(world.shop.organisation_id, titles, "test")
        return service.publish_purpose(tx, command).id


def _wording(world: World, purpose_id: UUID, language: str, title: str, statement: str) -> UUID:
    database, shop = world.installation.database, world.shop
    words = service.WordingText(
        controllers=("Alpenkraut Ltd",),
        statement=statement,
        withdrawal=f"{title}: " + "← " * 12,
        notice_text=f"{title}: Alpenkraut Ltd, 1 Main Street, Springfield",
        notice_url="https://shop.example/privacy",
    )
    command = service.WriteWording(
        shop.organisation_id, shop.sender_id, purpose_id, language, words
    )
    with database.begin() as tx:
        wording_id = service.create_wording(tx, command)
    with database.begin() as tx:
        service.publish_wording(
            tx, service.PublishWording(shop.organisation_id, wording_id, "test")
        )
    return wording_id


def _form(
    world: World, language: str, wording_id: UUID, *more: FormField, of: UUID | None = None
) -> UUID:
    spec = service.FormSpec(
        world.shop.sender_id,
        language,
        (wording_id,),
        fields=(FormField("email", True), *more),
        origins=(world.site,),
    )
    command = service.WriteForm(world.shop.organisation_id, spec, translation_of=of)
    with world.installation.database.begin() as tx:
        form_id = service.create_form(tx, command).form_id
    publish(world, form_id)
    return form_id


def publish(world: World, form_id: UUID) -> None:
    """Publish the next version of a form."""
    with world.installation.database.begin() as tx:
        command = service.PublishForm(world.shop.organisation_id, form_id, "test")
        service.publish_form(tx, command)
