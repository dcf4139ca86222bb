"""Tables of the log, its keys and its checkpoints. Most are insert-only, by triggers (INSERT_ONLY)."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Index,
    Integer,
    SmallInteger,
    UniqueConstraint,
)
from sqlalchemy.orm import Mapped, mapped_column

from consentledger.db.base import Base, organisation_key_column

WITHOUT_ROWID = {"sqlite_with_rowid": False}
INSERT_ONLY = ("log_leaf", "log_node", "log_checkpoint", "log_index")


class LogHead(Base):
    """One row per organisation: the size and root of its tree; its lock orders all appends.

    `began_as` is the log's first origin: openings are bound to it, so that they open under a later one too.
    """

    __tablename__ = "log_head"
    organisation_id: Mapped[UUID] = organisation_key_column()
    origin: Mapped[str] = mapped_column(unique=True)
    began_as: Mapped[str] = mapped_column(server_default="")
    size: Mapped[int] = mapped_column(BigInteger)
    root: Mapped[bytes]
    frontier: Mapped[bytes]
    mac: Mapped[bytes]
    __table_args__ = (
        CheckConstraint("length(root) = 32", name="root_length"),
        CheckConstraint("length(mac) = 32", name="mac_length"),
        CheckConstraint("size >= 0", name="size_positive"),
        WITHOUT_ROWID,
    )


class LogLeaf(Base):
    """The stored bytes of one entry's leaf, and their RFC 9162 leaf hash."""

    __tablename__ = "log_leaf"
    organisation_id: Mapped[UUID] = organisation_key_column()
    entry_index: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    leaf: Mapped[bytes]
    leaf_hash: Mapped[bytes]
    appended_at: Mapped[datetime]
    __table_args__ = (
        CheckConstraint("length(leaf_hash) = 32", name="hash_length"),
        CheckConstraint("length(leaf) <= 65535", name="leaf_length"),
        CheckConstraint("entry_index >= 0", name="index_positive"),
    )


class LogNode(Base):
    """The hash of a completed subtree of 256^level leaves: number n of that level, from the left."""

    __tablename__ = "log_node"
    organisation_id: Mapped[UUID] = organisation_key_column()
    level: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)
    n: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    hash: Mapped[bytes]
    __table_args__ = (CheckConstraint("length(hash) = 32", name="hash_length"), WITHOUT_ROWID)


class LogCheckpoint(Base):
    """Every checkpoint that was ever published: the whole signed note."""

    __tablename__ = "log_checkpoint"
    organisation_id: Mapped[UUID] = organisation_key_column()
    size: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    root: Mapped[bytes]
    note: Mapped[str]
    signed_at: Mapped[datetime]
    __table_args__ = (CheckConstraint("length(root) = 32", name="root_length"),)


class LogIndex(Base):
    """The labels of entries [first, size), sorted, 32 bytes each: what the `log.index` at `entry_index` commits to.

    Made from the leaves, so that an export need not read them all again; fsck derives it anew.
    """

    __tablename__ = "log_index"
    organisation_id: Mapped[UUID] = organisation_key_column()
    entry_index: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    first: Mapped[int] = mapped_column(BigInteger)
    size: Mapped[int] = mapped_column(BigInteger)
    labels: Mapped[bytes]
    __table_args__ = (
        UniqueConstraint("organisation_id", "first"),
        CheckConstraint("first >= 0 AND first < size AND size <= entry_index", name="range_below"),
        CheckConstraint("length(labels) % 32 = 0", name="labels_length"),
    )


class Opening(Base):
    """The sealed disclosures (core, technical) or blobs (copy) of one entry; erasable."""

    __tablename__ = "opening"
    organisation_id: Mapped[UUID] = organisation_key_column()
    entry_index: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    opening_class: Mapped[str] = mapped_column(primary_key=True)
    key_id: Mapped[UUID | None]
    sealed: Mapped[bytes]
    __table_args__ = (
        CheckConstraint("opening_class IN ('core', 'technical', 'copy')", name="class_known"),
    )


class ContactEntry(Base):
    """Which entry belongs to which contact; erasable, so no plain text in the leaf has to say it."""

    __tablename__ = "contact_entry"
    organisation_id: Mapped[UUID] = organisation_key_column()
    entry_index: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    contact_id: Mapped[UUID]
    __table_args__ = (
        Index(None, "organisation_id", "contact_id", "entry_index"),
        WITHOUT_ROWID,  # small rows: one B-tree instead of two
    )


class ContactKey(Base):
    """A contact's seal and label keys, wrapped by the master key; deleting the row erases the contact."""

    __tablename__ = "contact_key"
    organisation_id: Mapped[UUID] = organisation_key_column()
    key_id: Mapped[UUID] = mapped_column(primary_key=True)
    wrapped: Mapped[bytes]
    made_at: Mapped[datetime]
    __table_args__ = (Index(None, "made_at"),)


class OrganisationKey(Base):
    """An organisation's keys, one per use (seal, lookup, suppression), wrapped by the master key."""

    __tablename__ = "organisation_key"
    organisation_id: Mapped[UUID] = organisation_key_column()
    use: Mapped[str] = mapped_column(primary_key=True)
    version: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    wrapped: Mapped[bytes]


class CapKey(Base):
    """The random key of one UTC day (a proleptic ordinal), under which that day's mails are counted.

    Wrapped by the master key, empty where keys stand in a store of their own; no row is under it after `ends_at`.
    """

    __tablename__ = "cap_key"
    day: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    wrapped: Mapped[bytes]
    ends_at: Mapped[datetime]


class Installation(Base):
    """One row: the id of the guard that this database belongs to."""

    __tablename__ = "installation"
    installation_id: Mapped[int] = mapped_column(
        SmallInteger, primary_key=True, autoincrement=False
    )
    guard_id: Mapped[str]
    made_at: Mapped[datetime]
    __table_args__ = (CheckConstraint("installation_id = 1", name="one_row"),)
