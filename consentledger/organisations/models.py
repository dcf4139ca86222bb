"""Tables of what a marketer publishes. Content of published versions is frozen; state columns may move."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, Index, Integer, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from consentledger.db.base import Base, Json, organisation_key_column


class Organisation(Base):
    """The legal person on whose behalf messages go out; `number` stands in every token and link."""

    __tablename__ = "organisation"
    organisation_id: Mapped[UUID] = organisation_key_column()
    number: Mapped[int] = mapped_column(BigInteger, unique=True)
    log_id: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str] = mapped_column(unique=True)
    legal_name: Mapped[str]
    country: Mapped[str]
    ip_policy: Mapped[str]
    request_days: Mapped[int] = mapped_column(Integer)
    created_at: Mapped[datetime]
    disposable_policy: Mapped[str] = mapped_column(server_default="flag")
    role_policy: Mapped[str] = mapped_column(server_default="flag")


class Sender(Base):
    """A brand or From address with the identity that recipients see; `sealed_transport` is its own SMTP peer."""

    __tablename__ = "sender"
    organisation_id: Mapped[UUID] = organisation_key_column()
    sender_id: Mapped[UUID] = mapped_column(primary_key=True)
    version: Mapped[int] = mapped_column(Integer)
    identity: Mapped[dict[str, Any]] = mapped_column(Json)
    link_host: Mapped[str | None]
    sealed_transport: Mapped[bytes | None]
    published_at: Mapped[datetime | None]
    entry_index: Mapped[int | None] = mapped_column(BigInteger)


class Purpose(Base):
    """What a person agrees to: titles by language, channels, product categories; class marketing or tracking."""

    __tablename__ = "purpose"
    organisation_id: Mapped[UUID] = organisation_key_column()
    purpose_id: Mapped[UUID] = mapped_column(primary_key=True)
    version: Mapped[int] = mapped_column(Integer)
    purpose_class: Mapped[str]
    titles: Mapped[dict[str, str]] = mapped_column(Json)
    channels: Mapped[list[str]] = mapped_column(Json)
    categories: Mapped[list[str]] = mapped_column(Json)
    published_at: Mapped[datetime | None]
    entry_index: Mapped[int | None] = mapped_column(BigInteger)


class Wording(Base):
    """One version of the text shown, in one language, for one purpose of one sender; immutable once published."""

    __tablename__ = "wording"
    organisation_id: Mapped[UUID] = organisation_key_column()
    wording_id: Mapped[UUID] = mapped_column(primary_key=True)
    sender_id: Mapped[UUID]
    purpose_id: Mapped[UUID]
    language: Mapped[str]
    content: Mapped[dict[str, Any]] = mapped_column(Json)
    text_blob: Mapped[bytes | None]
    notice_blob: Mapped[bytes | None]
    published_at: Mapped[datetime | None]
    entry_index: Mapped[int | None] = mapped_column(BigInteger)


class Form(Base):
    """A sign-up form; `state` is draft, published, paused or unpublished; `version` the one that is served.

    `paused` says why it paused itself (organisations.pause_rules); what was asked before `counted_from` pauses it
    no more. `name` is how its owner calls it, `language` the draft's; a translation names the first form, once per
    language.
    """

    __tablename__ = "form"
    organisation_id: Mapped[UUID] = organisation_key_column()
    form_id: Mapped[UUID] = mapped_column(primary_key=True)
    state: Mapped[str]
    version: Mapped[int] = mapped_column(Integer)
    draft: Mapped[dict[str, Any]] = mapped_column(Json)
    created_at: Mapped[datetime]
    paused: Mapped[dict[str, Any] | None] = mapped_column(Json)
    counted_from: Mapped[datetime | None]
    name: Mapped[str | None]
    language: Mapped[str]
    translation_of: Mapped[UUID | None]
    __table_args__ = (
        UniqueConstraint("form_id"),
        Index("uq_form_name", "organisation_id", "name", unique=True),
        Index("uq_form_translation", "translation_of", "language", unique=True),
    )


class FormVersion(Base):
    """One published version of a form, frozen: content, and the blobs (32 random bytes, then what was shown)."""

    __tablename__ = "form_version"
    organisation_id: Mapped[UUID] = organisation_key_column()
    form_id: Mapped[UUID] = mapped_column(primary_key=True)
    version: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    sender_id: Mapped[UUID]
    language: Mapped[str]
    content: Mapped[dict[str, Any]] = mapped_column(Json)
    text_blob: Mapped[bytes]
    notice_blob: Mapped[bytes]
    published_at: Mapped[datetime]
    entry_index: Mapped[int] = mapped_column(BigInteger)


class AdoptedPack(Base):
    """One version of a rule pack as the organisation adopted it last; the log keeps what it was before.

    `stricter` and `accepts` are words of law.rulebook; `hash` is that of the pack's file.
    """

    __tablename__ = "adopted_pack"
    organisation_id: Mapped[UUID] = organisation_key_column()
    pack: Mapped[str] = mapped_column(primary_key=True)
    version: Mapped[str] = mapped_column(primary_key=True)
    hash: Mapped[str]
    stricter: Mapped[list[str]] = mapped_column(Json)
    accepts: Mapped[list[str]] = mapped_column(Json)
    adopted_at: Mapped[datetime]
    entry_index: Mapped[int] = mapped_column(BigInteger)


class CategoryTreeRow(Base):
    """One version of the product categories, frozen; `groups` are the nodes below which products are similar."""

    __tablename__ = "category_tree"
    organisation_id: Mapped[UUID] = organisation_key_column()
    version: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    categories: Mapped[list[str]] = mapped_column(Json)
    groups: Mapped[list[str]] = mapped_column(Json)
    published_at: Mapped[datetime]
    entry_index: Mapped[int] = mapped_column(BigInteger)
