"""What the verbs of erasure take and give: frozen, free of HTTP."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID


@dataclass(frozen=True, slots=True)
class EraseContact:
    """Asks to erase everything about an address; `ground` is one of rules.GROUNDS.

    With `now` it does not wait for others to be logged together with.
    """

    organisation_id: UUID
    address: str = field(repr=False)
    actor: str
    ground: str = "withdrawn"
    now: bool = False


@dataclass(frozen=True, slots=True)
class Receipt:
    """What became of an erasure so far; it names nobody.

    `entry_index` and `leaf_hash` are those of its (first) `log.erasure`; `gone` counts what was destroyed,
    by table; `kept_until` is the end of what is restricted for legal claims.
    """

    organisation_id: UUID
    erasure_id: UUID
    state: str
    ground: str
    requested_at: datetime
    due_at: datetime
    logged_at: datetime | None
    entry_index: int | None
    leaf_hash: bytes | None
    destroyed_at: datetime | None
    kept_until: datetime | None
    gone: Mapping[str, int] | None


@dataclass(frozen=True, slots=True)
class Preview:
    """What an erasure would destroy: rows by table, openings by class, and until when evidence would be kept."""

    rows: Mapping[str, int]
    openings: Mapping[str, int]
    keep_for_claims_days: int
    held: bool


@dataclass(frozen=True, slots=True)
class PlaceHold:
    """Suspends destruction for one address, or without one for the whole organisation."""

    organisation_id: UUID
    person: str
    reason: str
    actor: str
    address: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class ReleaseHold:
    """Ends a legal hold."""

    organisation_id: UUID
    hold_id: UUID
    person: str
    actor: str


@dataclass(frozen=True, slots=True)
class HoldFacts:
    """A legal hold; `whole` says that it covers the whole organisation."""

    organisation_id: UUID
    hold_id: UUID
    whole: bool
    reason: str
    placed_by: str
    placed_at: datetime
    released_by: str | None
    released_at: datetime | None


@dataclass(frozen=True, slots=True)
class Policy:
    """How long an organisation keeps: days after an erasure for claims (0: not at all), days after the last act."""

    keep_for_claims_days: int
    retention_days: int


@dataclass(frozen=True, slots=True)
class ChangePolicy:
    """New days; None leaves a value as it is."""

    organisation_id: UUID
    actor: str
    keep_for_claims_days: int | None = None
    retention_days: int | None = None
