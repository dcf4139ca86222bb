"""What other rooms read of what a marketer publishes: frozen, free of the ORM, safe to keep in a cache."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

BlobValue = tuple[str, str, int, str]


@dataclass(frozen=True, slots=True)
class AddressPolicy:
    """What becomes of a sign-up by kind of its address: accept, flag or refuse (organisations.address_policies)."""

    disposable: str = "flag"
    role: str = "flag"


@dataclass(frozen=True, slots=True)
class OrganisationFacts:
    """The legal person: `number` stands in tokens, `request_days` is how long a request stays open."""

    organisation_id: UUID
    number: int
    log_id: str
    name: str
    legal_name: str
    country: str
    ip_policy: str
    request_days: int
    created_at: datetime
    address_policy: AddressPolicy = AddressPolicy()


@dataclass(frozen=True, slots=True)
class SenderIdentity:
    """Who writes, as recipients see it (2002/58/EC art. 13(4)); `postal_address` has LF between lines."""

    name: str
    legal_name: str
    postal_address: str
    country: str
    contact_email: str
    from_name: str
    from_address: str
    contact_phone: str | None = None
    colour: str | None = None
    privacy_url: str | None = None

    def as_json(self) -> dict[str, Any]:
        """The identity as stored and as frozen in a form's content."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class SenderFacts:
    """A published sender in its newest version; `link_host` is the host of its links, if it has its own."""

    organisation_id: UUID
    organisation_number: int
    sender_id: UUID
    version: int
    identity: SenderIdentity
    link_host: str | None
    has_transport: bool
    published_at: datetime


@dataclass(frozen=True, slots=True)
class SenderTransport:
    """A sender's own SMTP peer; `tls` is starttls or implicit, certificates are always verified."""

    server: str
    port: int
    tls: str
    username: str | None = None
    password: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class PurposeFacts:
    """A published purpose in its newest version; `purpose_class` is marketing or tracking."""

    organisation_id: UUID
    purpose_id: UUID
    version: int
    purpose_class: str
    titles: dict[str, str]
    channels: tuple[str, ...]
    categories: tuple[str, ...]
    published_at: datetime

    def title(self, language: str) -> str:
        """The title in a language, else in its primary language, else in the first one there is."""
        short = language.split("-")[0]
        return (
            self.titles.get(language) or self.titles.get(short) or next(iter(self.titles.values()))
        )


@dataclass(frozen=True, slots=True)
class WordingFacts:
    """A wording, draft or published, with the controllers' legal names and the stored notice."""

    organisation_id: UUID
    wording_id: UUID
    sender_id: UUID
    purpose_id: UUID
    language: str
    channel: str
    controllers: tuple[str, ...]
    statement: str
    withdrawal: str
    notice_text: str
    notice_url: str | None
    published_at: datetime | None


@dataclass(frozen=True, slots=True)
class FormField:
    """An input besides the boxes; only `email` is ever required (GDPR art. 5(1)(c))."""

    name: str
    required: bool


@dataclass(frozen=True, slots=True)
class FormPurpose:
    """One box of a form: the purpose with the wording as frozen in this version, and its stored notice."""

    purpose_id: UUID
    wording_id: UUID
    title: str
    purpose_class: str
    channel: str
    statement: str
    controllers: tuple[str, ...]
    withdrawal: str
    notice_url: str | None
    notice_text: str
    language: str


@dataclass(frozen=True, slots=True)
class PublishedForm:
    """The served version of a form, with all that a page, a request's entry and a mail need.

    `text` and `notice` are the blob values of its form.published entry (the content is stored there, once).
    `sender` is the identity frozen in this version, `sender_version` the version it was taken from.
    """

    organisation_id: UUID
    organisation_number: int
    organisation_name: str
    ip_policy: str
    request_days: int
    form_id: UUID
    version: int
    sender_id: UUID
    sender_version: int
    sender: SenderIdentity
    link_host: str | None
    language: str
    channel: str
    fields: tuple[FormField, ...]
    purposes: tuple[FormPurpose, ...]
    origins: tuple[str, ...]
    returns: tuple[str, ...]
    text: BlobValue
    notice: BlobValue
    published_at: datetime
    address_policy: AddressPolicy = AddressPolicy()

    @property
    def controllers(self) -> tuple[str, ...]:
        """The legal names of all controllers of all boxes, each once, in order."""
        return tuple(dict.fromkeys(name for box in self.purposes for name in box.controllers))

    def purpose(self, purpose_id: UUID) -> FormPurpose | None:
        """The box of a purpose, or None when the form has none."""
        return next((box for box in self.purposes if box.purpose_id == purpose_id), None)


@dataclass(frozen=True, slots=True)
class FormFacts:
    """A form as its owner sees it: state draft, published, paused or unpublished; version 0 was never published.

    `paused` says why and since when a form paused itself: reason, at, mailed, confirmed.
    `name` is how its owner calls it; a translation names the first form in `translation_of`.
    """

    organisation_id: UUID
    form_id: UUID
    state: str
    version: int
    draft: dict[str, Any]
    created_at: datetime
    name: str | None = None
    translation_of: UUID | None = None
    paused: dict[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Published:
    """What was published: its id, its version, and the index of its entry."""

    id: UUID
    version: int
    entry_index: int
