"""What this installation brings against what an organisation adopted, and what a newer version would change. Reads."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from uuid import UUID

from sqlalchemy.orm import Session

from consentledger.kernel.errors import NotFoundError
from consentledger.law.pack import Pack
from consentledger.law.reading import choosing
from consentledger.law.reading import packs as brought
from consentledger.law.reading.comparing import Change, differences
from consentledger.organisations.packs import AdoptedFacts, adopted


@dataclass(frozen=True, slots=True)
class PackState:
    """A pack as it is `in_force` today, its `newest` version, and what the organisation adopted, the newest last."""

    in_force: Pack
    newest: Pack
    adopted: tuple[AdoptedFacts, ...]

    @property
    def update(self) -> bool:
        """Tells whether a version waits that is newer than each adopted one."""
        return bool(self.adopted) and all(
            int(one.version) < int(self.newest.version) for one in self.adopted
        )


@dataclass(frozen=True, slots=True)
class Update:
    """A newer version than the adopted one, and every key that says something else in it."""

    before: Pack
    after: Pack
    changes: tuple[Change, ...]


def pack_states(session: Session, organisation_id: UUID, today: date) -> list[PackState]:
    """Reads every pack that this installation brings, by its id, beside what was adopted of it."""
    mine = adopted(session, organisation_id)
    return [
        PackState(
            choosing.in_force(pack_id, today),
            choosing.versions(pack_id)[-1],
            tuple(one for one in mine if one.pack == pack_id),
        )
        for pack_id in choosing.ids()
    ]


def updates(session: Session, organisation_id: UUID, today: date) -> list[Update]:
    """Returns what would change if the organisation adopted the newest version of what it has adopted."""
    return [
        difference(brought.pack(_newest_adopted(state).name), state.newest)
        for state in pack_states(session, organisation_id, today)
        if state.update
    ]


def difference(before: Pack, after: Pack) -> Update:
    """Compares two versions."""
    return Update(before, after, differences(before, after))


def adopted_version(session: Session, organisation_id: UUID, pack_id: str) -> Pack:
    """Returns the highest version of a pack that the organisation adopted; NotFoundError when it adopted none."""
    mine = [one for one in adopted(session, organisation_id) if one.pack == pack_id]
    if not mine:
        raise NotFoundError(f"the organisation has not adopted the rule pack {pack_id}")
    return brought.pack(max(mine, key=lambda one: int(one.version)).name)


def _newest_adopted(state: PackState) -> AdoptedFacts:
    return max(state.adopted, key=lambda one: int(one.version))
