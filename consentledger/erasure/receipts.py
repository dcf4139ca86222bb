"""What a receipt says in sentences, for the person as for the organisation: pure."""

from __future__ import annotations

from consentledger.erasure.commands import Receipt

HASH = "A keyed hash of the address, so that no message is permitted to it until the person asks and confirms again."
LEAVES = "The log's leaves: salted hashes, which nobody can open any more."
SHUT = (
    "Evidence for legal claims, sealed to a key that is not on the service's machines, until {until:%Y-%m-%d}; "
    "opening it takes a named person and a reason, and is logged."
)
ALL = "Everything: nothing was destroyed yet, but no message is permitted any more."
HELD = "Everything, while a legal hold lasts; but no message is permitted any more."


def remains(receipt: Receipt) -> list[str]:
    """Returns what is left of a person, one sentence each."""
    if receipt.state == "held":
        return [HELD]
    if receipt.destroyed_at is None:
        return [ALL]
    shut = [SHUT.format(until=receipt.kept_until)] if receipt.kept_until else []
    return [HASH, *shut, LEAVES]
