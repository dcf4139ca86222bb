"""What is read from a question about registers, and how its answer is told: by the API and by --json alike."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from consentledger.kernel.clock import to_text
from consentledger.kernel.errors import InputError
from consentledger.registers.freshness import Freshness
from consentledger.registers.service import Imported


def instant(text: str) -> datetime:
    """Reads an instant with its zone, as RFC 3339 writes it; InputError else."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError as error:
        raise _no_instant() from error
    if found.tzinfo is None:
        raise _no_instant()
    return found.astimezone(UTC)


def _no_instant() -> InputError:
    return InputError(
        "as_of: an instant with its zone, such as 2026-11-21T06:00:00+01:00",
        field="as_of",
        reason="format",
    )


def pair(text: str | None) -> tuple[str, str] | None:
    """Reads `COLUMN=VALUE`; InputError else."""
    if text is None:
        return None
    name, equals, value = text.partition("=")
    if not name or not equals:
        raise InputError("where: COLUMN=VALUE", field="where", reason="format")
    return name, value


def import_answer(done: Imported) -> dict[str, Any]:
    """An import, done."""
    return {
        "register": done.register,
        "as_of": to_text(done.as_of),
        "count": done.count,
        "added": done.added,
        "removed": done.removed,
        "entry_index": done.entry_index,
        "root": done.root.hex(),
        "repeated": done.repeated,
    }


def fresh_answer(one: Freshness) -> dict[str, Any]:
    """A register, and how fresh it is."""
    imported = one.imported
    return {
        "register": one.register,
        "name": one.name,
        "url": one.url,
        "packs": list(one.packs),
        "max_age_days": one.max_age_days,
        "as_of": to_text(imported.as_of) if imported else None,
        "count": imported.count if imported else None,
        "entry_index": imported.entry_index if imported else None,
        "stale_at": to_text(one.stale_at) if one.stale_at else None,
        "state": one.state,
    }
