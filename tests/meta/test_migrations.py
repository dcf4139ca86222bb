"""The schema is made by migrations alone: one head, up and down and up again, and equal to the models."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import inspect, text

from consentledger.db.engine import Database
from consentledger.db.installation import open_database
from consentledger.db.migrate import current_revision, downgrade, head_revision, upgrade
from consentledger.db.tables import metadata
from consentledger.kernel.data import data_dir
from tests.support.installations import environment_for, settings_from


@pytest.fixture
def empty(empty_database_url: str, tmp_path: Path) -> Iterator[Database]:
    opened = open_database(settings_from(environment_for(empty_database_url, tmp_path)))
    yield opened
    opened.close()


def _scripts() -> ScriptDirectory:
    return ScriptDirectory(str(data_dir("migrations")))


def _schema(database: Database) -> dict[str, object]:
    """Return everything that migrations make: tables with columns, indexes, and triggers."""
    with database.read() as session:
        connection = session.connection()
        found = inspect(connection)
        schema: dict[str, object] = {
            table: (
                [(c["name"], str(c["type"]), c["nullable"]) for c in found.get_columns(table)],
                sorted(str(i["name"]) for i in found.get_indexes(table)),
            )
            for table in sorted(found.get_table_names())
        }
        query = (
            "SELECT name || ' on ' || tbl_name FROM sqlite_master WHERE type = 'trigger'"
            if database.name == "sqlite"
            else "SELECT tgname || ' on ' || tgrelid::regclass FROM pg_trigger WHERE NOT tgisinternal"
        )
        schema["triggers"] = sorted(connection.execute(text(query)).scalars())
        functions = "SELECT proname FROM pg_proc WHERE pronamespace = 'public'::regnamespace"
        if database.name == "postgresql":
            schema["functions"] = sorted(connection.execute(text(functions)).scalars())
    return schema


def test_there_is_one_head_and_one_line() -> None:
    scripts = _scripts()
    assert len(scripts.get_heads()) == 1
    assert len(scripts.get_bases()) == 1
    assert not [r.revision for r in scripts.walk_revisions() if r.is_branch_point]


def test_up_down_and_up_again_ends_in_the_same_schema(empty: Database) -> None:
    upgrade(empty)
    first = _schema(empty)
    assert first["triggers"]
    downgrade(empty, "base")
    left = {k: v for k, v in _schema(empty).items() if v and k != "alembic_version"}
    assert not left, "a downgrade to base leaves nothing behind"
    upgrade(empty)
    assert _schema(empty) == first
    assert current_revision(empty) == head_revision()


def test_each_single_step_can_be_undone_and_redone(empty: Database) -> None:
    for script in reversed(list(_scripts().walk_revisions())):
        upgrade(empty, script.revision)
        after = _schema(empty)
        downgrade(empty, script.down_revision or "base")
        upgrade(empty, script.revision)
        assert _schema(empty) == after, script.revision


def test_an_upgrade_of_an_upgraded_database_changes_nothing(database: Database) -> None:
    before = _schema(database)
    upgrade(database)
    assert _schema(database) == before


def test_the_schema_is_what_the_models_say(database: Database) -> None:
    with database.read() as session:
        context = MigrationContext.configure(session.connection(), opts={"compare_type": True})
        difference = compare_metadata(context, metadata())
    assert not difference
