"""Alembic's entry: runs on the connection that consentledger.db.migrate hands over, in its transaction."""

from __future__ import annotations

from alembic import context

from consentledger.db.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata(),
    # Batch mode rebuilds SQLite tables and drops their triggers: ledger tables must never go through it.
    render_as_batch=False,
    compare_type=True,
    transaction_per_migration=False,
)
context.run_migrations()
