"""Stops that were said while the log was frozen: as records of the journal, and replayed as ordinary acts."""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from uuid import UUID

from consentledger.accounts import idempotency
from consentledger.accounts.idempotency import KeptAnswer, Repeatable
from consentledger.consents.commands import NotMe
from consentledger.consents.service import decline
from consentledger.db.journal import Record
from consentledger.db.unit_of_work import Tx
from consentledger.kernel.clock import to_text
from consentledger.kernel.tokens import unpack_link
from consentledger.stops import service
from consentledger.stops.commands import StopByAddress, StopLink, Unsubscribe, Withdraw

STOP = "stop"
Stop = Unsubscribe | StopLink | StopByAddress | Withdraw | NotMe


def to_record(organisation_id: UUID | None, stop: Stop) -> dict[str, Any]:
    """Returns what the journal keeps of a stop: enough to do it later as it was said, and no more.

    Without an organisation for a link of one that a restored database lacks: its number stands in the link.
    """
    kept: dict[str, Any] = {"what": STOP, "organisation": _id(organisation_id)}
    match stop:
        case Unsubscribe():
            link = {"link": _text(stop.link_id), "method": stop.method, "scope": stop.scope}
            return kept | {"act": "unsubscribe"} | link
        case StopLink():
            return kept | {"act": "stop_link", "link": _text(stop.link_id)}
        case NotMe():
            return kept | {"act": "not_me", "link": _text(stop.link_id)}
        case StopByAddress():
            given = {"address": stop.address, "language": stop.language, "channel": stop.channel}
            return kept | {"act": "stop_by_address", "sender": str(stop.sender_id)} | given
        case Withdraw():
            names = {"sender": _id(stop.sender_id), "purpose": _id(stop.purpose_id)}
            given = {"address": stop.address, "channel": stop.channel, "actor": stop.actor}
            return kept | {"act": "withdraw"} | names | given


def from_record(record: Record) -> Stop:
    """Returns a stop as it was said; its actor says when, since the entry's own time is that of the replay."""
    stop = _stop(record.content)
    return replace(stop, actor=f"{stop.actor} (journal, said {to_text(record.at)})")


def _stop(kept: Mapping[str, Any]) -> Stop:
    match kept["act"]:
        case "unsubscribe":
            return Unsubscribe(_bytes(kept["link"]), kept["method"], kept["scope"])
        case "stop_link":
            return StopLink(_bytes(kept["link"]))
        case "not_me":
            return NotMe(_bytes(kept["link"]))
        case "stop_by_address":
            organisation_id, sender_id = UUID(kept["organisation"]), UUID(kept["sender"])
            given = (kept["address"], kept["language"], kept["channel"])
            return StopByAddress(organisation_id, sender_id, *given)
        case _:
            return Withdraw(
                organisation_id=UUID(kept["organisation"]),
                address=kept["address"],
                actor=kept["actor"],
                sender_id=UUID(kept["sender"]) if kept["sender"] else None,
                purpose_id=UUID(kept["purpose"]) if kept["purpose"] else None,
                channel=kept["channel"],
            )


def belongs(record: Record, organisation_id: UUID, number: int) -> bool:
    """Says whether a stop is one organisation's."""
    own = record.content["organisation"]
    if own is None:
        return unpack_link(_bytes(record.content["link"]))[0] == number
    return bool(own == str(organisation_id))


def replay(tx: Tx, organisation_id: UUID, record: Record) -> bool:
    """Does a journalled stop by its own verb; False when its link's permit is lost, so that it names nobody.

    That it was done is kept in the same transaction, as for a repeated Idempotency-Key: a crash before the
    journal's mark then repeats nothing. NotFoundError when what it names is not here.
    """
    key = f"journal {record.record_id.hex()}"
    claimed = idempotency.claim(tx, Repeatable(organisation_id, key, STOP, b""))
    if isinstance(claimed, KeptAnswer):
        return True
    named = True
    match from_record(record):
        case Unsubscribe() as stop:
            named = service.unsubscribe(tx, stop).sender_id is not None
        case StopLink() as stop:
            service.stop_link(tx, stop)
        case StopByAddress() as stop:
            service.stop_by_address(tx, stop)
        case Withdraw() as stop:
            service.withdraw(tx, stop)
        case NotMe() as stop:
            decline(tx, stop)
    idempotency.keep(tx, claimed, 200, None)
    return named


def permit_of(record: Record) -> str | None:
    """Returns the id of the permit whose link an unsubscribe came by, as POST /permits gave it."""
    link = record.content.get("link")
    return link if record.content["act"] == "unsubscribe" else None


def _text(link_id: bytes) -> str:
    return urlsafe_b64encode(link_id).decode()


def _bytes(text: str) -> bytes:
    return urlsafe_b64decode(text)


def _id(value: UUID | None) -> str | None:
    return str(value) if value else None
