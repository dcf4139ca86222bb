"""What every guard holds and does, whatever it is made of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple, Protocol


@dataclass(frozen=True, slots=True)
class Signed:
    """The size and root that were last given to the signer."""

    size: int
    root: bytes


class State(NamedTuple):
    """All that a guard knows of one log: what was signed last, and why it is frozen if it is."""

    signed: Signed | None
    frozen: str | None


NOTHING = State(None, None)


class Guard(Protocol):
    """A small linearizable store outside the database's backups, seen alike by all processes."""

    guard_id: str

    def open(self, *, create: bool) -> None:
        """Checks that this is the database's own guard; makes it only for a database that has none yet."""

    def state(self, origin: str) -> State:
        """Reads what is known of a log now."""

    def look(self, origin: str) -> State:
        """Reads the same cheaply, for every append: as it was a moment ago at most."""

    def read(self, origin: str) -> Signed | None:
        """Returns what was last signed for `origin`, or None when nothing was."""

    def swap(self, origin: str, expected: Signed | None, new: Signed) -> bool:
        """Writes `new` durably if the guard still holds `expected` and is not frozen; says whether it did."""

    def frozen(self, origin: str) -> str | None:
        """Returns why a log is frozen, or None."""

    def freeze(self, origin: str, reason: str) -> bool:
        """Marks a log frozen, durably; the first reason stays. Says whether this call did it."""

    def thaw(self, origin: str) -> None:
        """Takes the mark away."""

    def origins(self) -> list[str]:
        """Returns every log that the guard knows, sorted."""

    def close(self) -> None:
        """Lets go of connections."""
