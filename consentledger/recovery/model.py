"""What a recovery reads and tells: entries from outside the database, and what came of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any
from uuid import UUID


@dataclass(frozen=True, slots=True)
class SavedEntry:
    """One entry as it was kept outside the database: its leaf, its sealed openings, whose it was.

    `openings` are (class, key id or None, sealed bytes); `rows` are rows of other tables that no leaf tells, by
    table, each by column. Nothing of it is believed but what the guard's root covers.
    """

    index: int
    leaf: bytes
    at: str
    openings: tuple[tuple[str, UUID | None, bytes], ...] = field(repr=False)
    contact_id: UUID | None = None
    rows: dict[str, list[dict[str, Any]]] = field(default_factory=dict, repr=False)


@dataclass(slots=True)
class Outcome:
    """What was found and done about one log: sentences in order, and whether it is frozen still."""

    origin: str
    said: list[str] = field(default_factory=list)
    frozen: bool = False

    def say(self, sentence: str) -> None:
        """Adds a sentence."""
        self.said.append(sentence)
