"""Which keys a log names: its `log.genesis` and every `log.key` since, read from the leaves; and how a key is added."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from consentledger.db.log.entries import Draft
from consentledger.db.models import LogLeaf
from consentledger.db.unit_of_work import Tx
from consentledger.kernel.errors import ConfigurationError
from consentledger.kernel.secrets import PREFIX
from consentledger.ledger.leaf import parse_leaf

_KINDS = tuple(b"consentledger/leaf/v1\nkind " + kind for kind in (b"log.genesis/", b"log.key/"))


@dataclass(frozen=True, slots=True)
class NamedKeys:
    """The verifier keys that one entry names: they act from the entry after it on."""

    index: int
    log_key: str
    evidence_key: str


def named_keys(
    session: Session, organisation_id: UUID, size: int, *, first: int = 0
) -> list[NamedKeys]:
    """Reads what the entries from `first` up to `size` name, in order; a whole log takes a while."""
    query = (
        select(LogLeaf.entry_index, LogLeaf.leaf)
        .where(LogLeaf.organisation_id == organisation_id)
        .where(LogLeaf.entry_index >= first, LogLeaf.entry_index < size)
        .where(or_(*(func.substr(LogLeaf.leaf, 1, len(kind)) == kind for kind in _KINDS)))
        .order_by(LogLeaf.entry_index)
    )
    found = []
    for index, leaf in session.execute(query):
        plain = parse_leaf(leaf).plain
        found.append(NamedKeys(index, plain["log_key"], plain["evidence_key"]))
    return found


class KeyReader:
    """Reads a log's newest keys; remembers how far it has read, since entries under one origin never change."""

    def __init__(self) -> None:
        self._read: dict[tuple[UUID, str], tuple[int, NamedKeys | None]] = {}

    def newest(
        self, session: Session, organisation_id: UUID, origin: str, size: int
    ) -> NamedKeys | None:
        """Returns the keys that the first `size` entries name last; None when none of them names any."""
        first, known = self._read.get((organisation_id, origin), (0, None))
        if first > size:
            first, known = 0, None
        found = named_keys(session, organisation_id, size, first=first)
        newest = found[-1] if found else known
        self._read[organisation_id, origin] = (size, newest)
        return newest


def name_keys(
    tx: Tx, organisation_id: UUID, *, log_key: str, evidence_key: str, actor: str
) -> int | None:
    """Appends `log.key` unless the log names these keys already; returns the new entry's index.

    ConfigurationError when a newer key replaced the log key before: a list that is out of date must not bring it back.
    """
    wanted = (log_key, evidence_key)
    plain = {"log_key": log_key, "evidence_key": evidence_key}
    sealed = tx.log.seal(tx, organisation_id, [Draft("log.key", {}, actor=actor, plain=plain)])
    head = tx.log.lock_head(tx, organisation_id)
    # Behind the lock: two rotations at once append one entry.
    named = named_keys(tx.session, organisation_id, head.frontier.size)
    if named and (named[-1].log_key, named[-1].evidence_key) == wanted:
        return None
    _refuse_return(named, wanted)
    (entry,) = tx.log.append_sealed(tx, organisation_id, sealed, head)
    return entry.index


def _refuse_return(named: Sequence[NamedKeys], wanted: tuple[str, str]) -> None:
    for name, key, since in (
        ("LOG_KEY", wanted[0], [keys.log_key for keys in named]),
        ("EVIDENCE_KEY", wanted[1], [keys.evidence_key for keys in named]),
    ):
        if key in since and key != since[-1]:
            raise ConfigurationError(
                f"the newest key of {PREFIX}{name} was replaced in this log by a newer one: the list is out of date, "
                "or its order is wrong (the newest key stands last)"
            )
