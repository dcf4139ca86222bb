"""What a kind of entry is: its fields, plain lines, and whether a contact stands behind it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

FieldType = Literal["str", "time", "hash", "int", "bool", "strs", "blob", "permit"]
Opening = Literal["core", "technical"]


@dataclass(frozen=True, slots=True)
class Field:
    """One committed field; `core` openings prove the act, `technical` ones are kept shortly."""

    name: str
    type: FieldType
    nullable: bool = False
    opening: Opening = "core"


@dataclass(frozen=True, slots=True, eq=False)  # by identity: the encoder cache hashes it often
class Kind:
    """One version of one kind of entry; kinds are extended by a new version, never changed.

    `fields` are sorted bytewise and include those that every entry (and every contact entry) has.
    `technical` names the fields whose opening has the short retention.
    `affects` is "organisation" when the kind may change the decision for every contact.
    """

    name: str
    version: int
    fields: tuple[Field, ...]
    plain: tuple[str, ...]
    contact: bool
    affects: str | None
    doc: str
    by_name: dict[str, Field] = field(repr=False)
    technical: frozenset[str] = field(compare=False, repr=False)

    @property
    def id(self) -> str:
        """The kind as a leaf names it, for example `consent.confirmed/1`."""
        return f"{self.name}/{self.version}"

    @property
    def blobs(self) -> tuple[str, ...]:
        """The names of the fields whose value is a blob's hash."""
        return tuple(field.name for field in self.fields if field.type == "blob")


COMMON = (Field("actor", "str"), Field("at", "time"), Field("software", "str"))
CONTACT = (
    Field("contact", "str", nullable=True),
    Field("address", "str", nullable=True),
    Field("prev", "hash", nullable=True),
)


def make_kind(
    name: str,
    doc: str,
    *fields: Field,
    plain: tuple[str, ...] = (),
    contact: bool = False,
    affects: str | None = None,
    version: int = 1,
) -> Kind:
    """Makes a kind with the common fields, sorted; a name used twice raises ValueError."""
    everything = sorted(
        (*COMMON, *(CONTACT if contact else ()), *fields), key=lambda f: f.name.encode("ascii")
    )
    by_name = {f.name: f for f in everything}
    if len(by_name) != len(everything) or set(plain) & set(by_name):
        raise ValueError(f"{name} has a field twice")
    return Kind(
        name, version, tuple(everything), tuple(sorted(plain)), contact, affects, doc, by_name,
        frozenset(f.name for f in everything if f.opening == "technical"),
    )  # fmt: skip


def text(name: str) -> Field:
    """A field that always holds text."""
    return Field(name, "str")


def maybe(name: str) -> Field:
    """A field that holds text or null."""
    return Field(name, "str", nullable=True)


def technical(name: str) -> Field:
    """A field that holds text or null, with the short retention."""
    return Field(name, "str", nullable=True, opening="technical")


def number(name: str) -> Field:
    """A field that holds an integer."""
    return Field(name, "int")


def texts(name: str) -> Field:
    """A field that holds a list of text."""
    return Field(name, "strs")


def time(name: str, *, nullable: bool = False) -> Field:
    """A field that holds an instant, `2026-11-21T21:45:03.123456Z`."""
    return Field(name, "time", nullable=nullable)


def blob(name: str, *, nullable: bool = False) -> Field:
    """A field that holds the hash, length and type of something large, stored apart."""
    return Field(name, "blob", nullable=nullable)
