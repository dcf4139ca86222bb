"""Which of an organisation's entries one person's evidence rests on: pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from consentledger.verify.coverage import read_erasure, read_retention
from consentledger.verify.entries import Entry

ALWAYS = frozenset(
    {
        "log.genesis",
        "log.key",
        "organisation.changed",
        "configuration.changed",
        "pack.adopted",
        "categories.published",
    }
)
ENDS = ("log.erasure/", "log.retention/")
PUBLISHED = frozenset(
    {
        "sender.published",
        "purpose.published",
        "wording.published",
        "form.published",
        "register.imported",
    }
)


@dataclass(frozen=True, slots=True)
class Referenced:
    """The ids that a person's entries and permits name."""

    senders: set[str] = field(default_factory=set)
    purposes: set[str] = field(default_factory=set)
    wordings: set[str] = field(default_factory=set)
    forms: set[tuple[str, int]] = field(default_factory=set)
    registers: set[str] = field(default_factory=set)

    def add(self, entry: Entry) -> None:
        """Takes what one entry names."""
        self.senders.update(filter(None, [entry.text("sender")]))
        self.purposes.update(filter(None, [entry.text("purpose"), *entry.texts("purposes")]))
        self.wordings.update(filter(None, [entry.text("wording_id"), *entry.texts("wordings")]))
        # Only of those that a shown batch looked into: each import tells the salt that its register is hashed with.
        self.registers.update(text.partition(" ")[0] for text in entry.texts("registers"))
        form, version = entry.text("form"), entry.values.get("form_version")
        if form is not None and type(version) is int:
            self.forms.add((form, version))


def rests_on(entry: Entry, named: Referenced) -> bool:
    """Tells whether an entry of the organisation belongs into the bundle."""
    name = entry.kind.name
    if name in ALWAYS:
        return True
    if name == "register.imported":
        return entry.text("register") in named.registers
    if name == "sender.published":
        return entry.text("sender") in named.senders
    if name == "purpose.published":
        return entry.text("purpose") in named.purposes
    if name == "wording.published":
        return entry.text("wording") in named.wordings
    if name == "form.published":
        version = entry.values.get("version")
        return (entry.text("form"), version) in named.forms
    return False


def covering(erasures: Iterable[Entry], shut: Sequence[Entry]) -> list[Entry]:
    """Returns the erasures and retentions that excuse what does not open of these entries."""
    return [
        entry
        for entry in erasures
        if any(_covers(entry, one, opening) for one in shut for opening in _missing(one))
    ]


def _covers(entry: Entry, one: Entry, opening: str) -> bool:
    if entry.kind.name == "log.retention":
        return read_retention(entry).covers(one, opening)
    return read_erasure(entry).covers(one.index, opening)


def _missing(entry: Entry) -> set[str]:
    missing = {f.opening for f in entry.kind.fields if f.name not in entry.values}
    return missing | ({"copy"} if entry.kind.blobs else set())
