"""The supervisor: what is killed comes back, what is asked to stop finishes, nobody is left behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from consentledger.cli.children import Child, Children
from consentledger.cli.errors import CONFIGURATION

pytestmark = pytest.mark.fault

RUNS = """
    import os, pathlib, signal, sys, time
    from consentledger.cli.children import die_with_parent
    die_with_parent()
    folder = pathlib.Path(sys.argv[1])
    def drain(*_):
        time.sleep(0.2)
        (folder / "drained").touch()
        sys.exit(0)
    signal.signal(signal.SIGTERM, drain)
    (folder / "pids").open("a").write(f"{os.getpid()}\\n")
    while True:
        time.sleep(0.05)
"""


def _child(program: str, *words: str) -> Child:
    return Child("one", ["-c", textwrap.dedent(program), *words], dict(os.environ))


def _pids(folder: Path) -> list[int]:
    file = folder / "pids"
    return [int(line) for line in file.read_text().split()] if file.exists() else []


def _eventually(holds: Callable[[], object], seconds: float = 10) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.02)


def _gone(pid: int) -> bool:
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except FileNotFoundError:
        return True
    return stat.rpartition(")")[2].split()[0] == "Z"


def test_a_killed_child_is_started_again(tmp_path: Path) -> None:
    with Children([_child(RUNS, str(tmp_path))]) as children:
        _eventually(lambda: _pids(tmp_path))
        os.kill(_pids(tmp_path)[0], signal.SIGKILL)
        assert children.watch(until=lambda: len(_pids(tmp_path)) == 2) == 0
        assert children.pid("one") == _pids(tmp_path)[1]


def test_stop_lets_a_child_finish(tmp_path: Path) -> None:
    with Children([_child(RUNS, str(tmp_path))]) as children:
        _eventually(lambda: _pids(tmp_path))
        threading.Timer(0.1, children.stop).start()
        assert children.watch() == 0
    assert (tmp_path / "drained").exists()
    assert _gone(_pids(tmp_path)[0])


def test_a_child_that_does_not_listen_is_killed_in_the_end(tmp_path: Path) -> None:
    deaf = RUNS.replace("signal.signal(signal.SIGTERM, drain)", "signal.signal(15, signal.SIG_IGN)")
    started = time.monotonic()
    with Children([_child(deaf, str(tmp_path))], drain_seconds=0.3):
        _eventually(lambda: _pids(tmp_path))
    assert _gone(_pids(tmp_path)[0])
    assert time.monotonic() - started < 5


def test_wrong_settings_end_the_whole_instead_of_a_restart(tmp_path: Path) -> None:
    with Children([_child(f"raise SystemExit({CONFIGURATION})")]) as children:
        assert children.watch() == CONFIGURATION


def test_a_child_that_keeps_failing_is_started_ever_more_slowly(tmp_path: Path) -> None:
    fails = f"open({str(tmp_path / 'pids')!r}, 'a').write('1\\n'); raise SystemExit(1)"
    with Children([_child(fails)]) as children:
        end = time.monotonic() + 2.2
        children.watch(until=lambda: time.monotonic() > end)
    assert 2 <= len(_pids(tmp_path)) <= 4


def test_children_of_a_killed_parent_drain_and_go(tmp_path: Path) -> None:
    parent = f"""
        import os, sys
        from consentledger.cli.children import Child, Children
        with Children([Child("one", ["-c", {textwrap.dedent(RUNS)!r}, sys.argv[1]], os.environ)]) as c:
            c.watch()
    """
    process = subprocess.Popen([sys.executable, "-c", textwrap.dedent(parent), str(tmp_path)])
    _eventually(lambda: _pids(tmp_path))
    process.kill()
    process.wait()
    _eventually(lambda: (tmp_path / "drained").exists())
    _eventually(lambda: _gone(_pids(tmp_path)[0]))
