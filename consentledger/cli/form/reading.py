"""Reads a form's TOML file into a plan; every slip is named with its file, its key and a reason."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any, NoReturn
from uuid import UUID

from consentledger.kernel.errors import InputError
from consentledger.organisations.facts import FormField, SenderIdentity
from consentledger.organisations.studio.boxes import BoxPlan
from consentledger.organisations.studio.making import FormPlan
from consentledger.organisations.wordings import WordingText

MAX_BYTES = 1_000_000
FORM = ("name", "language", "sender", "origins", "returns", "inputs", "withdrawal", "notice", "box")
TRANSLATION = ("language", "withdrawal", "notice", "box")
BOX = (
    "purpose",
    "title",
    "statement",
    "withdrawal",
    "controllers",
    "notice",
    "class",
    "categories",
)
NOTICE = ("text", "file", "url")
SENDER = tuple(each.name for each in fields(SenderIdentity))
OPTIONAL_OF_SENDER = ("contact_phone", "colour", "privacy_url")


@dataclass(frozen=True, slots=True)
class Table:
    """One table of a TOML file, with the key that leads to it."""

    file: Path
    path: str
    values: Mapping[str, Any]

    def wrong(self, key: str, reason: str, message: str) -> NoReturn:
        """Raises the error that names file, key and reason."""
        raise InputError(
            f"{self.file.name}: {self.path}{key}: {message}",
            field=f"{self.path}{key}",
            reason=reason,
        )

    def only(self, known: Iterable[str]) -> None:
        """Refuses keys that mean nothing here: a slip of the pen must not be lost."""
        for key in self.values:
            if key not in known:
                self.wrong(
                    key, "unknown", f"there is no such key here; there is: {', '.join(known)}"
                )

    def text(self, key: str, default: str | None = None) -> str:
        """Reads a text; without a default it must be there."""
        if key not in self.values and default is not None:
            return default
        found = self.values.get(key)
        if found is None:
            self.wrong(key, "missing", "write it down")
        if not isinstance(found, str):
            self.wrong(key, "type", "must be a text between quotes")
        return found

    def maybe(self, key: str) -> str | None:
        """Reads a text that may be left out."""
        return self.text(key) if key in self.values else None

    def texts(self, key: str) -> tuple[str, ...]:
        """Reads a list of texts; left out, it is empty."""
        found = self.values.get(key, [])
        if not isinstance(found, list) or not all(isinstance(each, str) for each in found):
            self.wrong(key, "type", 'must be a list of texts such as ["a", "b"]')
        return tuple(found)

    def table(self, key: str) -> Table | None:
        """Reads a table below this one."""
        found = self.values.get(key)
        if found is None:
            return None
        if not isinstance(found, dict):
            self.wrong(key, "type", f"must be a table: [{self.path}{key}]")
        return Table(self.file, f"{self.path}{key}.", found)

    def tables(self, key: str) -> list[Table]:
        """Reads a list of tables; there must be at least one."""
        found = self.values.get(key)
        if not found:
            self.wrong(key, "missing", f"write at least one [[{key}]]")
        if not isinstance(found, list) or not all(isinstance(each, dict) for each in found):
            self.wrong(key, "type", f"must be tables: [[{key}]]")
        return [
            Table(self.file, f"{self.path}{key}.{number}.", each)
            for number, each in enumerate(found, 1)
        ]


def opened(file: Path) -> Table:
    """Reads a TOML file; InputError when it can't be read or is no TOML."""
    data = _bytes(file)
    try:
        return Table(file, "", tomllib.loads(data.decode("utf-8")))
    except (UnicodeDecodeError, tomllib.TOMLDecodeError, RecursionError) as error:
        raise InputError(
            f"{file.name} is no TOML: {error}", field="file", reason="malformed"
        ) from error


def _bytes(file: Path) -> bytes:
    try:
        with file.open("rb") as found:
            data = found.read(MAX_BYTES + 1)
    except OSError as error:
        raise InputError(
            f"{file} can't be read: {error.strerror}", field="file", reason="unreadable"
        ) from error
    if len(data) > MAX_BYTES:
        raise InputError(
            f"{file.name} is larger than {MAX_BYTES} bytes", field="file", reason="too_large"
        )
    return data


def form_plan(file: Path, organisation_id: UUID, actor: str) -> FormPlan:
    """Reads the file of a whole form."""
    root = opened(file)
    root.only(FORM)
    names = [name for name in root.texts("inputs") if name != "email"]
    return FormPlan(
        organisation_id=organisation_id,
        actor=actor,
        language=root.text("language"),
        boxes=_boxes(root),
        sender=_sender(root),
        fields=(FormField("email", True), *(FormField(name, False) for name in names)),
        origins=root.texts("origins"),
        returns=root.texts("returns"),
        name=root.maybe("name"),
    )


def translation_plan(file: Path, organisation_id: UUID, actor: str) -> FormPlan:
    """Reads the file of a translation: its language and its words, all else is the first form's."""
    root = opened(file)
    root.only(TRANSLATION)
    return FormPlan(organisation_id, actor, root.text("language"), _boxes(root))


def _sender(root: Table) -> str | SenderIdentity | None:
    if isinstance(root.values.get("sender"), str):
        return root.text("sender")
    table = root.table("sender")
    if table is None:
        return None
    table.only(SENDER)
    if set(table.values) == {"name"}:
        return table.text("name")
    values: dict[str, Any] = {}
    for key in SENDER:
        values[key] = table.maybe(key) if key in OPTIONAL_OF_SENDER else table.text(key)
    return SenderIdentity(**values)


def _boxes(root: Table) -> tuple[BoxPlan, ...]:
    shared = _notice(root)
    withdrawal = root.text("withdrawal", "")
    return tuple(_box(table, withdrawal, shared) for table in root.tables("box"))


def _box(table: Table, withdrawal: str, shared: WordingText) -> BoxPlan:
    table.only(BOX)
    own = _notice(table) if "notice" in table.values else shared
    text = replace(
        own,
        controllers=table.texts("controllers"),
        statement=table.text("statement"),
        withdrawal=table.text("withdrawal", withdrawal),
    )
    categories = table.texts("categories") if "categories" in table.values else None
    return BoxPlan(
        table.text("title"), text, table.maybe("purpose"), table.maybe("class"), categories
    )


def _notice(table: Table) -> WordingText:
    """The notice's text, from the file itself or from one beside it, and where it is online."""
    found = table.table("notice")
    if found is None:
        return WordingText((), "", "", "")
    found.only(NOTICE)
    if "file" not in found.values:
        return WordingText((), "", "", found.text("text"), found.maybe("url"))
    if "text" in found.values:
        found.wrong("file", "double", "write the text or name a file, not both")
    beside = found.file.parent / found.text("file")
    try:
        text = _bytes(beside).decode("utf-8")
    except (InputError, UnicodeDecodeError) as error:
        found.wrong("file", "unreadable", str(error))
    return WordingText((), "", "", text, found.maybe("url"))
