"""Which imports of registers a batch looked into: its entry must name the newest below it, and all of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from consentledger.law.rulebook import Rulebook
from consentledger.ledger import strict
from consentledger.verify.entries import Entry
from consentledger.verify.times import instant

RULE = "register"


@dataclass(frozen=True, slots=True)
class Looked:
    """By code: the import that was looked into (index of its entry), and when it was true."""

    indexes: Mapping[str, int]
    registers: tuple[tuple[str, datetime], ...]


def looked_into(entry: Entry, rulebook: Rulebook, entries: Sequence[Entry]) -> Looked:
    """Reads what a batch says of registers, and holds it against the imports below it.

    A register that adopted packs look into may not be left out once it was imported: that would look like one that
    was never imported, and hide whom it lists.
    """
    wanted = registers_of(rulebook, entry.need("channel"))
    newest: dict[str, Entry] = {}
    for one in entries:
        if one.kind.name == "register.imported" and one.index < entry.index and one.is_told:
            newest[one.need("register")] = one
    indexes: dict[str, int] = {}
    registers = []
    for text in entry.texts("registers"):
        code, as_of, index = _parts(entry, text)
        found = newest.get(code)
        if found is None or found.index != index or found.need("as_of") != as_of:
            raise entry.wrong(f"it names an import of {code} that is not the newest below", RULE)
        indexes[code] = index
        registers.append((code, instant(as_of)))
    if indexes.keys() != wanted & newest.keys():
        raise entry.wrong("it does not name the registers that its rules look into", RULE)
    return Looked(indexes, tuple(registers))


def registers_of(rulebook: Rulebook, channel: str) -> frozenset[str]:
    """Returns the codes of the registers that adopted packs look into for a channel."""
    found = set()
    for adopted in rulebook.adopted:
        regime = adopted.pack.regime.get(channel)
        if regime is not None and regime.register is not None:
            found.add(regime.register)
        found |= {
            register.code
            for register in adopted.pack.registers
            if register.must_check and channel in register.channels
        }
    return frozenset(found)


def _parts(entry: Entry, text: str) -> tuple[str, str, int]:
    parts = text.split(" ")
    if len(parts) != 3:
        raise entry.wrong("what it says of a register is malformed", RULE)
    return parts[0], parts[1], strict.decimal(parts[2], rule=RULE, what="an entry's index")
