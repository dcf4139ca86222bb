"""Counters on both engines: processes agree, nothing is lost, what is over goes, and a torn file is made anew."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import text

from consentledger.db.counters import BATCH, Slot
from consentledger.db.engine import Database
from consentledger.db.installation import open_database
from consentledger.kernel.errors import UnavailableError
from tests.support.databases import PostgresDatabases, SqliteDatabases
from tests.support.installations import environment_for, settings_from

SLOTS = tuple(Slot(bytes([n]) * 16, 7, 4_800) for n in range(6))
# Another process counts the same slots, in another order, 40 times from 4 threads.
OTHER = """
import sys
from concurrent.futures import ThreadPoolExecutor
from consentledger.db.counters import Slot
from consentledger.db.installation import open_database
from consentledger.kernel.settings import Settings
database = open_database(Settings.load())
slots = [Slot(bytes([n]) * 16, 7, 4_800) for n in range(6)][::-1]
print("ready", flush=True)
sys.stdin.readline()
with ThreadPoolExecutor(4) as pool:
    list(pool.map(lambda _: database.counters.add(slots), range(40)))
database.close()
"""

# A process counts, and its child and it again: both through files of their own.
FORKING = """
import os
from consentledger.db.counters import Slot
from consentledger.db.installation import open_database
from consentledger.kernel.settings import Settings
database = open_database(Settings.load())
slot = Slot(b"k" * 16, 7, 4_800)
database.counters.add([slot])
child = os.fork()
for _ in range(50):
    database.counters.add([slot])
if child:
    assert os.waitpid(child, 0)[1] == 0
    print(database.counters.read([slot])[slot.key])
database.close()
"""


def instant(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def test_counting_gives_the_counts(database: Database) -> None:
    assert database.counters.add(SLOTS) == {slot.key: 1 for slot in SLOTS}
    assert database.counters.add(SLOTS[1:3]) == {SLOTS[1].key: 2, SLOTS[2].key: 2}
    later = Slot(SLOTS[0].key, 8, 5_400)
    assert database.counters.read((*SLOTS[:2], Slot(b"nobody", 7, 4_800))) == {
        SLOTS[0].key: 1,
        SLOTS[1].key: 2,
    }
    assert database.counters.add((later,)) == {later.key: 1}


def test_two_processes_lose_no_count_and_never_deadlock(database_url: str, tmp_path: Path) -> None:
    environment = environment_for(database_url, tmp_path)
    with subprocess.Popen(
        [sys.executable, "-c", OTHER],
        env={**os.environ, **environment},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as other:
        assert other.stdin is not None
        assert other.stdout is not None
        mine = open_database(settings_from(environment))
        assert other.stdout.readline() == "ready\n"
        other.stdin.write("go\n")
        other.stdin.flush()
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(lambda _: mine.counters.add(SLOTS), range(40)))
        assert other.wait(60) == 0
    assert mine.counters.read(SLOTS) == {slot.key: 80 for slot in SLOTS}
    mine.close()


def test_what_is_over_is_swept_in_steps_while_others_count(database: Database) -> None:
    counters = database.counters
    old = [Slot(n.to_bytes(16, "big"), 1, 600) for n in range(BATCH + 5)]
    for first in range(0, len(old), 200):
        counters.add(old[first : first + 200])
    counters.add(SLOTS)
    done = threading.Event()

    def count() -> int:
        counted = 0
        while not (counted and done.is_set()):
            counters.add(SLOTS[:1])
            counted += 1
        return counted

    with ThreadPoolExecutor(1) as pool:
        counting = pool.submit(count)
        try:
            assert counters.sweep(instant(600)) == 0
            assert counters.sweep(instant(601)) == BATCH + 5
        finally:
            done.set()
        posts = counting.result(30)
    assert counters.read(SLOTS[:1]) == {SLOTS[0].key: posts + 1}
    assert counters.sweep(instant(4_801)) == len(SLOTS)
    assert counters.read(SLOTS) == {}


def test_a_closed_counter_opens_again(database: Database) -> None:
    database.counters.add(SLOTS[:1])
    database.counters.close()
    assert database.counters.add(SLOTS[:1]) == {SLOTS[0].key: 2}


@pytest.fixture
def lite(sqlite: SqliteDatabases, tmp_path: Path) -> Database:
    """A database whose counters are a file."""
    url = sqlite.copy(tmp_path)
    return open_database(settings_from(environment_for(url, tmp_path)))


@pytest.mark.parametrize(
    "content", [b"", b"no database " * 400, b"SQLite format 3\0" + b"\xff" * 9_000]
)
def test_a_file_that_is_no_database_is_made_anew(
    lite: Database, tmp_path: Path, content: bytes
) -> None:
    (tmp_path / "consentledger.db.limits").write_bytes(content)
    assert lite.counters.add(SLOTS[:1]) == {SLOTS[0].key: 1}
    lite.close()


def test_a_file_torn_or_taken_away_under_a_running_process(lite: Database, tmp_path: Path) -> None:
    counters, file = lite.counters, tmp_path / "consentledger.db.limits"
    counters.add(SLOTS)
    for end in ("", "-wal", "-shm"):
        Path(f"{file}{end}").unlink()
    assert counters.add(SLOTS[:1]) == {SLOTS[0].key: 1}
    counters.close()
    with file.open("r+b") as torn:
        torn.seek(100)
        torn.write(b"\xff" * 4_000)
    assert counters.add(SLOTS[:1])[SLOTS[0].key] == 1
    lite.close()


def test_who_counts_nothing_makes_no_file(lite: Database, tmp_path: Path) -> None:
    with lite.read() as session:
        session.execute(text("SELECT 1"))
    lite.close()
    assert [file.name for file in tmp_path.iterdir()] == ["consentledger.db"]


def test_two_processes_see_the_same_file_after_it_was_made_anew(
    lite: Database, tmp_path: Path
) -> None:
    second = open_database(settings_from(environment_for(str(lite.url), tmp_path)))
    assert lite.counters.add(SLOTS[:1]) == {SLOTS[0].key: 1}
    assert second.counters.add(SLOTS[:1]) == {SLOTS[0].key: 2}
    for end in ("", "-wal", "-shm"):
        (tmp_path / f"consentledger.db.limits{end}").unlink()
    assert lite.counters.add(SLOTS[:1]) == {SLOTS[0].key: 1}
    assert second.counters.add(SLOTS[:1]) == {SLOTS[0].key: 2}
    lite.close()
    second.close()


def test_a_folder_that_cannot_be_used_is_a_clear_error(lite: Database, tmp_path: Path) -> None:
    (tmp_path / "consentledger.db.limits").mkdir()
    with pytest.raises(UnavailableError, match="the database can't be used now"):
        lite.counters.add(SLOTS[:1])
    (tmp_path / "consentledger.db.limits").rmdir()
    assert lite.counters.add(SLOTS[:1]) == {SLOTS[0].key: 1}
    lite.close()


def test_a_child_counts_through_a_file_of_its_own(lite: Database, tmp_path: Path) -> None:
    environment = {**os.environ, **environment_for(str(lite.url), tmp_path)}
    done = subprocess.run(
        [sys.executable, "-c", FORKING], env=environment, capture_output=True, text=True, check=True
    )
    assert done.stdout == "101\n"


def test_connections_that_the_server_cut_are_replaced(
    postgres: PostgresDatabases, tmp_path: Path
) -> None:
    with postgres.clone() as url:
        opened = open_database(settings_from(environment_for(url, tmp_path)))
        with ThreadPoolExecutor(3) as pool:
            list(pool.map(lambda _: opened.counters.add(SLOTS[:1]), range(9)))
        with opened.begin() as tx:
            others = "pid <> pg_backend_pid() AND datname = current_database()"
            tx.session.execute(
                text(f"SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE {others}")
            )
        with pytest.raises(UnavailableError, match="the database can't be used now"):
            opened.counters.add(SLOTS[:1])
        assert opened.counters.add(SLOTS[:1]) == {SLOTS[0].key: 10}
        opened.close()
