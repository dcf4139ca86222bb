"""How rule packs are printed for a person at a terminal: headings, wrapped lines, nothing that needs a colour."""

from __future__ import annotations

from collections.abc import Iterable

from babel import Locale
from rich.console import Console
from rich.rule import Rule
from rich.table import Table
from rich.text import Text

from consentledger.law.pack import Pack
from consentledger.law.reading.comparing import Change
from consentledger.law.reading.packs import is_published
from consentledger.law.telling.pages import Told, tell
from consentledger.law.telling.words import CONFIDENCES, KINDS, STATUSES, Name, say, word

WIDEST = 100
NOT_ADVICE = "This is no legal advice."


def console() -> Console:
    """A console as wide as the terminal, 80 columns where there is none, never wider than one can read."""
    made = Console(highlight=False, soft_wrap=False)
    made.width = min(made.width, WIDEST)
    return made


def spoken(line: object) -> str:
    """A sentence in English."""
    return say(line, naming=_english)


def _english(name: Name) -> str:
    known = Locale.parse("en")
    return str(known.languages.get(name.code, name.code))


def show_pack(out: Console, pack: Pack) -> None:
    """Prints everything that a pack says."""
    _head(out, pack)
    for topic in tell(pack):
        _heading(out, spoken(topic.heading))
        for number, rule in enumerate(topic.rules):
            if number:
                out.print()
            _rule(out, rule)
    _complaints(out, pack)
    if pack.outside:
        _heading(out, "What these rules leave out")
        _indented(out, pack.outside)
    _sources(out, pack)


def show_changes(out: Console, before: Pack, after: Pack, changes: Iterable[Change]) -> None:
    """Prints what one version says otherwise than another."""
    out.print(Text(f"{before.name} → {after.name}", style="bold"))
    for change in changes:
        _indented(out, change.key)
        _indented(out, f"- {change.before or '(nothing)'}", 4, hang=2)
        _indented(out, f"+ {change.after or '(nothing)'}", 4, hang=2)
    if before.name == after.name:
        out.print("  Both are the same version.")


def pack_table(rows: Iterable[tuple[str, ...]], *, adopted: bool) -> Table:
    """Returns a table of packs: name, title, status, confidence, and what was adopted."""
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column("pack", no_wrap=True)
    table.add_column("for", overflow="fold")
    table.add_column("status", no_wrap=True)
    table.add_column("confidence", no_wrap=True)
    table.add_column("reviewed", no_wrap=True)
    if adopted:
        table.add_column("adopted", overflow="fold")
    for row in rows:
        table.add_row(*(Text(cell) for cell in row))
    return table


def _head(out: Console, pack: Pack) -> None:
    out.print(Rule(Text(f"{pack.title} ({pack.name})"), align="left", characters="="))
    status = spoken(word(STATUSES, pack.status))
    until = f" to {pack.valid_until}" if pack.valid_until else ""
    _indented(out, f"Status: {status}, in force from {pack.valid_from}{until}.", 0)
    confidence = spoken(word(CONFIDENCES, pack.confidence))
    _indented(out, f"Confidence: {confidence}. Last review: {pack.reviewed_on}.", 0)
    if pack.status == "draft":
        _indented(out, "Draft: until it is checked in full, its exception is off.", 0)
    if pack.countries:
        _indented(out, f"Countries: {', '.join(pack.countries)}.", 0)
    if pack.parent is not None:
        _indented(out, f"What it does not say itself comes from {pack.parent}.", 0)
    known = "published by the project" if is_published(pack) else "not published by the project"
    _indented(out, f"File: {known}, SHA-256 {pack.hash[:32]}…", 0)
    _indented(out, NOT_ADVICE, 0)


def _heading(out: Console, text: str) -> None:
    out.print()
    out.print(Text(text, style="bold"))


def _rule(out: Console, rule: Told) -> None:
    _indented(out, rule.says)
    for line in rule.lines:
        _indented(out, f"- {spoken(line)}", 4, hang=2)
    _indented(out, f"[{', '.join(rule.citations)}]")


def _complaints(out: Console, pack: Pack) -> None:
    _heading(out, "Where to complain")
    for one in pack.complaints:
        _indented(out, f"- {one.name}", hang=2)
        if one.url:
            _indented(out, one.url, 4)
    if not pack.complaints:
        _indented(out, "No authority is on record here.")
    if pack.penalty:
        _indented(out, f"What a breach may cost: {pack.penalty}")


def _sources(out: Console, pack: Pack) -> None:
    _heading(out, "Sources")
    for source in pack.citations.values():
        section = f", {source.section}" if source.section else ""
        _indented(out, f"[{source.id}] {source.title}{section}", hang=2)
        if source.url:
            _indented(out, source.url, 4)
        _indented(out, spoken(word(KINDS, source.kind)), 4)


def _indented(out: Console, text: str, indent: int = 2, *, hang: int = 0) -> None:
    """Prints a paragraph behind an indent, its further lines a little deeper."""
    lines = Text(text).wrap(out, max(20, out.width - indent - hang), overflow="fold")
    for number, line in enumerate(lines):
        line.rstrip()
        out.print(Text(" " * (indent + (hang if number else 0))) + line, no_wrap=True, crop=False)
