"""What a report may say, and what of it does not fit the permit; pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from consentledger.kernel.errors import InputError
from consentledger.ledger.sent import (
    FLAGS,
    LATE,
    NOT_PERMITTED,
    SENT_BEFORE,
    STATUSES,
    message_id_hash,
)
from consentledger.permits.links import PermitId

MAX_SENDS = 10_000
MESSAGE_ID = 998
_KEYS = {"permit", "status", "message_id", "at", "list_headers_hash"}
_HASH = re.compile(r"[0-9a-f]{64}\Z", re.ASCII)
_ID = re.compile(r"<?[!-;=?-~]+@[!-;=?-~]+>?\Z", re.ASCII)


@dataclass(frozen=True, slots=True)
class Send:
    """One report as it was given; hashes are SHA-256, `at` None for now."""

    permit: PermitId
    status: str
    at: datetime | None
    message_hash: bytes | None = field(repr=False)
    headers_hash: bytes | None


@dataclass(frozen=True, slots=True)
class ReportSends:
    """What became of permitted messages, as the organisation says."""

    organisation_id: UUID
    sends: tuple[Send, ...]
    actor: str = "operator"


@dataclass(frozen=True, slots=True)
class Permitted:
    """What a report is held against: the permit as issued; `basis` None and `valid_until` None where denied."""

    contact_id: UUID | None
    channel: str
    basis: str | None
    issued_at: datetime
    valid_until: datetime | None

    @property
    def allowed(self) -> bool:
        """Tells whether the message might go."""
        return self.valid_until is not None


def read_sends(body: Mapping[str, Any], organisation_id: UUID, actor: str) -> ReportSends:
    """Reads the body of POST /sends; InputError names the first row and field that is wrong."""
    for key in sorted(body.keys() - {"sends"}):
        raise InputError(f"{key}: this field is unknown", field=str(key)[:64], reason="unknown")
    rows = body.get("sends")
    if not isinstance(rows, list) or not rows:
        raise InputError("sends: a list of reports", field="sends", reason="missing")
    if len(rows) > MAX_SENDS:
        raise InputError(f"sends: at most {MAX_SENDS}", field="sends", reason="too_many")
    read = tuple(read_send(row, f"sends[{number}]") for number, row in enumerate(rows))
    return ReportSends(organisation_id, read, actor)


def read_send(row: object, where: str) -> Send:
    """Reads one report; InputError names the field behind `where`."""
    if not isinstance(row, dict):
        raise _wrong(where, "", "format", "an object with permit and status")
    for key in sorted(map(str, row.keys() - _KEYS)):
        raise _wrong(where, key[:64], "unknown", "this field is unknown")
    permit = PermitId.parse(row.get("permit"))
    if permit is None:
        raise _wrong(where, "permit", "format", "no permit's id")
    if row.get("status") not in STATUSES:
        raise _wrong(where, "status", "unknown", f"one of {', '.join(STATUSES)}")
    headers = row.get("list_headers_hash")
    if headers is not None and (not isinstance(headers, str) or not _HASH.match(headers)):
        raise _wrong(where, "list_headers_hash", "format", "64 lower-case hexadecimal digits")
    message_id = row.get("message_id")
    return Send(
        permit,
        row["status"],
        _instant(row.get("at"), where),
        None if message_id is None else _message_hash(message_id, where),
        bytes.fromhex(headers) if headers is not None else None,
    )


def _message_hash(given: object, where: str) -> bytes:
    try:
        return hash_of(given)
    except InputError as error:
        raise _wrong(where, "message_id", error.reason, "a Message-ID, id@host") from error


def hash_of(message_id: object, field: str = "message_id") -> bytes:
    """Returns the hash of a Message-ID with or without its angle brackets; InputError when it is none (RFC 5322)."""
    if not isinstance(message_id, str) or not message_id.strip():
        raise InputError(f"{field}: a Message-ID, id@host", field=field, reason="missing")
    text = message_id.strip()
    if len(text) > MESSAGE_ID or _ID.match(text) is None:
        raise InputError(f"{field}: a Message-ID, id@host", field=field, reason="format")
    return message_id_hash(text)


def _instant(given: object, where: str) -> datetime | None:
    if given is None:
        return None
    try:
        found = datetime.fromisoformat(given) if isinstance(given, str) else None
    except ValueError:
        found = None
    if found is None or found.tzinfo is None:
        raise _wrong(where, "at", "format", "an instant like 2026-11-21T21:45:03Z")
    return found


def check_time(send: Send, permitted: Permitted, now: datetime, where: str) -> datetime:
    """Returns when it was sent; InputError when that is in the future, or before the permit was issued."""
    at = send.at or now
    if at > now:
        raise _wrong(where, "at", "future", "it is in the future")
    if at < permitted.issued_at:
        raise _wrong(where, "at", "before_permit", "it is before the permit was issued")
    return at


def flags_of(status: str, at: datetime, permitted: Permitted, *, before: bool) -> str:
    """Returns what of a report does not fit its permit, words of ledger.sent.FLAGS joined by commas.

    It is recorded all the same: what happened comes first. `before`: it was reported sent already.
    """
    if status != "sent":
        return ""
    found = set()
    if permitted.valid_until is None:
        found.add(NOT_PERMITTED)
    elif at >= permitted.valid_until:
        found.add(LATE)
    if before:
        found.add(SENT_BEFORE)
    return ",".join(flag for flag in FLAGS if flag in found)


def _wrong(where: str, key: str, reason: str, message: str) -> InputError:
    field = f"{where}.{key}" if key else where
    return InputError(f"{field}: {message}", field=field, reason=reason)
