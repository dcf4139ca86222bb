"""Step 5: every shown permit is in its batch, and is decided again by the rule pack of the bundle."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from consentledger.kernel.errors import VerificationError
from consentledger.law.first.decide import decide
from consentledger.law.first.model import facts_from_states
from consentledger.ledger import merkle, strict
from consentledger.ledger.bundle import Bundle, from_json
from consentledger.ledger.first_permit import (
    FirstPermit,
    first_permit_line_hash,
    parse_first_permit,
)
from consentledger.verify.entries import Entry
from consentledger.verify.report import Report
from consentledger.verify.rulebook import PACK_RULE, FirstAdopted, Rules
from consentledger.verify.story import Story, standing_below

RULE = "permit"
DECISION = "permit.decision"
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
) -> None:
    """Checks every permit file: inclusion in its batch, then the decision, from the replayed facts."""
    batches = {entry.index: entry for entry in entries if entry.kind.name == "permits.issued"}
    allowed = denied = asserted = 0
    before = report.failures
    for path in bundle.paths("permits"):
        with report.step(5, path):
            rows = _read_rows(bundle.read(path), path)
            entry = batches.get(rows.batch)
            if entry is None:
                raise VerificationError(
                    f"its batch, entry {rows.batch}, is not in the bundle", rule=RULE
                )
            permit = _check_line(rows, entry)
            asserted += not _decide_again(permit, entry, stories, rules.first)
            allowed, denied = allowed + permit.allowed, denied + (not permit.allowed)
    if allowed or denied:
        report.passed(
            5,
            f"{allowed} permits and {denied} denials are in their batches, and the rule pack"
            " decides each the same way again.",
            since=before,
        )
    if asserted:
        report.noted(
            5,
            f"The facts of {asserted} of them are asserted, not shown: they name no contact, or"
            " entries that would show them are erased.",
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


def _check_line(rows: _Rows, entry: Entry) -> FirstPermit:
    permit = parse_first_permit(rows.disclosure)
    plain = entry.parsed.plain
    count = strict.decimal(plain["count"], rule=RULE, what="the batch's count")
    root = strict.hex32(plain["root"], rule=RULE, what="the batch's root")
    merkle.verify_inclusion(
        first_permit_line_hash(rows.disclosure), rows.row, count, rows.path, root
    )
    if (permit.permit, permit.row) != (rows.permit, rows.row):
        raise VerificationError("the line is about another permit", rule=RULE)
    number = strict.base64_url(permit.permit, rule=RULE, what="the permit's id", length=12)
    batch = strict.base64_url(entry.need("batch"), rule=RULE, what="the batch's id", length=6)
    if number[4:10] != batch or int.from_bytes(number[10:], "big") != permit.row:
        raise VerificationError("the permit's id is of another batch or row", rule=RULE)
    return permit


def _decide_again(
    permit: FirstPermit,
    entry: Entry,
    stories: Mapping[str, Story],
    rule_packs: Mapping[str, FirstAdopted],
) -> bool:
    """Decides again; tells whether the facts derive from the entries (else they are asserted)."""
    adopted = rule_packs.get(entry.need("pack"))
    if adopted is None or adopted.pack.hash != entry.need("pack_hash"):
        raise VerificationError(
            f"the rule pack {entry.need('pack')} that decided is not in the bundle", rule=PACK_RULE
        )
    if adopted.index > entry.index:
        raise VerificationError("the rule pack was adopted after the decision", rule=PACK_RULE)
    at = entry.need("at")
    shown = _check_facts(permit, entry, stories, at)
    facts = facts_from_states(
        message_class=entry.need("class"),
        channel=entry.need("channel"),
        consent_state=permit.consent_state,
        objection=permit.objection,
        contact=permit.contact,
        reasons=permit.reasons,
    )
    verdict = decide(facts, adopted.pack, _instant(at))
    if (verdict.allowed, verdict.basis, verdict.codes) != (
        permit.allowed,
        permit.basis,
        permit.reasons,
    ):
        said = "allowed" if permit.allowed else f"denied ({permit.reasons})"
        again = "allowed" if verdict.allowed else f"denied ({verdict.codes})"
        raise VerificationError(f"the permit says {said}, the rules say {again}", rule=DECISION)
    _check_end(permit, entry, at)
    return shown


def _check_facts(permit: FirstPermit, entry: Entry, stories: Mapping[str, Story], at: str) -> bool:
    """The states that the line tells must be those that the contact's entries below it give."""
    if permit.contact is None:
        return False
    story = stories.get(permit.contact)
    if story is None:
        raise VerificationError("the permit's contact has no entry in the bundle", rule=DECISION)
    standing = standing_below(story, entry.index)
    key = (entry.need("sender"), entry.need("purpose"), entry.need("channel"))
    state = standing.state(key, at)
    objection = "active" if standing.objected(key, at) else "none"
    if (state, objection) == (permit.consent_state, permit.objection):
        return story.whole
    if not story.whole:
        return False
    raise VerificationError(
        f"the permit says consent {permit.consent_state}, objection {permit.objection};"
        f" the entries before it say consent {state}, objection {objection}",
        rule=DECISION,
    )


def _check_end(permit: FirstPermit, entry: Entry, at: str) -> None:
    end = entry.need("valid_until")
    if permit.valid_until != (end if permit.allowed else None):
        raise VerificationError("the permit ends at another time than its batch", rule=RULE)
    if not timedelta(0) < _instant(end) - _instant(at) <= MAX_VALID:
        raise VerificationError("the permit lives longer than 24 hours, or not at all", rule=RULE)


def _instant(text: str) -> datetime:
    try:
        return datetime.fromisoformat(text)
    except ValueError as error:
        raise VerificationError(f"{text} is no instant", rule="time") from error


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
