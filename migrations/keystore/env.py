"""Alembic's entry of a key store's own line; see migrations/env.py."""

from __future__ import annotations

from alembic import context

context.configure(
    connection=context.config.attributes["connection"],
    render_as_batch=False,
    transaction_per_migration=False,
)
context.run_migrations()
