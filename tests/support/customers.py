"""Sales as a marketer tells of them, and the verbs on one organisation."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from consentledger.customers.commands import LapseCustomers, RecordCustomers, RowsDone
from consentledger.customers.service import lapse_customers, record_customers
from consentledger.db.engine import Database

WORDING = "You may object to this use at any time, free of charge: with a line to us, or the link in each message."


def sale(address: str = "anna@example.com", reference: str = "A-1", **more: Any) -> dict[str, Any]:
    """One row that lacks nothing; None takes a field away."""
    row = {
        "address": address,
        "reference": reference,
        "trigger": "sale_paid",
        "on": "2026-01-05",
        "categories": ["garden/tools"],
        "obtained_from": "customer",
        "offered_at_collection": True,
        "opt_out_wording": WORDING,
        "country": "DE",
        "person": "natural",
        **more,
    }
    return {name: value for name, value in row.items() if value is not None}


def record(
    database: Database, org: UUID, *rows: dict[str, Any], partial: bool = False, first: int = 0
) -> RowsDone:
    """Records rows as the API does."""
    command = RecordCustomers(org, rows, "key:test", "api", partial=partial, first=first)
    with database.begin() as tx:
        return record_customers(tx, command)


def lapse(database: Database, org: UUID, *rows: dict[str, Any]) -> RowsDone:
    """Lets records lapse as the API does."""
    with database.begin() as tx:
        return lapse_customers(tx, LapseCustomers(org, rows, "key:test"))
