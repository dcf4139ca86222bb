"""Which of an organisation's entries one person's evidence rests on: pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from consentledger.verify.coverage import read_erasure
from consentledger.verify.entries import Entry

ALWAYS = frozenset(
    {
        "log.genesis",
        "log.key",
        "organisation.changed",
        "configuration.changed",
        "pack.adopted",
    }
)
PUBLISHED = frozenset(
    {"sender.published", "purpose.published", "wording.published", "form.published"}
)


@dataclass(frozen=True, slots=True)
class Referenced:
    """The ids that a person's entries and permits name."""

    senders: set[str] = field(default_factory=set)
    purposes: set[str] = field(default_factory=set)
    wordings: set[str] = field(default_factory=set)
    forms: set[tuple[str, int]] = field(default_factory=set)

    def add(self, entry: Entry) -> None:
        """Takes what one entry names."""
        self.senders.update(filter(None, [entry.text("sender")]))
        self.purposes.update(filter(None, [entry.text("purpose"), *entry.texts("purposes")]))
        self.wordings.update(filter(None, [entry.text("wording_id"), *entry.texts("wordings")]))
        form, version = entry.text("form"), entry.values.get("form_version")
        if form is not None and type(version) is int:
            self.forms.add((form, version))


def rests_on(entry: Entry, named: Referenced) -> bool:
    """Tells whether an entry of the organisation belongs into the bundle."""
    name = entry.kind.name
    if name in ALWAYS:
        return True
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
    """Returns the erasures that excuse what does not open of these entries."""
    found = []
    for entry in erasures:
        erasure = read_erasure(entry)
        if any(erasure.covers(one.index, opening) for one in shut for opening in _missing(one)):
            found.append(entry)
    return found


def _missing(entry: Entry) -> set[str]:
    missing = {f.opening for f in entry.kind.fields if f.name not in entry.values}
    return missing | ({"copy"} if entry.kind.blobs else set())
