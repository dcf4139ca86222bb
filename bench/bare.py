"""The peer of the web benches: a bare Flask view that does one INSERT and commit on the same engine."""

from __future__ import annotations

from flask import Flask, request
from sqlalchemy import text

from consentledger.db.installation import open_database
from consentledger.kernel.ids import uuid7
from consentledger.kernel.settings import Settings

application = Flask("bare")
_database = open_database(Settings.load())
with _database.begin() as _tx:
    _tx.connection.execute(
        text("CREATE TABLE IF NOT EXISTS bench_bare (id TEXT PRIMARY KEY, email TEXT, at TEXT)")
    )
_INSERT = text("INSERT INTO bench_bare (id, email, at) VALUES (:id, :email, :at)")


@application.post("/bare")
def bare() -> str:
    """Stores what was posted."""
    with _database.begin() as tx:
        row = {"id": str(uuid7()), "email": request.form.get("email", ""), "at": str(tx.now)}
        tx.connection.execute(_INSERT, row)
    return "ok"
