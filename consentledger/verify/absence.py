"""Step 4, last: no entry of a contact exists behind those shown, by the log's own indexes and by its tail.

The contact's next label, n, must be absent from every `log.index`, whose ranges cover the log from entry 0 without
gap, and the leaves behind the last of them must all be in the bundle, where the check of labels has looked for n.
The labels below n must be in the indexes: an index that leaves out what is shown is caught.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from typing import Any

from consentledger.kernel.errors import VerificationError
from consentledger.ledger import strict
from consentledger.ledger.absence import (
    RULE,
    Index,
    Labels,
    Place,
    check_cover,
    read_index,
    verify_absent,
    verify_place,
)
from consentledger.ledger.bundle import Bundle, from_json
from consentledger.ledger.checkpoint import Checkpoint
from consentledger.ledger.leaf import label
from consentledger.verify.chain import Labelled
from consentledger.verify.entries import Entry, Found
from consentledger.verify.report import Report

Ranges = Sequence[tuple[int, Index]]
"""Every `log.index` of a bundle, as (index of the entry, what it says)."""


def absence_range(entry: int, labels: Labels, key: bytes, shown: Sequence[int], n: int) -> object:
    """Returns what a bundle says of one range: `shown` are the numbers of the contact's labels in it.

    Raises ValueError when the labels are not so.
    """
    left, right = labels.around(label(key, n))
    return {
        "entry": entry,
        "left": place_json(left),
        "present": [place_json(labels.place(label(key, one))) for one in shown],
        "right": place_json(right),
    }


def absence_file(contact: str, n: int, ranges: Sequence[object]) -> dict[str, object]:
    """Returns the content of `absence/<contact>.json`."""
    return {"contact": contact, "label": n, "ranges": list(ranges)}


def check_absence(
    bundle: Bundle,
    found: Found,
    checkpoint: Checkpoint,
    labelled: Mapping[str, Labelled],
    report: Report,
) -> None:
    """Checks `absence/`, and says so where a bundle shows nothing of the kind."""
    paths = list(bundle.paths("absence"))
    before = report.failures
    ranges = _ranges(found.entries, report) if paths else []
    end = ranges[-1][1].size if ranges else 0
    _check_tail_files(bundle, found, end if paths else checkpoint.size, report)
    for path in paths:
        with report.step(4, path):
            contact = path.removeprefix("absence/").removesuffix(".json")
            key_path = f"labels/{contact}.json"
            if key_path not in bundle:
                raise VerificationError("the key of these labels is not in the bundle", rule=RULE)
            if key_path not in labelled or report.failures != before:
                continue  # what is wrong was said already
            _check_tail(found, end, checkpoint.size)
            one = labelled[key_path]
            _check_contact(bundle.read(path), contact, one, ranges)
            report.passed(4, _sentence(contact, one, checkpoint.size, len(ranges), end))
    if not paths:
        report.noted(
            4,
            "That no later entry of the contact exists is not shown: the bundle holds no absence/.",
        )


def _sentence(contact: str, one: Labelled, size: int, ranges: int, end: int) -> str:
    return (
        f"No later entry under contact {contact} exists in this log up to {size} entries: label"
        f" {len(one.indexes)} is in none of its {ranges} indexes, nor in the {size - end} entries behind"
        " them. A stop filed under another contact, or never logged, is not excluded; that an index"
        " lists every label is for whoever holds the whole log to check."
    )


def _ranges(entries: Sequence[Entry], report: Report) -> list[tuple[int, Index]]:
    """Every `log.index`; each must begin where the one before it ends."""
    found: list[tuple[int, Index]] = []
    end = 0
    for entry in entries:
        if entry.kind.name == "log.index":
            with report.step(4, entry.file):
                index = read_index(entry.parsed.plain, entry.index)
                found.append((entry.index, index))
                begins, end = end, index.size
                check_cover([index], begins)
    return found


def _check_tail_files(bundle: Bundle, found: Found, end: int, report: Report) -> None:
    """Files of the tail are leaves behind the last index, of entries that are not shown anyway."""
    shown = {entry.index for entry in found.entries}
    for path in bundle.paths("tail"):
        index = int(path[len("tail/") : -len(".tlog-proof")])
        if index < end or index in shown:
            error = VerificationError("nothing asks for this leaf", rule=RULE, file=path)
            report.failed(4, error)


def _check_tail(found: Found, end: int, size: int) -> None:
    shown = {entry.index for entry in found.entries} | found.beside
    for index in range(
        end, size
    ):  # ends at the first that is missing, however large the tree claims to be
        if index not in shown:
            raise VerificationError(
                f"entry {index} stands behind the last log.index, and is not in the bundle",
                rule=RULE,
            )


def _check_contact(data: bytes, contact: str, one: Labelled, ranges: Ranges) -> None:
    value = from_json(data)
    if not isinstance(value, dict) or value.keys() != {"contact", "label", "ranges"}:
        raise VerificationError("the file has other members", rule=RULE)
    if value["contact"] != contact:
        raise VerificationError("the file is about another contact", rule=RULE)
    n = len(one.indexes)
    if type(value["label"]) is not int or value["label"] != n:
        raise VerificationError(f"not label {n} is shown to be absent", rule=RULE)
    told = value["ranges"]
    if type(told) is not list or len(told) != len(ranges):
        raise VerificationError("not every log.index is looked into", rule=RULE)
    for part, (entry, index) in zip(told, ranges, strict=True):
        if not isinstance(part, dict) or part.keys() != {"entry", "left", "present", "right"}:
            raise VerificationError("a range has other members", rule=RULE)
        if type(part["entry"]) is not int or part["entry"] != entry:
            raise VerificationError(f"the log.index of entry {entry} is not looked into", rule=RULE)
        try:
            verify_absent(
                index, label(one.key, n), read_place(part["left"]), read_place(part["right"])
            )
            _check_present(part["present"], one, index)
        except VerificationError as error:
            raise VerificationError(
                f"in the log.index of entry {entry}: {error}", rule=RULE
            ) from error


def _check_present(told: Any, one: Labelled, index: Index) -> None:
    inside = [n for n, i in enumerate(one.indexes) if index.first <= i < index.size]
    if type(told) is not list or len(told) != len(inside):
        raise VerificationError("not every entry shown has its label in it", rule=RULE)
    for n, part in zip(inside, told, strict=True):
        place = read_place(part)
        if place is None or place.label != label(one.key, n):
            raise VerificationError(f"label {n} is not shown to be in it", rule=RULE)
        verify_place(index, place)


def read_place(value: Any, rule: str = RULE) -> Place | None:
    """Reads what `place_json` wrote, strictly."""
    if value is None:
        return None
    if not isinstance(value, dict) or value.keys() != {"label", "path", "position"}:
        raise VerificationError("a place has other members", rule=rule)
    position, path, mark = value["position"], value["path"], value["label"]
    if type(position) is not int or type(path) is not list or type(mark) is not str:
        raise VerificationError("a place is malformed", rule=rule)
    if not all(type(hash_) is str for hash_ in path):
        raise VerificationError("a path is malformed", rule=rule)
    return Place(
        position,
        strict.base64_url(mark, rule=rule, what="a label", length=32),
        tuple(strict.base64_standard(one, rule=rule, what="a hash", length=32) for one in path),
    )


def place_json(place: Place | None) -> dict[str, object] | None:
    """Returns a place as it stands in the file."""
    if place is None:
        return None
    return {
        "label": strict.to_base64_url(place.label),
        "path": [base64.b64encode(hash_).decode("ascii") for hash_ in place.path],
        "position": place.position,
    }
