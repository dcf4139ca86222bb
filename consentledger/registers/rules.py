"""What an import of a register must be; pure."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from consentledger.kernel.clock import to_text
from consentledger.kernel.errors import ConflictError, InputError
from consentledger.registers.adapters import TEXT, Adapter

CODE = re.compile(r"[A-Z]{2}-[A-Z0-9]+(?:-[A-Z0-9]+)*\Z", re.ASCII)
LONGEST_CODE = 32
SOURCE = 500
# So long after it was replaced, an import can still be proved from; then what only it held is deleted.
KEEP = timedelta(days=1_096)
# An import that wrote nothing for so long is taken for given up.
STALLED = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class ImportRegister:
    """A register as it was true at `as_of`; `source` says where it came from; `force` lets a much smaller one in."""

    organisation_id: UUID
    register: str
    as_of: datetime
    source: str
    adapter: Adapter = field(default=TEXT)
    force: bool = False
    actor: str = "operator"


def check(command: ImportRegister, now: datetime) -> None:
    """Checks what can be said before the file is read; InputError names the field."""
    check_code(command.register)
    if command.as_of > now:
        raise InputError(
            f"as_of: {to_text(command.as_of)} is in the future", field="as_of", reason="future"
        )
    if (
        not command.source.strip()
        or len(command.source) > SOURCE
        or not command.source.isprintable()
    ):
        raise InputError(
            f"source: say in 1 to {SOURCE} characters where the register came from",
            field="source",
            reason="format",
        )


def check_code(register: str) -> str:
    """Returns a register's code; InputError for what can't be one."""
    if len(register) > LONGEST_CODE or CODE.match(register) is None:
        raise InputError(
            "register: a code such as AT-ECG, as the rule packs name it",
            field="register",
            reason="format",
        )
    return register


def check_newer(as_of: datetime, current: datetime | None) -> None:
    """Refuses an import that is older than the current one: it would bring back who left, and lose who came."""
    if current is not None and as_of < current:
        raise ConflictError(f"the current import is newer: it was true at {to_text(current)}")


def check_size(count: int, before: int | None, *, force: bool) -> None:
    """Refuses an empty register, and one of less than half the entries of the one before: a download cut short."""
    if force:
        return
    if count == 0:
        raise InputError(
            "file: it has no entries; if that is so, say so by force", field="file", reason="empty"
        )
    if before is not None and 2 * count < before:
        raise InputError(
            f"file: {count} entries where the import before had {before}: if this is no download cut short, say so"
            " by force",
            field="file",
            reason="shrunk",
        )
