"""The example organisation: a shop for outdoor gear, with two purposes and one published form."""

from __future__ import annotations

import json
import shlex
from dataclasses import asdict
from uuid import UUID

from consentledger.cli.demo.shop import Account
from consentledger.cli.demo.world import World, save_private
from consentledger.db.installation import Installation
from consentledger.organisations import service
from consentledger.organisations.facts import FormField, SenderIdentity

NAME = "Harbour & Pine"
ACTOR = "demo"
NOTICE = """{legal_name} keeps your address to send you what you asked for, and the proof that you
asked for it (GDPR art. 6(1)(a) and 7(1)). Nobody else gets it but consentledger, who keeps it for
us. We keep it until you withdraw, and the proof for three years more. You may see it, correct it,
have it erased, and complain to the data protection authority of your country."""
PURPOSES = (
    ("Weekly offers", "boots", "boots, jackets and tents, once a week"),
    ("Trail stories", "stories", "from people who walked there, once a month"),
)


def open_shop(world: World) -> Account:
    """Publish the example organisation unless this instance has it; return the shop's account."""
    file = world.instance.folder / "shop.json"
    if not file.exists():
        account = publish(world)
        save_private(file, json.dumps(asdict(account)))
        save_private(world.instance.folder / "tour.sh", _variables(world, account))
    values = json.loads(file.read_text())
    values["purposes"] = tuple(tuple(purpose) for purpose in values["purposes"])
    return Account(**values)


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
    """Make organisation and key by an operator's commands, and publish by the service's verbs."""
    identity = _identity(world.shop)
    made = json.loads(
        world.run(
            "organisation", "create", NAME, "--legal-name", identity.legal_name,
            "--country", identity.country, "--json",
        )
    )  # fmt: skip
    key = json.loads(
        world.run(
            "key", "create", "--organisation", NAME, "--name", "shop", "--all-scopes", "--json"
        )
    )
    with world.installation() as installation:
        publisher = _Publisher(installation, UUID(made["organisation_id"]), identity)
        sender_id = publisher.sender()
        boxes = [publisher.box(sender_id, *purpose) for purpose in PURPOSES]
        form_id, version = publisher.form(sender_id, [box[1] for box in boxes], world.shop)
    return Account(
        service=world.service,
        mailbox=world.mailbox,
        smtp_port=world.smtp_port,
        api_key=key["key"],
        form=str(form_id),
        form_version=version,
        sender=str(sender_id),
        sender_name=NAME,
        from_address=identity.from_address,
        purposes=tuple((str(box[0]), box[2], box[3]) for box in boxes),
    )


def _identity(shop: str) -> SenderIdentity:
    return SenderIdentity(
        name=NAME,
        legal_name=f"{NAME} Trading Ltd",
        postal_address="4 Quay Street\nGalway H91 XX00",
        country="IE",
        contact_email="hello@shop.example",
        contact_phone="+353 91 555 0100",
        from_name=NAME,
        from_address="news@shop.example",
        colour="#1f5f45",
        privacy_url=f"{shop}/",
    )


class _Publisher:
    def __init__(
        self, installation: Installation, organisation_id: UUID, identity: SenderIdentity
    ) -> None:
        self._database = installation.database
        self._organisation_id = organisation_id
        self._identity = identity

    def sender(self) -> UUID:
        command = service.PublishSender(self._organisation_id, self._identity, ACTOR)
        with self._database.begin() as tx:
            return service.publish_sender(tx, command).id

    def box(
        self, sender_id: UUID, title: str, category: str, what: str
    ) -> tuple[UUID, UUID, str, str]:
        """Publish a purpose and its wording; return their ids, the title and the statement."""
        purpose = service.PublishPurpose(
            self._organisation_id, {"en": title}, ACTOR, categories=(category,)
        )
        with self._database.begin() as tx:
            purpose_id = service.publish_purpose(tx, purpose).id
        legal_name = self._identity.legal_name
        text = service.WordingText(
            controllers=(legal_name,),
            statement=f"{legal_name} may send me {title} by e-mail: {what}.",
            withdrawal="I can stop this at any time with the link in every message.",
            notice_text=NOTICE.format(legal_name=legal_name),
            notice_url=self._identity.privacy_url,
        )
        draft = service.WriteWording(self._organisation_id, sender_id, purpose_id, "en", text)
        with self._database.begin() as tx:
            wording_id = service.create_wording(tx, draft)
        with self._database.begin() as tx:
            service.publish_wording(
                tx, service.PublishWording(self._organisation_id, wording_id, ACTOR)
            )
        return purpose_id, wording_id, title, text.statement

    def form(self, sender_id: UUID, wordings: list[UUID], shop: str) -> tuple[UUID, int]:
        """Publish a form that only the shop's origin may embed; return its id and version."""
        spec = service.FormSpec(
            sender_id,
            "en",
            tuple(wordings),
            fields=(FormField("email", True), FormField("name", False)),
            origins=(shop,),
            returns=(f"{shop}/",),
        )
        with self._database.begin() as tx:
            form_id = service.create_form(
                tx, service.WriteForm(self._organisation_id, spec)
            ).form_id
        with self._database.begin() as tx:
            command = service.PublishForm(self._organisation_id, form_id, ACTOR)
            return form_id, service.publish_form(tx, command).version
