"""What a caller sees of a database that is locked, read-only or gone; and who waits for whom."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from sqlalchemy import text

from consentledger.db.engine import Database
from consentledger.db.keystore.store import KeyStore
from consentledger.db.log.append import Log
from consentledger.db.log.head_mac import HeadMac
from consentledger.db.models import LogHead
from consentledger.kernel.errors import ConfigurationError, UnavailableError
from tests.support.logs import make_log, setting


def reopened(database: Database, *, lock_timeout: float = 0.2) -> Database:
    url = database.url.render_as_string(hide_password=False)
    return Database(url, log=database.log, lock_timeout=lock_timeout)


def new_log() -> Log:
    return Log(KeyStore([b"k" * 32]), HeadMac([b"a" * 32]))


def test_a_locked_database_is_unavailable_and_nothing_is_half_written(database: Database) -> None:
    log = make_log(database)
    other = reopened(database)
    with database.begin() as tx:
        tx.log.lock_head(tx, log.organisation_id)
        if database.name == "sqlite":
            # Our own writers wait at the gate; a stranger's lock is what SQLite itself refuses.
            other._gate = None
        with pytest.raises(UnavailableError), other.begin() as blocked:
            blocked.log.append(blocked, log.organisation_id, [setting()])
    other.close()
    assert log.append(setting())[0].index == 0


def test_a_read_only_database_is_unavailable(database: Database) -> None:
    log = make_log(database)
    other = reopened(database)
    how = "PRAGMA query_only=ON" if database.name == "sqlite" else "SET TRANSACTION READ ONLY"

    def write() -> None:
        with other.begin() as tx:
            tx.connection.exec_driver_sql(how)
            tx.log.append(tx, log.organisation_id, [setting()])

    with pytest.raises(UnavailableError):
        write()
    other.close()
    assert log.append(setting())[0].index == 0


def test_a_database_that_is_gone_is_unavailable(tmp_path: Path) -> None:
    gone = Database("postgresql://nobody@127.0.0.1:1/none", log=new_log())
    with pytest.raises(UnavailableError), gone.begin():
        raise AssertionError("it can't have opened")
    missing = Database(f"sqlite:///{tmp_path}/a-file/x.db", log=new_log())
    (tmp_path / "a-file").write_text("not a folder")
    with pytest.raises((UnavailableError, OSError)), missing.begin():
        raise AssertionError("it can't have opened")


@pytest.mark.parametrize("url", ["mysql://x/y", "nonsense", "sqlite://", "sqlite:///:memory:"])
def test_an_address_that_is_none_is_named(url: str) -> None:
    with pytest.raises(ConfigurationError, match="CONSENTLEDGER_DATABASE_URL"):
        Database(url, log=new_log())


def test_an_errors_text_never_holds_the_values_of_a_statement(database: Database) -> None:
    with pytest.raises(Exception, match="nowhere") as caught, database.begin() as tx:
        tx.session.execute(text("INSERT INTO nowhere VALUES (:a)"), {"a": "planted@example.org"})
    assert "planted" not in str(caught.value)


def test_a_snapshot_sees_one_moment(database: Database) -> None:
    log = make_log(database)
    with database.snapshot() as session:
        before = session.get_one(LogHead, log.organisation_id).size
        log.append(setting())
        session.expire_all()
        assert session.get_one(LogHead, log.organisation_id).size == before == 0


def test_a_killed_writer_of_another_process_frees_the_gate(database: Database) -> None:
    log = make_log(database)
    script = (
        "import sys, time\n"
        "from consentledger.db.engine import Database\n"
        "from consentledger.db.log.head_mac import HeadMac\n"
        "from consentledger.db.log.append import Log\n"
        "from consentledger.db.keystore.store import KeyStore\n"
        "d = Database(sys.argv[1], log=Log(KeyStore([b'k' * 32]), HeadMac([b'a' * 32])))\n"
        "with d.begin() as tx:\n"
        "    tx.connection.exec_driver_sql('SELECT * FROM log_head')\n"
        "    print('in', flush=True)\n"
        "    time.sleep(60)\n"
    )
    url = database.url.render_as_string(hide_password=False)
    holder = subprocess.Popen(
        [sys.executable, "-c", script, url], stdout=subprocess.PIPE, env=dict(os.environ)
    )
    assert holder.stdout is not None
    assert holder.stdout.readline() == b"in\n"
    done: list[float] = []
    started = time.monotonic()

    def write() -> None:
        log.append(setting())
        done.append(time.monotonic() - started)

    writer = threading.Thread(target=write)
    writer.start()
    time.sleep(0.3)
    holder.kill()
    holder.wait()
    holder.stdout.close()
    writer.join(10)
    assert len(done) == 1
    if database.name == "sqlite":
        assert done[0] >= 0.25  # it did wait for the other process


def test_sqlite_runs_as_durable_as_it_can(database: Database) -> None:
    if database.name != "sqlite":
        with database.read() as session:
            assert session.scalar(text("SHOW synchronous_commit")) == "on"
        return
    with database.begin() as tx:
        assert tx.connection.exec_driver_sql("PRAGMA synchronous").scalar() == 2
        assert tx.connection.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"
        assert tx.connection.exec_driver_sql("PRAGMA secure_delete").scalar() == 1
    with pytest.raises(UnavailableError), database.read() as session:
        session.execute(text("DELETE FROM outbox"))
    assert sqlite3.threadsafety >= 1
