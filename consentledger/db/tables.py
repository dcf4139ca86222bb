"""Imports every slice's tables, for Alembic, fsck and tests: the one list of them."""

from __future__ import annotations

from importlib import import_module

from sqlalchemy import MetaData

from consentledger.db.base import Base

# Imported by name: db stands below the slices and may not know them (import-linter), only where their tables are.
SLICES = (
    "accounts",
    "consents",
    "contacts",
    "customers",
    "erasure",
    "limits",
    "organisations",
    "outbox",
    "permits",
    "permits.bulk",
    "registers",
    "sends",
    "stops",
    "webhooks",
)


def metadata() -> MetaData:
    """Returns the schema as the models state it."""
    import_module("consentledger.db.models")
    for name in SLICES:
        import_module(f"consentledger.{name}.models")
    return Base.metadata
