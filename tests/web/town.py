"""Organisations with published forms for tests of the web: Alice's shop, and Charlie's, an outsider's."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from consentledger.db.installation import Installation
from consentledger.organisations import service
from consentledger.organisations.facts import FormField, SenderIdentity
from tests.support.form_tokens import OPEN, OpenPages

ORIGIN = "https://shop.example"
OTHER_ORIGIN = "https://second.example"


@dataclass(frozen=True, slots=True)
class Shop:
    """One organisation with one sender, two purposes and one published form in English."""

    organisation_id: UUID
    number: int
    origin: str
    sender_id: UUID
    offers: UUID
    tips: UUID
    form_id: UUID
    pages: OpenPages

    @property
    def form(self) -> str:
        return f"/f/{self.form_id}"

    def token(self, origin: str | None = None, opened: timedelta = OPEN) -> str:
        """Open the form's page anew, or a page of `origin` with the form in it, and wait a minute."""
        return self.pages.token(self.form_id, origin=origin, opened=opened)


def open_shop(
    installation: Installation,
    name: str,
    *,
    origins: tuple[str, ...] = (ORIGIN, OTHER_ORIGIN),
    returns: tuple[str, ...] = (f"{ORIGIN}/thanks",),
    **more: str,
) -> Shop:
    """Publish everything that a sign-up needs; `more` overrides the sender's identity."""
    identity = SenderIdentity(
        **{
            "name": name,
            "legal_name": f"{name} Ltd",
            "postal_address": "1 Main Street\nSpringfield",
            "country": "DE",
            "contact_email": "hello@shop.example",
            "from_name": name,
            "from_address": "news@shop.example",
            "colour": "#2f6b3f",
            "privacy_url": "https://shop.example/privacy",
            **more,
        }
    )
    database, settings = installation.database, installation.settings
    with database.begin() as tx:
        made = service.create_organisation(
            tx, service.CreateOrganisation(name, f"{name} Ltd", "DE"), settings
        )
    organisation_id = made.organisation_id
    with database.begin() as tx:
        command = service.PublishSender(organisation_id, identity, "test")
        sender_id = service.publish_sender(tx, command).id
    offers = _purpose(installation, organisation_id, "Weekly offers")
    tips = _purpose(installation, organisation_id, "Gardening tips")
    wordings = tuple(
        _wording(installation, organisation_id, sender_id, purpose, title, identity)
        for purpose, title in ((offers, "Weekly offers"), (tips, "Gardening tips"))
    )
    spec = service.FormSpec(
        sender_id,
        "en",
        wordings,
        fields=(FormField("email", True), FormField("name", False)),
        origins=origins,
        returns=returns,
    )
    with database.begin() as tx:
        form_id = service.create_form(tx, service.WriteForm(organisation_id, spec)).form_id
    with database.begin() as tx:
        service.publish_form(tx, service.PublishForm(organisation_id, form_id, "test"))
    pages = OpenPages(settings)
    return Shop(organisation_id, made.number, made.origin, sender_id, offers, tips, form_id, pages)


def _purpose(installation: Installation, organisation_id: UUID, title: str) -> UUID:
    with installation.database.begin() as tx:
        command = service.PublishPurpose(organisation_id, {"en": title}, "test")
        return service.publish_purpose(tx, command).id


def _wording(
    installation: Installation,
    organisation_id: UUID,
    sender_id: UUID,
    purpose_id: UUID,
    title: str,
    identity: SenderIdentity,
) -> UUID:
    words = service.WordingText(
        controllers=(identity.legal_name,),
        statement=f"Yes, {identity.legal_name} may send me {title} by e-mail.",
        withdrawal="I can withdraw at any time with the link in every message.",
        notice_text=f"{identity.legal_name} keeps the address to send what was asked for.",
        notice_url="https://shop.example/privacy",
    )
    with installation.database.begin() as tx:
        wording_id = service.create_wording(
            tx, service.WriteWording(organisation_id, sender_id, purpose_id, "en", words)
        )
    with installation.database.begin() as tx:
        service.publish_wording(tx, service.PublishWording(organisation_id, wording_id, "test"))
    return wording_id
