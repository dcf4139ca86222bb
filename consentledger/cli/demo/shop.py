"""The shop: a page that embeds the form both ways, and an office that asks before it sends."""

from __future__ import annotations

import json
import smtplib
from dataclasses import dataclass
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import formatdate, make_msgid
from pathlib import Path
from typing import Any

from werkzeug.exceptions import ServiceUnavailable
from werkzeug.routing import Map, Rule
from werkzeug.wrappers import Request, Response

from consentledger.cli.demo.pages import Site, fetch
from consentledger.cli.demo.postbox import Postbox


@dataclass(frozen=True, slots=True)
class Account:
    """What the shop knows of the service: where it is, its key, and what it published there."""

    service: str
    mailbox: str
    smtp_port: int
    api_key: str
    form: str
    form_version: int
    sender: str
    sender_name: str
    from_address: str
    purposes: tuple[tuple[str, str, str], ...]


class ShopFront:
    """Reads the shop's account from a file that appears when the example organisation is published."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def account(self) -> Account:
        """Return the account; 503 before there is one."""
        try:
            values = json.loads(self._file.read_text())
        except FileNotFoundError:
            raise ServiceUnavailable("The shop opens in a moment.") from None
        values["purposes"] = tuple(tuple(purpose) for purpose in values["purposes"])
        return Account(**values)


class Shop(Site):
    """The shop's two pages."""

    routes = Map(
        [
            Rule("/", endpoint="home", methods=["GET"]),
            Rule("/office", endpoint="office", methods=["GET"]),
            Rule("/office", endpoint="send", methods=["POST"]),
            Rule("/town.css", endpoint="stylesheet", methods=["GET"]),
        ]
    )

    def __init__(self, front: ShopFront, postbox: Postbox) -> None:
        super().__init__()
        self._front = front
        self._postbox = postbox

    def home(self, request: Request) -> Response:
        """The page with the form, as a plain form and in an iframe."""
        return self.page("shop.html", shop=self._front.account(), here=request.url)

    def office(self, _request: Request) -> Response:
        """The marketer's desk, with everyone who ever got mail here."""
        known = sorted({letter.recipient for letter in self._postbox.letters()})
        return self.page("office.html", shop=self._front.account(), known=known, answer=None)

    def send(self, request: Request) -> Response:
        """Ask for permits, then send to those who may be sent to."""
        shop = self._front.account()
        addresses = request.form.get("addresses", "").split()
        answer = ask_permits(shop, request.form.get("purpose", ""), addresses)
        for row in answer.get("permits", []):
            if row["allowed"]:
                deliver(shop, newsletter(shop, row["address"], row))
        return self.page("office.html", shop=shop, known=addresses, answer=answer)


def ask_permits(shop: Account, purpose: str, addresses: list[str]) -> dict[str, Any]:
    """Ask the service whether one message of this purpose may go to each address."""
    question = {
        "sender": shop.sender,
        "purpose": purpose,
        "channel": "email",
        "class": "marketing",
        "campaign": "demo",
        "recipients": [{"address": address} for address in addresses],
    }
    answer: dict[str, Any] = fetch(
        f"{shop.service}/api/v1/permits",
        body=json.dumps(question).encode(),
        Content_Type="application/json",
        Authorization=f"Bearer {shop.api_key}",
        Idempotency_Key=make_msgid(domain="shop.example").strip("<>"),
    ).json()
    return answer


def newsletter(shop: Account, address: str, permit: dict[str, Any]) -> EmailMessage:
    """Return a marketing message that carries what the permit asks for: its headers and its link."""
    # One line per header: mail software that folds a long link makes it unreadable.
    message = EmailMessage(policy=SMTP.clone(max_line_length=998))
    message["From"] = f"{shop.sender_name} <{shop.from_address}>"
    message["To"] = address
    message["Subject"] = "This week: dry feet, warm hands"
    message["Date"] = formatdate()
    message["Message-ID"] = make_msgid(domain="shop.example")
    for name, value in permit["headers"].items():
        message[name] = value
    message.set_content(
        "Waterproof boots are 20 % off until Sunday.\n\n"
        f"Not for you any more? Unsubscribe here: {permit['unsubscribe_url']}\n"
    )
    return message


def deliver(shop: Account, message: EmailMessage) -> None:
    """Hand one message to the post office."""
    with smtplib.SMTP("127.0.0.1", shop.smtp_port, timeout=20) as client:
        client.send_message(message)
