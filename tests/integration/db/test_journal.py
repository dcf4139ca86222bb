"""The journal: durable, sealed, safe for several writers, mended after a crash, readable under older master keys."""

from __future__ import annotations

import os
import secrets
import stat
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from consentledger.db.guard import SqlGuard
from consentledger.db.journal import Journal
from consentledger.db.journal.file import FileLines
from consentledger.db.journal.sql import SqlLines
from consentledger.kernel.errors import IntegrityError, UnavailableError

KEY, NEWER = b"k" * 32, b"n" * 32
ADDRESS = "maria@example.org"


@dataclass(frozen=True)
class Kept:
    """A journal's place, to be opened with any keys."""

    where: str
    guards: list[SqlGuard] = field(default_factory=list)

    def open(self, *keys: bytes) -> Journal:
        if "://" not in self.where:
            return Journal(FileLines(Path(self.where)), keys or (KEY,))
        guard = SqlGuard(self.where, "one")
        self.guards.append(guard)
        guard.open(create=True)
        return Journal(SqlLines(guard), keys or (KEY,))


@pytest.fixture(params=("file", "sqlite", "postgresql"))
def kept(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Kept]:
    if request.param == "file":
        yield Kept(str(tmp_path / "guard" / "journal"))
    elif request.param == "sqlite":
        yield from closing(Kept(f"sqlite:///{tmp_path}/guard.db"))
    else:
        with request.getfixturevalue("postgres").empty() as url:
            yield from closing(Kept(url))


def closing(kept: Kept) -> Iterator[Kept]:
    yield kept
    for guard in kept.guards:
        guard.close()


def stop(address: str = ADDRESS) -> dict[str, str]:
    return {"what": "stop", "address": address}


def addresses(journal: Journal) -> list[str]:
    return [record.content["address"] for record in journal.pending("stop")]


def test_what_was_written_is_read_by_another_process_in_order(kept: Kept) -> None:
    journal = kept.open()
    assert list(journal.records()) == []
    for name in ("ann", "bob"):
        assert journal.append(stop(name))
    journal.append({"what": "erasure", "contact": "c"})
    other = kept.open()
    assert [record.what for record in other.records()] == ["stop", "stop", "erasure"]
    assert addresses(other) == ["ann", "bob"]
    ids = {record.record_id for record in other.records()}
    assert len(ids) == 3


def test_what_was_done_is_pending_no_more_and_erasures_stay(kept: Kept) -> None:
    journal = kept.open()
    for name in ("ann", "bob"):
        journal.append(stop(name))
    journal.append({"what": "erasure", "contact": "c"})
    first = next(journal.pending("stop"))
    journal.mark_done(first)
    assert addresses(kept.open()) == ["bob"]
    journal.drop_done()
    assert addresses(kept.open()) == ["bob"]
    assert [record.what for record in journal.records()] == ["stop", "erasure"]
    journal.append(stop("cid"))
    assert addresses(kept.open()) == ["bob", "cid"]


def test_a_thaw_under_the_lock_lets_nobody_write_behind_it(kept: Kept) -> None:
    journal = kept.open()
    assert not journal.append(stop(), only_if=lambda: False)
    assert list(journal.records()) == []
    assert journal.append(stop(), only_if=lambda: True)
    assert addresses(journal) == [ADDRESS]


def test_older_master_keys_still_read_and_rewrap_lets_them_go(kept: Kept) -> None:
    kept.open(KEY).append(stop("ann"))
    both = kept.open(KEY, NEWER)
    both.append(stop("bob"))
    assert addresses(both) == ["ann", "bob"]
    with pytest.raises(IntegrityError, match=r"line 1 of the journal.*CONSENTLEDGER_MASTER_KEY"):
        addresses(kept.open(NEWER))
    both.rewrap()
    assert addresses(kept.open(NEWER)) == ["ann", "bob"]


def test_no_plain_address_is_on_the_disk_and_the_file_is_private(tmp_path: Path) -> None:
    path = tmp_path / "guard" / "journal"
    Kept(str(path)).open().append(stop())
    assert ADDRESS.encode() not in path.read_bytes()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_torn_last_line_is_ignored_and_mended(tmp_path: Path) -> None:
    path = tmp_path / "journal"
    kept = Kept(str(path))
    journal = kept.open()
    for name in ("ann", "bob"):
        journal.append(stop(name))
    whole = path.read_bytes()
    for cut in (1, 30, len(whole.splitlines()[1])):
        path.write_bytes(whole[:-cut])
        assert addresses(kept.open()) == ["ann"]
        kept.open().append(stop("cid"))
        assert addresses(kept.open()) == ["ann", "cid"]
        path.write_bytes(whole)


def test_a_line_changed_by_hand_is_named(tmp_path: Path) -> None:
    path = tmp_path / "journal"
    journal = Kept(str(path)).open()
    for name in ("ann", "bob"):
        journal.append(stop(name))
    first, second = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(first[:10] + (b"A" if first[10:11] != b"A" else b"B") + first[11:] + second)
    with pytest.raises(IntegrityError, match="line 1"):
        list(journal.records())


def test_a_journal_that_cannot_be_written_says_so(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    journal = Kept(str(tmp_path / "file" / "journal")).open()
    with pytest.raises(UnavailableError, match="can't be written"):
        journal.append(stop())
    (tmp_path / "journal").mkdir()
    with pytest.raises(UnavailableError, match="can't be written"):
        Kept(str(tmp_path / "journal")).open().append(stop())


WRITER = """
import sys
from tests.integration.db.test_journal import Kept, stop
journal = Kept(sys.argv[1]).open()
for n in range(40):
    journal.append(stop(f"{sys.argv[2]}-{n}"))
"""


def test_processes_and_threads_that_write_at_once_lose_nothing(kept: Kept) -> None:
    from concurrent.futures import ThreadPoolExecutor

    journal = kept.open()
    names = ("one", "two")
    root = str(Path(__file__).parents[3])
    writers = [
        subprocess.Popen([sys.executable, "-c", WRITER, kept.where, name], cwd=root,
                         env={**os.environ, "PYTHONPATH": root})
        for name in names
    ]  # fmt: skip
    mine = [f"here-{n}" for n in range(20)]
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda name: journal.append(stop(name)), mine))
    assert [writer.wait(60) for writer in writers] == [0, 0]
    found = addresses(kept.open())
    assert sorted(found) == sorted([*mine, *(f"{name}-{n}" for name in names for n in range(40))])
    for name in names:
        assert [one for one in found if one.startswith(name)] == [f"{name}-{n}" for n in range(40)]


def test_each_record_is_sealed_on_its_own(tmp_path: Path) -> None:
    key = secrets.token_bytes(32)
    path = tmp_path / "journal"
    journal = Kept(str(path)).open(key)
    for _ in range(2):
        journal.append(stop())
    one, two = path.read_bytes().splitlines()
    assert one != two
