"""Step 5, the registers: whether an import lists a recipient is shown by its tree, not taken on trust."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from consentledger.kernel.errors import VerificationError
from consentledger.ledger.absence import Place, verify_absent, verify_place
from consentledger.ledger.bundle import Bundle, from_json
from consentledger.ledger.register import (
    RULE,
    Imported,
    entry_hash,
    fold_stored,
    read_imported,
    texts_of,
)
from consentledger.verify.absence import place_json, read_place
from consentledger.verify.entries import Entry
from consentledger.verify.report import Report

Listed = Mapping[tuple[int, str], bool]
"""By (index of a `register.imported`, contact): whether that import lists the contact's address."""


def register_file(
    register: str, entry: int, contact: str, looked: Sequence[tuple[Place | None, Place | None]]
) -> dict[str, object]:
    """Returns the content of `registers/<code>@<entry>.json`.

    `looked` has a pair for every text by which the register can list the contact's address, in the order of
    ledger.register.texts_of: the text's own place and None, or its neighbours.
    """
    return {
        "contact": contact,
        "entry": entry,
        "looked": [[place_json(left), place_json(right)] for left, right in looked],
        "register": register,
    }


def check_registers(bundle: Bundle, entries: Sequence[Entry], report: Report) -> Listed:
    """Checks every `registers/` file; returns what they show, for the decisions that rest on it."""
    imported: dict[int, Imported] = {}
    for entry in entries:
        if entry.kind.name == "register.imported" and entry.is_told:
            with report.step(5, entry.file):
                imported[entry.index] = read_imported(entry.values, entry.parsed.plain)
    addresses = _addresses(entries)
    found: dict[tuple[int, str], bool] = {}
    before = report.failures
    for path in bundle.paths("registers"):
        with report.step(5, path):
            index, contact, listed = _read(bundle.read(path), path, imported, addresses)
            found[index, contact] = listed
    if found:
        there = sum(found.values())
        report.passed(
            5,
            f"In {len(found)} imports of registers it is shown by their roots whether the address is listed:"
            f" it is in {there}.",
            since=before,
        )
    return found


def _addresses(entries: Sequence[Entry]) -> dict[str, str]:
    """The address of each contact, as its entries tell it."""
    found = {}
    for entry in entries:
        contact, address = entry.text("contact"), entry.text("address")
        if contact is not None and address is not None:
            found[contact] = address
    return found


def _read(
    data: bytes, path: str, imported: Mapping[int, Imported], addresses: Mapping[str, str]
) -> tuple[int, str, bool]:
    value: Any = from_json(data)
    if not isinstance(value, dict) or value.keys() != {"contact", "entry", "looked", "register"}:
        raise VerificationError("the file has other members", rule=RULE)
    index, contact, looked = value["entry"], value["contact"], value["looked"]
    if type(index) is not int or type(contact) is not str or type(looked) is not list:
        raise VerificationError("a member of the file has the wrong type", rule=RULE)
    if path != f"registers/{value['register']}@{index}.json":
        raise VerificationError("the file is named after another import", rule=RULE)
    one = imported.get(index)
    if one is None or one.register != value["register"]:
        raise VerificationError(f"entry {index} imported no such register", rule=RULE)
    if contact not in addresses:
        raise VerificationError("no entry shows the contact's address", rule=RULE)
    texts = texts_of(fold_stored(addresses[contact]), one.matched)
    if len(looked) != len(texts):
        raise VerificationError("not every way to list the address is looked for", rule=RULE)
    shown = [_is_listed(one, text, pair) for text, pair in zip(texts, looked, strict=True)]
    return index, contact, any(shown)


def _is_listed(one: Imported, text: str, pair: Any) -> bool:
    if type(pair) is not list or len(pair) != 2:
        raise VerificationError("the file shows no two neighbours", rule=RULE)
    left, right = (read_place(each, RULE) for each in pair)
    wanted = entry_hash(one.salt, text)
    if left is not None and left.label == wanted:
        verify_place(one.tree, left)
        return True
    verify_absent(one.tree, wanted, left, right)
    return False
