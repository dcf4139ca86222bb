"""Rows of tables that no leaf tells (permits, reports, drafts of forms) as JSON, and back."""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Table

from consentledger.kernel.clock import from_text, to_text
from consentledger.organisations.models import Form
from consentledger.permits.models import Permit, PermitBatch
from consentledger.sends.models import MessageBatch, MessageSent

BATCH: Table = PermitBatch.__table__  # type: ignore[assignment]
PERMIT: Table = Permit.__table__  # type: ignore[assignment]
FORM: Table = Form.__table__  # type: ignore[assignment]
REPORTS: Table = MessageBatch.__table__  # type: ignore[assignment]
REPORT: Table = MessageSent.__table__  # type: ignore[assignment]
TABLES = {table.name: table for table in (BATCH, PERMIT, REPORTS, REPORT, FORM)}
_ORGANISATION = "organisation_id"


def to_json(row: Mapping[str, Any]) -> dict[str, Any]:
    """Returns a row by column as JSON values, without its organisation."""
    return {name: _plain(value) for name, value in row.items() if name != _ORGANISATION}


def from_json(table: Table, values: Mapping[str, Any], organisation_id: UUID) -> dict[str, Any]:
    """Returns a row to insert; columns that this version does not know are left out."""
    known = {name: value for name, value in values.items() if name in table.columns}
    row = {name: _typed(table.columns[name].type, value) for name, value in known.items()}
    return {**row, _ORGANISATION: organisation_id}


def _plain(value: Any) -> Any:
    match value:
        case UUID():
            return str(value)
        case bytes():
            return b64encode(value).decode()
        case datetime():
            return to_text(value)
    return value


def _typed(column: Any, value: Any) -> Any:
    if value is None:
        return None
    name = type(column).__name__
    if name == "Uuid":
        return UUID(value)
    if name == "LargeBinary":
        return b64decode(value)
    return from_text(value) if name == "Instant" else value
