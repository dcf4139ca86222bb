"""Step 5, the reports: what the organisation says it sent is in the log, and fits the permit that it names.

Three things are kept apart: that a message was permitted (permits/), that it was reported sent (sent/), and that a
gate of ours saw it, which no bundle shows. A report is the organisation's word about itself.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from consentledger.kernel.errors import VerificationError
from consentledger.ledger import merkle, strict
from consentledger.ledger.bundle import Bundle, from_json
from consentledger.ledger.first_permit import FirstPermit, parse_first_permit
from consentledger.ledger.permit import Permit, parse_permit
from consentledger.ledger.sent import LATE, NOT_PERMITTED, RULE, Sent, parse_sent, sent_line_hash
from consentledger.verify.entries import Entry
from consentledger.verify.report import Report

_MEMBERS = {"batch", "disclosure", "path", "row"}


@dataclass(frozen=True, slots=True)
class Reports:
    """Every report of a bundle that is in its batch, as (index of the batch's entry, report), in the log's order.

    `held` are the permits that the bundle shows too, so that what reports say of them was compared.
    """

    sent: tuple[tuple[int, Sent], ...]
    held: frozenset[str] = frozenset()

    def last_sent(self, contact: str, channel: str, below: int) -> str | None:
        """Returns the day (ISO, UTC) of the last message that was sent as permitted, told by an entry below `below`.

        None where the bundle shows none: a decision that says otherwise rests on what is only asserted.
        """
        days = [
            one.at[:10]
            for index, one in self.sent
            if index < below and one.contact == contact and one.channel == channel and one.renews
        ]
        return max(days, default=None)

    def last_renewed(self, contact: str, channel: str, below: int) -> tuple[str, bool] | None:
        """Returns the day of the last of these that was sent under the existing-customer exception, None without.

        With it: whether a permit that the bundle shows says so, or the report alone.
        """
        days = [
            (one.at[:10], one.permit in self.held)
            for index, one in self.sent
            if index < below
            and one.contact == contact
            and one.channel == channel
            and one.renews_exception
        ]
        return max(days, default=None)


def sent_file(*, batch: int, row: int, disclosure: str, path: Sequence[bytes]) -> dict[str, Any]:
    """Returns what `sent/<batch>-<row>.json` holds: entry of the batch, line and path inside the batch."""
    return {
        "batch": batch,
        "disclosure": disclosure,
        "path": [base64.b64encode(hash_).decode("ascii") for hash_ in path],
        "row": row,
    }


def check_sends(bundle: Bundle, entries: Sequence[Entry], report: Report) -> Reports:
    """Checks every `sent/` file: inclusion in its batch, and what it says of a permit that is shown too."""
    by_index = {entry.index: entry for entry in entries}
    found: list[tuple[int, Sent]] = []
    held: set[str] = set()
    before = report.failures
    for path in bundle.paths("sent"):
        with report.step(5, path):
            index, sent = _read(bundle.read(path), path, by_index)
            if _check_permit(bundle, sent, by_index):
                held.add(sent.permit)
            found.append((index, sent))
    if found:
        told = sum(one.status == "sent" for _, one in found)
        odd = sum(bool(one.flags) for _, one in found)
        report.passed(
            5,
            f"{len(found)} reports are in their batches: by the organisation's own word {told} messages were sent;"
            f" {odd} of these do not fit their permits, and say so.",
            since=before,
        )
    ordered = sorted(found, key=lambda one: (one[0], one[1].row))
    return Reports(tuple(ordered), frozenset(held))


def _read(data: bytes, path: str, entries: Mapping[int, Entry]) -> tuple[int, Sent]:
    value: Any = from_json(data)
    if not isinstance(value, dict) or value.keys() != _MEMBERS:
        raise VerificationError("a report's file has other members", rule=RULE)
    index, row, hashes = value["batch"], value["row"], value["path"]
    if (
        type(index) is not int
        or type(row) is not int
        or type(value["disclosure"]) is not str
        or type(hashes) is not list
        or not all(type(item) is str for item in hashes)
    ):
        raise VerificationError("a member of a report's file has the wrong type", rule=RULE)
    if path != f"sent/{index}-{row}.json":
        raise VerificationError("the file is named after another report", rule=RULE)
    entry = entries.get(index)
    if entry is None or entry.kind.name != "message.sent":
        raise VerificationError(f"its batch, entry {index}, is not in the bundle", rule=RULE)
    sent = parse_sent(value["disclosure"])
    if sent.row != row:
        raise VerificationError("the line is about another row", rule=RULE)
    plain = entry.parsed.plain
    merkle.verify_inclusion(
        sent_line_hash(value["disclosure"]),
        row,
        strict.decimal(plain["count"], rule=RULE, what="the batch's count"),
        [strict.base64_standard(one, rule=RULE, what="a hash", length=32) for one in hashes],
        strict.hex32(plain["root"], rule=RULE, what="the batch's root"),
    )
    if sent.at > entry.need("at"):
        raise VerificationError("it tells of a time behind its own entry", rule=RULE)
    return index, sent


def _check_permit(bundle: Bundle, sent: Sent, entries: Mapping[int, Entry]) -> bool:
    """Holds a report against the permit that it names; tells whether the bundle shows that one (checked by itself)."""
    path = f"permits/{sent.permit}.json"
    if path not in bundle:
        return False
    value: Any = from_json(bundle.read(path))
    if not isinstance(value, dict):
        return False  # what is wrong with it is said where it is checked
    issued, text = value.get("batch"), value.get("disclosure")
    entry = entries.get(issued) if type(issued) is int else None
    if entry is None or entry.kind.name != "permits.issued" or type(text) is not str:
        return False
    permit: Permit | FirstPermit = (
        parse_first_permit(text) if entry.kind.version == 1 else parse_permit(text)
    )
    if permit.contact != sent.contact:
        raise VerificationError("the report and its permit name different contacts", rule=RULE)
    if sent.status == "sent" and _misfit(sent, permit):
        raise VerificationError("what it says of its permit is not so", rule=RULE)
    return True


def _misfit(sent: Sent, permit: Permit | FirstPermit) -> bool:
    flags = sent.flags.split(",")
    if not permit.allowed or permit.valid_until is None:
        return NOT_PERMITTED not in flags or sent.basis is not None
    late = sent.at >= permit.valid_until
    basis = sent.basis in (permit.basis, "tracking")
    return NOT_PERMITTED in flags or (LATE in flags) != late or not basis
