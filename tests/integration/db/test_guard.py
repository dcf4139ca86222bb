"""The guard, in a folder and in a database of its own: one winner per swap, frozen for everybody, never another's."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import text

from consentledger.db.guard import Guard, Signed, SqlGuard, open_guard
from consentledger.kernel.errors import ConfigurationError, IntegrityError

LOG = "test.example/log/a"
GUARDS = ("folder", "sqlite", "postgresql")


@pytest.fixture(params=GUARDS)
def where(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """Where a guard is kept, each way in turn."""
    if request.param == "postgresql":
        with request.getfixturevalue("postgres").empty() as url:
            yield url
    else:
        yield f"sqlite:///{tmp_path}/guard.db" if request.param == "sqlite" else str(tmp_path / "g")


@pytest.fixture
def guard(where: str, tmp_path: Path) -> Iterator[Guard]:
    opened = open_guard(where, "one", create=True, default=tmp_path)
    yield opened
    opened.close()


def test_a_swap_moves_on_only_from_what_is_there(guard: Guard) -> None:
    first, second = Signed(1, b"a" * 32), Signed(2, b"b" * 32)
    assert guard.read(LOG) is None
    assert not guard.swap(LOG, first, second)
    assert guard.swap(LOG, None, first)
    assert not guard.swap(LOG, None, second)
    assert not guard.swap(LOG, Signed(1, b"x" * 32), second)
    assert guard.read(LOG) == first
    assert guard.swap(LOG, first, second)
    assert guard.read(LOG) == second
    assert guard.read("test.example/log/b") is None
    assert guard.origins() == [LOG]


def test_a_frozen_log_is_frozen_for_every_process_and_nothing_is_signed(
    guard: Guard, where: str, tmp_path: Path
) -> None:
    first, second = Signed(1, b"a" * 32), Signed(2, b"b" * 32)
    assert guard.swap(LOG, None, first)
    assert guard.freeze(LOG, "restored")
    assert not guard.freeze(LOG, "another reason")
    other = open_guard(where, "one", create=False, default=tmp_path)
    assert other.state(LOG) == (first, "restored")
    assert not other.swap(LOG, first, second)
    other.thaw(LOG)
    other.close()
    assert guard.state(LOG) == (first, None)
    assert guard.swap(LOG, first, second)


def test_a_log_that_was_never_signed_can_be_frozen(guard: Guard) -> None:
    assert guard.freeze(LOG, "looked odd")
    assert guard.state(LOG) == (None, "looked odd")
    assert not guard.swap(LOG, None, Signed(1, b"a" * 32))
    guard.thaw(LOG)
    assert guard.swap(LOG, None, Signed(1, b"a" * 32))


def test_a_cheap_look_sees_what_another_process_wrote(
    guard: Guard, where: str, tmp_path: Path
) -> None:
    other = open_guard(where, "one", create=False, default=tmp_path)
    state: Signed | None = None
    if isinstance(guard, SqlGuard):
        guard.fresh_seconds = 0.1
    assert guard.look(LOG) == (None, None)
    for size in range(1, 6):
        assert other.swap(LOG, state, Signed(size, bytes([size]) * 32))
        state = Signed(size, bytes([size]) * 32)
        assert _look(guard) == (state, None)
    other.freeze(LOG, "looked odd")
    assert _look(guard) == (state, "looked odd")
    other.close()


def _look(guard: Guard) -> tuple[Signed | None, str | None]:
    if isinstance(guard, SqlGuard):
        time.sleep(guard.fresh_seconds)  # it asks the other machine once in so long
    return guard.look(LOG)


def test_a_guard_belongs_to_one_database_and_is_made_only_for_a_new_one(
    guard: Guard, where: str, tmp_path: Path
) -> None:
    assert guard.guard_id == "one"
    with pytest.raises(ConfigurationError, match=r"belongs to another database \(id one\)"):
        open_guard(where, "two", create=True, default=tmp_path)


def test_a_missing_guard_stops_the_start(tmp_path: Path) -> None:
    for where in (None, str(tmp_path / "g"), f"sqlite:///{tmp_path}/guard.db"):
        with pytest.raises(ConfigurationError, match="Set CONSENTLEDGER_GUARD to where it is"):
            open_guard(where, "one", create=False, default=tmp_path / "default")


def test_a_guard_that_is_gone_is_no_empty_guard(where: str, guard: Guard) -> None:
    guard.swap(LOG, None, Signed(1, b"a" * 32))
    if isinstance(guard, SqlGuard):
        with guard.begin() as connection:
            connection.execute(text("DELETE FROM guard"))
        with pytest.raises(ConfigurationError, match="is not at"):
            open_guard(where, "one", create=False, default=Path())
    else:
        for file in Path(where).glob("[0-9a-f]*.json"):
            file.write_text(file.read_text().replace("/log/a", "/log/b"))
        with pytest.raises(IntegrityError, match=r"names test\.example/log/b"):
            guard.read(LOG)


SWAPPER = """
import sys
from pathlib import Path
from consentledger.db.guard import Signed, open_guard
guard = open_guard(sys.argv[1], "one", create=False, default=Path())
won = 0
while (seen := guard.read("test.example/log/a")) is None or seen.size < 60:
    size = seen.size + 1 if seen else 1
    won += guard.swap("test.example/log/a", seen, Signed(size, size.to_bytes(32, "big")))
print(won)
"""


def test_of_two_processes_that_swap_at_once_one_wins_each_time(guard: Guard, where: str) -> None:
    both = [
        subprocess.Popen([sys.executable, "-c", SWAPPER, where], stdout=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    won = [int(process.communicate(timeout=60)[0]) for process in both]
    assert guard.read(LOG) == Signed(60, (60).to_bytes(32, "big"))
    assert sum(won) == 60
