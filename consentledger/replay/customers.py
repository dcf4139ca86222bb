"""What the entries about customers make of their rows: pure, as customers/recording.py and lapsing.py write them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol
from uuid import UUID

from consentledger.replay.model import Entry, Row


class References(Protocol):
    """The organisation's keyed hash of a reference."""

    def reference(self, reference: str) -> bytes:
        """Returns the hash by which a customer's record is known."""


def tell(
    rows: dict[str, Row],
    contact_id: UUID,
    entry: Entry,
    values: Mapping[str, Any],
    hashes: References,
) -> None:
    """Tells one entry; an objection changes no record, it closes the channel in the standing."""
    if entry.kind == "customer.recorded":
        rows[values["customer"]] = {
            "contact_id": contact_id,
            "channel": values["channel"],
            "reference_hash": hashes.reference(values["reference"]),
            "trigger": values["trigger"],
            "happened_on": values["on"],
            "ended_on": values["ended_on"],
            "state": "recorded",
            "recorded_at": entry.at,
            "changed_at": entry.at,
            "entry_number": entry.n,
        }
    elif entry.kind == "customer.lapsed" and values["customer"] in rows:
        rows[values["customer"]] |= {
            "state": "ended" if values["ended_on"] else "lapsed",
            "ended_on": values["ended_on"],
            "changed_at": entry.at,
            "entry_number": entry.n,
        }
