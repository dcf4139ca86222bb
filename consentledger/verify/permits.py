"""Step 5: every shown permit is in its batch, and is decided again by the rules of the bundle."""

from __future__ import annotations

import base64
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from consentledger.kernel.errors import VerificationError
from consentledger.ledger import merkle, strict
from consentledger.ledger.bundle import Bundle, from_json
from consentledger.ledger.first_permit import first_permit_line_hash, parse_first_permit
from consentledger.ledger.permit import parse_permit, permit_line_hash
from consentledger.verify.asserted import Asserted
from consentledger.verify.decisions import Case, Shown, decide_again, open_case
from consentledger.verify.entries import Entry
from consentledger.verify.first_permits import decide_first_again
from consentledger.verify.report import Report
from consentledger.verify.rulebook import Rules
from consentledger.verify.story import Story
from consentledger.verify.times import instant

RULE = "permit"
MAX_VALID = timedelta(hours=24)
_MEMBERS = {"batch", "disclosure", "path", "permit", "row"}


@dataclass(frozen=True, slots=True)
class _Rows:
    """One permit file: the batch's entry, and the line with its path in the batch's tree."""

    batch: int
    permit: str
    row: int
    disclosure: str
    path: tuple[bytes, ...]


def check_permits(
    bundle: Bundle,
    entries: Sequence[Entry],
    stories: Mapping[str, Story],
    rules: Rules,
    report: Report,
    shown: Shown,
) -> None:
    """Checks every permit file: inclusion in its batch, then the decision, from the replayed facts."""
    batches = _Batches(entries, rules)
    said: Counter[str] = Counter()
    only = Asserted()
    before = report.failures
    for path in bundle.paths("permits"):
        with report.step(5, path):
            rows = _read_rows(bundle.read(path), path)
            entry = batches.entry(rows.batch)
            _check_life(entry)
            if entry.kind.version == 1:
                first = parse_first_permit(rows.disclosure)
                _check_inclusion(rows, entry)
                _check_id(first.permit, first.row, rows, entry)
                only.add(decide_first_again(first, entry, stories, rules.first))
                said["allow" if first.allowed else "deny"] += 1
            else:
                permit = parse_permit(rows.disclosure)
                _check_inclusion(rows, entry)
                _check_id(permit.permit, permit.row, rows, entry)
                only.add(decide_again(permit, batches.case(rows.batch), stories, shown))
                said[permit.verdict] += 1
    if said:
        report.passed(5, _summary(said), since=before)
    only.tell(report)


class _Batches:
    """The batches of a bundle, each opened once."""

    def __init__(self, entries: Sequence[Entry], rules: Rules) -> None:
        self._entries, self._rules = entries, rules
        self._batches = {one.index: one for one in entries if one.kind.name == "permits.issued"}
        self._cases: dict[int, Case] = {}

    def entry(self, index: int) -> Entry:
        found = self._batches.get(index)
        if found is None:
            raise VerificationError(f"its batch, entry {index}, is not in the bundle", rule=RULE)
        return found

    def case(self, index: int) -> Case:
        if index not in self._cases:
            self._cases[index] = open_case(self.entry(index), self._rules, self._entries)
        return self._cases[index]


def _summary(said: Counter[str]) -> str:
    reviews = f", {said['review']} for review" if said["review"] else ""
    return (
        f"{said['allow']} permits and {said['deny']} denials{reviews} are in their batches, and the rules decide"
        " each the same way again. A message without a permit proves only that none was given."
    )


def _read_rows(data: bytes, path: str) -> _Rows:
    value: Any = from_json(data)
    if not isinstance(value, dict) or value.keys() != _MEMBERS:
        raise VerificationError("a permit file has other members", rule=RULE)
    hashes = value["path"]
    if (
        type(value["batch"]) is not int
        or type(value["row"]) is not int
        or not all(type(value[name]) is str for name in ("permit", "disclosure"))
        or not isinstance(hashes, list)
        or not all(type(item) is str for item in hashes)
    ):
        raise VerificationError("a member of a permit file has the wrong type", rule=RULE)
    if path != f"permits/{value['permit']}.json":
        raise VerificationError("the file is named after another permit", rule=RULE)
    proof = tuple(
        strict.base64_standard(item, rule=RULE, what="a hash", length=32) for item in hashes
    )
    return _Rows(value["batch"], value["permit"], value["row"], value["disclosure"], proof)


def _check_inclusion(rows: _Rows, entry: Entry) -> None:
    plain = entry.parsed.plain
    count = strict.decimal(plain["count"], rule=RULE, what="the batch's count")
    root = strict.hex32(plain["root"], rule=RULE, what="the batch's root")
    hashed = first_permit_line_hash if entry.kind.version == 1 else permit_line_hash
    merkle.verify_inclusion(hashed(rows.disclosure), rows.row, count, rows.path, root)


def _check_id(permit: str, row: int, rows: _Rows, entry: Entry) -> None:
    if (permit, row) != (rows.permit, rows.row):
        raise VerificationError("the line is about another permit", rule=RULE)
    number = strict.base64_url(permit, rule=RULE, what="the permit's id", length=12)
    batch = strict.base64_url(entry.need("batch"), rule=RULE, what="the batch's id", length=6)
    if number[4:10] != batch or int.from_bytes(number[10:], "big") != row:
        raise VerificationError("the permit's id is of another batch or row", rule=RULE)


def _check_life(entry: Entry) -> None:
    life = instant(entry.need("valid_until")) - instant(entry.need("at"))
    if not timedelta(0) < life <= MAX_VALID:
        raise VerificationError("the permit lives longer than 24 hours, or not at all", rule=RULE)


def permit_file(
    *, batch: int, permit: str, row: int, disclosure: str, path: Sequence[bytes]
) -> dict[str, Any]:
    """Returns what `permits/<id>.json` holds: entry of the batch, line and path inside the batch."""
    return {
        "batch": batch,
        "disclosure": disclosure,
        "path": [base64.b64encode(hash_).decode("ascii") for hash_ in path],
        "permit": permit,
        "row": row,
    }
