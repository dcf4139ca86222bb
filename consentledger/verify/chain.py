"""Step 4, before the story: no entry of a contact is left out, by `prev` and, where shown, by label."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from consentledger.kernel.errors import VerificationError
from consentledger.ledger import strict
from consentledger.ledger.bundle import Bundle, from_json
from consentledger.ledger.leaf import label
from consentledger.verify.coverage import Erasure
from consentledger.verify.entries import Found
from consentledger.verify.report import Report

RULE = "chain"
LABEL_RULE = "label"


def check_chains(found: Found, report: Report) -> set[str]:
    """Checks each contact's `prev`; returns the contacts that have erased entries in between."""
    last: dict[str, bytes] = {}
    broken: set[str] = set()
    addresses: dict[str, str | None] = {}
    erased = {entry.leaf_hash for entry in found.entries if not entry.is_told}
    for entry in found.entries:
        contact = entry.text("contact")
        if not entry.kind.contact or "prev" not in entry.values:
            continue
        if (contact is None) != (entry.parsed.label is None):
            report.failed(4, entry.wrong("a label without a contact, or the reverse", RULE))
        elif contact is not None:
            prev = entry.text("prev")
            expected = last.get(contact)
            if prev is not None and bytes.fromhex(prev) in erased:
                broken.add(contact)
            elif prev != (expected.hex() if expected else None):
                report.failed(4, entry.wrong(_gap(prev), RULE))
            if addresses.setdefault(contact, entry.text("address")) != entry.text("address"):
                report.failed(4, entry.wrong("the contact has another address than before", RULE))
            last[contact] = entry.leaf_hash
    return broken


def _gap(prev: str | None) -> str:
    if prev is None:
        return "says that it is the contact's first, but others stand before it"
    return f"the contact's entry before it (leaf hash {prev}) is not in the bundle"


@dataclass(frozen=True, slots=True)
class Labelled:
    """A contact whose labels hold: its key, and the index of the entry with label n at place n."""

    key: bytes
    indexes: list[int]


def check_labels(
    bundle: Bundle, found: Found, erasures: Sequence[Erasure], report: Report
) -> dict[str, Labelled]:
    """Checks the labels of contacts whose label key is disclosed: none is missing, none is foreign.

    Returns the contacts of which this holds, by the path of their key.
    """
    _check_twice(found, report)
    held = {}
    for path in bundle.paths("labels"):
        with report.step(4, path):
            contact, key = _read_key(bundle.read(path), path)
            indexes = _check_contact(contact, key, found, erasures)
            held[path] = Labelled(key, indexes)
            report.passed(
                4,
                f"The labels of contact {contact} run from 0 to {len(indexes) - 1} without a gap; with"
                f" its key, label {len(indexes)} can be looked for in the whole log.",
            )
    return held


def _check_twice(found: Found, report: Report) -> None:
    seen = dict(found.company)
    for entry in found.entries:
        if entry.parsed.label is not None:
            other = seen.setdefault(entry.parsed.label, entry.index)
            if other != entry.index:
                report.failed(4, entry.wrong(f"the label is that of entry {other} too", LABEL_RULE))


def _read_key(data: bytes, path: str) -> tuple[str, bytes]:
    value = from_json(data)
    if not isinstance(value, dict) or value.keys() != {"contact", "key"}:
        raise VerificationError("a label key has other members", rule=LABEL_RULE)
    contact, key = value["contact"], value["key"]
    if type(contact) is not str or type(key) is not str or path != f"labels/{contact}.json":
        raise VerificationError("a label key is malformed", rule=LABEL_RULE)
    return contact, strict.base64_url(key, rule=LABEL_RULE, what="a label key", length=32)


def _check_contact(
    contact: str, key: bytes, found: Found, erasures: Sequence[Erasure]
) -> list[int]:
    shown = {entry.parsed.label: entry for entry in found.entries if entry.parsed.label}
    ours = {e.index for e in shown.values() if e.text("contact") == contact}
    indexes: list[int] = []
    while (mark := label(key, n := len(indexes))) in shown or mark in found.company:
        entry = shown.get(mark)
        index = entry.index if entry else found.company[mark]
        if indexes and index <= indexes[-1]:
            raise VerificationError(f"label {n} stands before label {n - 1}", rule=LABEL_RULE)
        if entry is None and not any(erasure.covers(index, "core") for erasure in erasures):
            raise VerificationError(
                f"entry {index} is this contact's, but it is not opened and not erased",
                rule=LABEL_RULE,
            )
        if entry is not None and entry.is_told and entry.text("contact") != contact:
            raise entry.wrong("carries the label of another contact", LABEL_RULE)
        ours.discard(index)
        indexes.append(index)
    if ours:
        raise VerificationError(
            f"label {n} is missing, but entry {min(ours)} is this contact's too", rule=LABEL_RULE
        )
    return indexes
