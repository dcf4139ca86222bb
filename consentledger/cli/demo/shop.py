"""The shop: a page that embeds the form in three ways, and an office that asks before it sends."""

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
from consentledger.cli.demo.signing import signed
from consentledger.kernel.clock import now
from consentledger.kernel.data import data_dir
from consentledger.kernel.ids import uuid7

OPT_OUT = (
    "We will write to you now and then about products like those you bought. You may object here "
    "and at any time, free of charge: with the link in every message, or a line to us."
)


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
    imprint: str = ""


@dataclass(frozen=True, slots=True)
class Sale:
    """What the till knows of a sale; `refused`: the customer said no to advertising there and then."""

    address: str
    country: str
    on: str
    refused: bool = False


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
    """The shop's pages."""

    routes = Map(
        [
            Rule("/", endpoint="home", methods=["GET"]),
            Rule("/office", endpoint="office", methods=["GET"]),
            Rule("/office", endpoint="send", methods=["POST"]),
            Rule("/buy", endpoint="buy", methods=["POST"]),
            Rule("/town.css", endpoint="stylesheet", methods=["GET"]),
            Rule("/copy.js", endpoint="script", methods=["GET"]),
        ]
    )

    def __init__(self, front: ShopFront, postbox: Postbox) -> None:
        super().__init__()
        self._front = front
        self._postbox = postbox

    def home(self, _request: Request) -> Response:
        """The page with the form in three ways, each exactly as the service says what to paste."""
        shop = self._front.account()
        return self.page("shop.html", shop=shop, snippets=snippets(shop), opt_out=OPT_OUT)

    def script(self, _request: Request) -> Response:
        """What makes the buttons copy."""
        text = (data_dir("templates") / "demo" / "copy.js").read_text()
        return Response(text, mimetype="text/javascript")

    def office(self, request: Request) -> Response:
        """The marketer's desk, with everyone who ever got mail here, or just bought something."""
        known = sorted({letter.recipient for letter in self._postbox.letters()})
        known = request.args.getlist("to") or known
        return self.page("office.html", shop=self._front.account(), known=known, answer=None)

    def send(self, request: Request) -> Response:
        """Ask for permits, then send to those who may be sent to."""
        shop = self._front.account()
        addresses = request.form.get("addresses", "").split()
        answer = ask_permits(shop, request.form.get("purpose", ""), addresses)
        for row in answer.get("permits", []):
            if row["allowed"]:
                message_id = deliver(shop, newsletter(shop, row["address"], row))
                report = {"permit": row["permit"], "status": "sent", "message_id": message_id}
                call(shop, "sends", {"sends": [report]})
        return self.page("office.html", shop=shop, known=addresses, answer=answer)

    def buy(self, request: Request) -> Response:
        """A sale at the till: recorded with its evidence, as a shop's software does."""
        shop, given = self._front.account(), request.form
        sale = Sale(
            given.get("email", ""),
            given.get("country", ""),
            now().date().isoformat(),
            "refused" in given,
        )
        return self.page("bought.html", shop=shop, sale=sale, answer=record_sale(shop, sale))


def call(shop: Account, path: str, body: dict[str, Any]) -> dict[str, Any]:
    """POST to the API as the shop's software does; return what it answers, a problem too."""
    answer: dict[str, Any] = fetch(
        f"{shop.service}/api/v1/{path}",
        body=json.dumps(body).encode(),
        Content_Type="application/json",
        Authorization=f"Bearer {shop.api_key}",
        Idempotency_Key=make_msgid(domain="shop.example").strip("<>"),
    ).json()
    return answer


def snippets(shop: Account) -> dict[str, str]:
    """Ask the service what to paste into a page, in each way; 503 while it does not answer."""
    answer = fetch(
        f"{shop.service}/api/v1/forms/{shop.form}/snippets",
        Authorization=f"Bearer {shop.api_key}",
    )
    if answer.status != 200:
        raise ServiceUnavailable("The service does not say what to paste.")
    found: dict[str, str] = answer.json()
    return found


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
    return call(shop, "permits", question)


def record_sale(shop: Account, sale: Sale) -> dict[str, Any]:
    """Record a sale of boots with the evidence that the exception for existing customers asks for."""
    row = {
        "address": sale.address,
        "reference": f"order-{uuid7()}",
        "trigger": "sale_paid",
        "on": sale.on,
        "categories": ["outdoor/boots"],
        "obtained_from": "customer",
        "offered_at_collection": True,
        "opt_out_wording": OPT_OUT,
        "refused_at_collection": sale.refused,
        "told_use_for_advertising": True,
        "country": sale.country,
        "person": "natural",
    }
    return call(shop, "customers", {"rows": [row]})


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
        f"Not for you any more? Unsubscribe here: {permit['unsubscribe_url']}\n\n"
        f"{shop.imprint}\n"
    )
    return message


def deliver(shop: Account, message: EmailMessage) -> str:
    """Sign one message and hand it to the post office; return its Message-ID."""
    wire = signed(message.as_bytes(), shop.from_address.rpartition("@")[2])
    with smtplib.SMTP("127.0.0.1", shop.smtp_port, timeout=20) as client:
        client.sendmail(shop.from_address, [str(message["To"])], wire)
    return str(message["Message-ID"])
