"""Plain factories on top of the real verbs: a test says what matters to it, the rest is ordinary.

The cast: alice owns the shop and her key may do everything; bob has a key of the same organisation that may
only read permits; charlie is an outsider with a key that may do everything in an organisation of his own.
`create_published_form` also publishes the like for a second organisation, so that a wrong filter fails.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field
from uuid import UUID

from consentledger.accounts.rules import SCOPES
from consentledger.accounts.service import CreateKey, KeyCreated, create_key
from consentledger.db.engine import Database
from consentledger.kernel.settings import Settings
from consentledger.organisations import queries, service
from consentledger.organisations.facts import FormField, PublishedForm, SenderIdentity

_counter = itertools.count(1)
ACTOR = "operator"
NOTICE = (
    "Who is responsible: {legal_name}. Why: to send you the offers you asked for. How long: until you take it"
    " back, and the proof for three years after. Your rights: access, rectification, erasure, complaint."
)


@dataclass(frozen=True, slots=True)
class MadeForm:
    """A published form and what it was made of."""

    organisation: service.OrganisationCreated
    sender_id: UUID
    purpose_ids: tuple[UUID, ...]
    wording_ids: tuple[UUID, ...]
    form_id: UUID
    form: PublishedForm

    @property
    def organisation_id(self) -> UUID:
        """The organisation's id."""
        return self.organisation.organisation_id


@dataclass(frozen=True, slots=True)
class Member:
    """One of the cast: an organisation and a key of theirs."""

    organisation: service.OrganisationCreated
    key: KeyCreated = field(repr=False)

    @property
    def organisation_id(self) -> UUID:
        """The organisation's id."""
        return self.organisation.organisation_id

    @property
    def headers(self) -> dict[str, str]:
        """The header that a request of theirs carries."""
        return {"Authorization": f"Bearer {self.key.token}"}


@dataclass(frozen=True, slots=True)
class Cast:
    """alice owns, bob is a member who may little, charlie is an outsider who may everything at home."""

    alice: Member
    bob: Member
    charlie: Member


def create_organisation(
    database: Database, settings: Settings, *, name: str | None = None, **more: object
) -> service.OrganisationCreated:
    """Makes an organisation with its log: genesis, its facts, the adopted pack."""
    found = name or f"organisation {next(_counter)}"
    values = {"legal_name": f"{found.title()} GmbH", "country": "DE", **more}
    with database.begin() as tx:
        return service.create_organisation(
            tx,
            service.CreateOrganisation(name=found, **values),  # type: ignore[arg-type]
            settings,
        )


def create_key_of(
    database: Database, organisation_id: UUID, *scopes: str, name: str = "shop"
) -> KeyCreated:
    """Makes an API key; without scopes it may do everything."""
    with database.begin() as tx:
        return create_key(tx, CreateKey(organisation_id, name, scopes or tuple(SCOPES)))


def create_cast(database: Database, settings: Settings) -> Cast:
    """Makes the two organisations and three keys of the cast."""
    shop = create_organisation(database, settings, name="alice")
    other = create_organisation(database, settings, name="charlie")
    return Cast(
        Member(shop, create_key_of(database, shop.organisation_id)),
        Member(shop, create_key_of(database, shop.organisation_id, "permits:read")),
        Member(other, create_key_of(database, other.organisation_id)),
    )


def identity(legal_name: str = "Alpenkraut Versand GmbH", **more: str | None) -> SenderIdentity:
    """An ordinary sender's identity."""
    values: dict[str, str | None] = {
        "name": "Alpenkraut",
        "legal_name": legal_name,
        "postal_address": "Talstraße 12\n83471 Berchtesgaden",
        "country": "DE",
        "contact_email": "kontakt@alpenkraut.example",
        "from_name": "Alpenkraut",
        "from_address": "news@alpenkraut.example",
        "privacy_url": "https://alpenkraut.example/datenschutz",
        "colour": "#2f6b3a",
        **more,
    }
    return SenderIdentity(**values)  # type: ignore[arg-type]


def create_sender(database: Database, organisation_id: UUID, **more: str | None) -> UUID:
    """Publishes a sender."""
    with database.begin() as tx:
        command = service.PublishSender(organisation_id, identity(**more), ACTOR)  # type: ignore[arg-type]
        return service.publish_sender(tx, command).id


def create_purpose(
    database: Database, organisation_id: UUID, title: str = "weekly offers", **more: object
) -> UUID:
    """Publishes a purpose with the same title in English and German."""
    values = {"titles": {"en": title, "de": title}, "actor": ACTOR, **more}
    with database.begin() as tx:
        command = service.PublishPurpose(organisation_id, **values)  # type: ignore[arg-type]
        return service.publish_purpose(tx, command).id


def wording_text(
    title: str = "weekly offers", legal_name: str = "Alpenkraut Versand GmbH", **more: object
) -> service.WordingText:
    """A wording that lacks nothing."""
    values: dict[str, object] = {
        "controllers": (legal_name,),
        "statement": f"Yes, {legal_name} may send me its {title} by e-mail.",
        "withdrawal": "You can take this back at any time with the link in every message.",
        "notice_text": NOTICE.format(legal_name=legal_name),
        "notice_url": "https://alpenkraut.example/datenschutz",
        **more,
    }
    return service.WordingText(**values)  # type: ignore[arg-type]


def create_wording(
    database: Database,
    organisation_id: UUID,
    sender_id: UUID,
    purpose_id: UUID,
    *,
    title: str = "weekly offers",
    language: str = "en",
    publish: bool = True,
    **more: object,
) -> UUID:
    """Writes a wording and publishes it."""
    text = wording_text(title, **more)  # type: ignore[arg-type]
    with database.begin() as tx:
        wording_id = service.create_wording(
            tx, service.WriteWording(organisation_id, sender_id, purpose_id, language, text)
        )
    if publish:
        with database.begin() as tx:
            service.publish_wording(tx, service.PublishWording(organisation_id, wording_id, ACTOR))
    return wording_id


def create_form(
    database: Database,
    organisation_id: UUID,
    sender_id: UUID,
    wordings: tuple[UUID, ...],
    **more: object,
) -> UUID:
    """Writes and publishes a form."""
    values: dict[str, object] = {
        "language": "en",
        "fields": (FormField("email", True), FormField("name", False)),
        "origins": ("https://shop.example",),
        "returns": ("https://shop.example/thanks",),
        **more,
    }
    spec = service.FormSpec(sender_id=sender_id, wordings=wordings, **values)  # type: ignore[arg-type]
    with database.begin() as tx:
        form_id = service.create_form(tx, service.WriteForm(organisation_id, spec)).form_id
    with database.begin() as tx:
        service.publish_form(tx, service.PublishForm(organisation_id, form_id, ACTOR))
    return form_id


def create_published_form(
    database: Database,
    settings: Settings,
    *,
    organisation: service.OrganisationCreated | None = None,
    titles: tuple[str, ...] = ("weekly offers",),
    noise: bool = True,
    **more: object,
) -> MadeForm:
    """Makes everything up to a published form, one box per title; and the like for a stranger (`noise`)."""
    if noise:
        create_published_form(database, settings, titles=titles, noise=False)
    owner = organisation or create_organisation(database, settings)
    sender_id = create_sender(database, owner.organisation_id)
    purpose_ids = tuple(create_purpose(database, owner.organisation_id, title) for title in titles)
    wording_ids = tuple(
        create_wording(database, owner.organisation_id, sender_id, purpose_id, title=title)
        for purpose_id, title in zip(purpose_ids, titles, strict=True)
    )
    form_id = create_form(database, owner.organisation_id, sender_id, wording_ids, **more)
    with database.read() as session:
        form = queries.published_form(session, form_id)
    return MadeForm(owner, sender_id, purpose_ids, wording_ids, form_id, form)
