"""Stops while the log is frozen: into the journal, answered 202, and in effect, since nothing is sent meanwhile."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar
from uuid import UUID

from sqlalchemy import select

from consentledger.db.unit_of_work import Tx
from consentledger.kernel.errors import FrozenError, NotFoundError
from consentledger.kernel.tokens import unpack_link
from consentledger.organisations.models import Organisation
from consentledger.recovery.stops import Stop, to_record
from consentledger.web.services import installation

ACCEPTED = 202
# A recovery may thaw the log between a refusal and the journal's lock: then the act is simply done.
TRIES = 3
Done = TypeVar("Done")


def run_or_journal(
    stop: Stop, verb: Callable[[Tx], Done], *, repeated: Callable[[Done], bool]
) -> Done | None:
    """Runs a stop's verb in a unit of work; None when the log is frozen and the stop went to the journal.

    What a frozen database says is not to be believed: neither that a link is unknown, nor that its act was done
    before. UnavailableError when neither log nor journal takes it.
    """
    last: Exception = FrozenError("the log is frozen")
    for _ in range(TRIES):
        done: Done | None = None
        try:
            with installation().database.begin() as tx:
                done = verb(tx)
            if not repeated(done):
                return done
        except (FrozenError, NotFoundError) as error:
            last = error
        if journalled(stop):
            return None
        if done is not None:
            return done
        if isinstance(last, NotFoundError):
            break
    raise last


def journalled(stop: Stop) -> bool:
    """Writes a stop to the journal if its log is frozen; says whether it did."""
    opened = installation()
    organisation_id = _organisation_of(stop)
    if organisation_id is None:
        # A link of ours to an organisation that is not here: it may be in the part that is missing.
        lacking = bool(opened.watch.missing(opened.database))
        return lacking and opened.journal.append(to_record(None, stop))
    origin = opened.watch.frozen_origin(opened.database, organisation_id)
    if origin is None:
        return False
    return opened.journal.append(
        to_record(organisation_id, stop), only_if=lambda: opened.watch.still_frozen(origin)
    )


def _organisation_of(stop: Stop) -> UUID | None:
    own: UUID | None = getattr(stop, "organisation_id", None)
    if own is not None:
        return own
    number, _ = unpack_link(getattr(stop, "link_id"))  # noqa: B009 -- every other stop has one
    query = select(Organisation.organisation_id).where(Organisation.number == number)
    with installation().database.read() as session:
        return session.scalar(query)
