"""The example organisation: a shop for outdoor gear, with two purposes and one published form."""

from __future__ import annotations

import json
import shlex
from dataclasses import asdict, dataclass
from typing import Any

from consentledger.cli.demo.pages import fetch
from consentledger.cli.demo.shop import Account
from consentledger.cli.demo.world import DemoError, World, save_private
from consentledger.kernel.secret_files import PREFIX

NAME = "Harbour & Pine"
NOTICE = """{legal_name} keeps your address to send you what you asked for, and the proof that you
asked for it (GDPR art. 6(1)(a) and 7(1)). Nobody else gets it but consentledger, who keeps it for
us. We keep it until you withdraw, and the proof for three years more. You may see it, correct it,
have it erased, and complain to the data protection authority of your country."""
# The shop's own country, and one where many of its customers live; parents come along.
PACKS = ("IE", "DE")
CATEGORIES = ("outdoor", "outdoor/boots", "outdoor/jackets", "outdoor/tents", "stories")
SIMILAR = ("outdoor",)
# Where docs/embed.md lets a newcomer serve a page of their own.
NEWCOMERS = ("http://127.0.0.1:8800", "http://localhost:8800")
PURPOSES = (
    ("Weekly offers", "outdoor", "boots, jackets and tents, once a week"),
    ("Trail stories", "stories", "from people who walked there, once a month"),
)


def open_shop(world: World) -> Account:
    """Publish the example organisation unless this instance has it; return the shop's account."""
    save_private(world.instance.folder / "env", _settings(world))
    file = world.instance.folder / "shop.json"
    if not file.exists():
        account = publish(world)
        save_private(file, json.dumps(asdict(account)))
        save_private(world.instance.folder / "tour.sh", _variables(world, account))
    values = json.loads(file.read_text())
    values["purposes"] = tuple(tuple(purpose) for purpose in values["purposes"])
    return Account(**values)


def _settings(world: World) -> str:
    """Return what a shell needs to run our commands against this demo; the secrets stay in their files."""
    return "".join(
        f"export {name}={shlex.quote(value)}\n"
        for name, value in sorted(world.environment.items())
        if name.startswith(PREFIX)
    )


def _variables(world: World, account: Account) -> str:
    """Return what README's tour starts from: a few shell variables."""
    values = {
        "SERVICE": account.service,
        "SHOP": world.shop,
        "MAILBOX": account.mailbox,
        "KEY": account.api_key,
        "FORM": account.form,
        "SENDER": account.sender,
        "OFFERS": account.purposes[0][0],
    }
    return "".join(f"{name}={shlex.quote(value)}\n" for name, value in values.items())


def publish(world: World) -> Account:
    """Make organisation and key by an operator's commands, and publish by the API as a shop does."""
    sender = _sender(world.shop)
    key = _make_organisation(world, sender)
    api = _Api(world.service, key)
    api.post("categories", {"categories": CATEGORIES, "groups": SIMILAR})
    sender_id = api.post("senders", sender)["id"]
    boxes = [_box(api, sender, sender_id, *purpose) for purpose in PURPOSES]
    draft = api.post(
        "forms",
        {
            "sender": sender_id,
            "language": "en",
            "wordings": [box.wording for box in boxes],
            "fields": [{"name": "email", "required": True}, {"name": "name", "required": False}],
            "name": "newsletter",
            "origins": [world.shop, *NEWCOMERS],
            "returns": [f"{world.shop}/"],
        },
    )
    form = api.post(f"forms/{draft['id']}:publish", {})
    return Account(
        service=world.service,
        mailbox=world.mailbox,
        smtp_port=world.smtp_port,
        api_key=key,
        form=form["id"],
        form_version=form["version"],
        sender=sender_id,
        sender_name=NAME,
        from_address=sender["from_address"],
        purposes=tuple((box.purpose, box.title, box.statement) for box in boxes),
        imprint="\n".join(sender[n] for n in ("legal_name", "postal_address", "contact_email")),
    )


def _make_organisation(world: World, sender: dict[str, str]) -> str:
    """Make the organisation, let it adopt its rule packs, and return a key of its own."""
    # Whoever stopped the first start half-way has the organisation already.
    known = json.loads(world.run("organisation", "list", "--json"))["organisations"]
    if NAME not in {organisation["name"] for organisation in known}:
        world.run(
            "organisation", "create", NAME, "--legal-name", sender["legal_name"],
            "--country", sender["country"],
        )  # fmt: skip
    world.run("rules", "adopt", NAME, *PACKS)
    words = ("key", "create", "--organisation", NAME, "--name", "shop", "--all-scopes", "--json")
    return str(json.loads(world.run(*words))["key"])


class _Api:
    def __init__(self, service: str, key: str) -> None:
        self._service = service
        self._key = key

    def post(self, path: str, body: dict[str, Any]) -> Any:
        answer = fetch(
            f"{self._service}/api/v1/{path}",
            body=json.dumps(body).encode(),
            Content_Type="application/json",
            Authorization=f"Bearer {self._key}",
        )
        if answer.status not in (200, 201):
            raise DemoError(f"POST {path} answered {answer.status}: {answer.body.decode()}")
        return answer.json()


@dataclass(frozen=True, slots=True)
class _Box:
    purpose: str
    wording: str
    title: str
    statement: str


def _box(
    api: _Api, sender: dict[str, str], sender_id: str, title: str, category: str, what: str
) -> _Box:
    """Publish a purpose and its wording: one box of the form."""
    legal_name = sender["legal_name"]
    purpose = api.post("purposes", {"titles": {"en": title}, "categories": [category]})["id"]
    statement = f"{legal_name} may send me {title} by e-mail: {what}."
    draft = api.post(
        "wordings",
        {
            "sender": sender_id,
            "purpose": purpose,
            "language": "en",
            "controllers": [legal_name],
            "statement": statement,
            "withdrawal": "I can stop this at any time with the link in every message.",
            "notice_text": NOTICE.format(legal_name=legal_name),
            "notice_url": sender["privacy_url"],
        },
    )
    wording = api.post(f"wordings/{draft['id']}:publish", {})["id"]
    return _Box(purpose, wording, title, statement)


def _sender(shop: str) -> dict[str, str]:
    return {
        "name": NAME,
        "legal_name": f"{NAME} Trading Ltd",
        "postal_address": "4 Quay Street\nGalway H91 XX00",
        "country": "IE",
        "contact_email": "hello@shop.example",
        "contact_phone": "+353 91 555 0100",
        "from_name": NAME,
        "from_address": "news@shop.example",
        "colour": "#1f5f45",
        "privacy_url": f"{shop}/",
    }
