"""Step 4: what a contact's entries rest on was published before, and is what the entries say."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from consentledger.verify.entries import Entry
from consentledger.verify.report import Report

RULE = "published"


@dataclass(slots=True)
class Published:
    """What the organisation has published by a point of the log, newest version last."""

    senders: dict[str, Entry] = field(default_factory=dict)
    purposes: dict[str, Entry] = field(default_factory=dict)
    wordings: dict[str, Entry] = field(default_factory=dict)
    forms: dict[tuple[str, int], Entry] = field(default_factory=dict)
    organisation: Entry | None = None

    def add(self, entry: Entry) -> None:
        """Takes one more entry of the organisation."""
        name = entry.kind.name
        if name == "organisation.changed":
            self.organisation = entry
        elif name == "sender.published":
            self.senders[entry.need("sender")] = entry
        elif name == "purpose.published":
            self.purposes[entry.need("purpose")] = entry
        elif name == "wording.published":
            self.wordings[entry.need("wording")] = entry
        elif name == "form.published":
            version = entry.values.get("version")
            if type(version) is int:
                self.forms[entry.need("form"), version] = entry


def published_by(entries: Sequence[Entry]) -> Published:
    """Returns what the organisation has published by the last of the entries."""
    published = Published()
    for entry in entries:
        if entry.is_told:
            published.add(entry)
    return published


def check_rests(entries: Sequence[Entry], report: Report) -> Published:
    """Walks the entries in order; each may only rest on what stands before it."""
    published = Published()
    for entry in entries:
        with report.step(4, entry.file):
            if not entry.is_told:
                continue
            published.add(entry)
            _check(entry, published)
    return published


def _check(entry: Entry, published: Published) -> None:
    name = entry.kind.name
    if name in ("consent.requested", "consent.confirmed", "permits.issued"):
        _need(entry, published.senders, entry.need("sender"), "sender")
        purposes = entry.texts("purposes") or [entry.need("purpose")]
        for purpose in purposes:
            found = _need(entry, published.purposes, purpose, "purpose")
            if entry.need("channel") not in found.texts("channels"):
                raise entry.wrong("the purpose is not published for this channel", RULE)
            if name == "permits.issued" and _judged_as(entry) != found.text("class"):
                raise entry.wrong("the message is of another class than the purpose", RULE)
    if name == "consent.requested":
        _check_form(entry, published)
        for wording in entry.texts("wordings"):
            _need(entry, published.wordings, wording, "wording")
    if name == "consent.confirmed":
        _check_wording(entry, published)


def _judged_as(entry: Entry) -> str | None:
    """The class of purpose that a message needs: a service message names the marketing one it may turn out to be."""
    return "marketing" if entry.text("class") == "service" else entry.text("class")


def _need(entry: Entry, known: dict[str, Entry], name: str, what: str) -> Entry:
    found = known.get(name)
    if found is None:
        raise entry.wrong(f"the {what} {name} is not published before it in the bundle", RULE)
    return found


def _check_form(entry: Entry, published: Published) -> None:
    form, version = entry.text("form"), entry.values.get("form_version")
    if form is None or type(version) is not int:
        return
    found = published.forms.get((form, version))
    if found is None:
        raise entry.wrong(f"the form {form}, version {version}, is not published before it", RULE)
    for name, theirs in (("wording", "text"), ("notice", "notice")):
        if entry.values.get(name) != found.values.get(theirs):
            raise entry.wrong(f"the {name} is not that of the form", RULE)
    if not set(entry.texts("purposes")) <= set(found.texts("purposes")):
        raise entry.wrong("a purpose is asked for that the form does not have", RULE)
    if any(not box.endswith("=empty") for box in entry.texts("boxes_before")):
        raise entry.wrong("a box was ticked beforehand (GDPR art. 4(11))", "boxes")
    ticked = {box.removesuffix("=ticked") for box in entry.texts("boxes_after") if "=ticked" in box}
    if ticked != set(entry.texts("purposes")):
        raise entry.wrong("the boxes ticked are not the purposes asked for", "boxes")
    if entry.need("sender") != found.need("sender"):
        raise entry.wrong("the sender is not the form's", RULE)


def _check_wording(entry: Entry, published: Published) -> None:
    found = _need(entry, published.wordings, entry.need("wording_id"), "wording")
    if (entry.need("sender"), entry.need("purpose")) != (
        found.need("sender"),
        found.need("purpose"),
    ):
        raise entry.wrong("the wording is for another sender or purpose", RULE)
    for name, theirs in (("wording", "text"), ("notice", "notice")):
        if entry.values.get(name) != found.values.get(theirs):
            raise entry.wrong(f"the {name} shown again is not the published one", RULE)
