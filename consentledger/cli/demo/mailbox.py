"""The mailbox pages: what arrived, as a mail program shows it, with its one-click unsubscribe button."""

from __future__ import annotations

import json
from email.message import EmailMessage
from uuid import UUID

from werkzeug.exceptions import NotFound
from werkzeug.routing import Map, Rule
from werkzeug.utils import redirect
from werkzeug.wrappers import Request, Response

from consentledger.cli.demo.pages import Answer, Site, fetch
from consentledger.cli.demo.postbox import Letter, Postbox

ONE_CLICK = "List-Unsubscribe=One-Click"


class Mailbox(Site):
    """Lists letters and shows one; its unsubscribe button does what RFC 8058 asks of a mail program."""

    routes = Map(
        [
            Rule("/", endpoint="letters", methods=["GET"]),
            Rule("/letters.json", endpoint="listing", methods=["GET"]),
            Rule("/letters/<uuid:letter_id>", endpoint="letter", methods=["GET"]),
            Rule("/letters/<uuid:letter_id>/source", endpoint="source", methods=["GET"]),
            Rule("/letters/<uuid:letter_id>/unsubscribe", endpoint="unsubscribe", methods=["POST"]),
            Rule("/town.css", endpoint="stylesheet", methods=["GET"]),
        ]
    )

    def __init__(self, postbox: Postbox) -> None:
        super().__init__()
        self._postbox = postbox

    def letters(self, _request: Request) -> Response:
        """The list, newest first."""
        return self.page("mailbox.html", letters=self._postbox.letters())

    def listing(self, _request: Request) -> Response:
        """The same for programs: ids and recipients, newest first."""
        found = [
            {"id": str(letter.letter_id), "to": letter.recipient}
            for letter in self._postbox.letters()
        ]
        return Response(json.dumps(found), mimetype="application/json")

    def letter(self, request: Request, letter_id: UUID) -> Response:
        """One letter."""
        letter = self._find(letter_id)
        message = letter.message
        return self.page(
            "letter.html",
            letter=letter,
            html=_part(message, "html"),
            text=_part(message, "plain"),
            one_click=one_click_address(message),
            answered=request.args.get("answered", type=int),
        )

    def source(self, _request: Request, letter_id: UUID) -> Response:
        """The letter's bytes as they came."""
        return Response(self._find(letter_id).content, mimetype="text/plain")

    def unsubscribe(self, _request: Request, letter_id: UUID) -> Response:
        """Press the button for the reader: one POST, no cookies, no redirect followed."""
        address = one_click_address(self._find(letter_id).message)
        if address is None:
            raise NotFound
        answer = press_one_click(address)
        return redirect(f"/letters/{letter_id}?answered={answer.status}", 303)

    def _find(self, letter_id: UUID) -> Letter:
        letter = self._postbox.letter(letter_id)
        if letter is None:
            raise NotFound
        return letter


def one_click_address(message: EmailMessage) -> str | None:
    """Return the https address of List-Unsubscribe if the message offers RFC 8058 one-click.

    The demo has no certificates, so http on this machine counts here too.
    """
    if str(message.get("List-Unsubscribe-Post", "")).strip() != ONE_CLICK:
        return None
    for part in str(message.get("List-Unsubscribe", "")).split(","):
        address = part.strip().removeprefix("<").removesuffix(">")
        if address.startswith(("https://", "http://127.0.0.1:", "http://localhost:")):
            return address
    return None


def press_one_click(address: str) -> Answer:
    """Send the POST of RFC 8058, section 3.1."""
    return fetch(address, body=ONE_CLICK.encode(), Content_Type="application/x-www-form-urlencoded")


def _part(message: EmailMessage, subtype: str) -> str | None:
    body = message.get_body((subtype,))
    return str(body.get_content()) if body is not None else None
