"""The declarative base and the two column types that must mean the same on SQLite and PostgreSQL."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

from sqlalchemy import DateTime, Dialect, LargeBinary, MetaData, String, Text, Uuid
from sqlalchemy.orm import DeclarativeBase, mapped_column
from sqlalchemy.types import TypeDecorator

from consentledger.kernel.clock import from_text, to_text

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}


class Instant(TypeDecorator[datetime]):
    """An aware UTC instant: timestamptz on PostgreSQL, sortable text of one length on SQLite."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> Any:
        """Chooses the column type of each engine."""
        if dialect.name == "sqlite":
            return dialect.type_descriptor(String(27))
        return dialect.type_descriptor(DateTime(timezone=True))

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> Any:
        """Refuses naive instants: a guess about zones has no place in evidence."""
        if value is not None and value.tzinfo is None:
            raise ValueError("an instant needs a time zone")
        if value is None or dialect.name != "sqlite":
            return value
        return to_text(value)

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        """Returns an aware datetime on both engines."""
        return from_text(value) if isinstance(value, str) else value


class Json(TypeDecorator[Any]):
    """Small structured state as compact JSON text, the same bytes on both engines."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Dialect) -> str | None:
        """Writes compact JSON."""
        return (
            None if value is None else json.dumps(value, separators=(",", ":"), ensure_ascii=False)
        )

    def process_result_value(self, value: Any, dialect: Dialect) -> Any:
        """Reads it back."""
        return None if value is None else json.loads(value)


class Base(DeclarativeBase):
    """Every table's base; organisation_id comes first in every primary key (architecture, Scale)."""

    metadata = MetaData(naming_convention=NAMING)
    type_annotation_map: ClassVar[dict[Any, Any]] = {
        datetime: Instant,
        UUID: Uuid,
        bytes: LargeBinary,
        str: Text,
    }


def organisation_key_column() -> Any:
    """Returns the first column of every primary key."""
    return mapped_column(Uuid, primary_key=True)
