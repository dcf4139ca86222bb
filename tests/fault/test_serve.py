"""`consentledger serve`, for real: what is killed comes back, nothing is refused meanwhile, all of it drains."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

pytestmark = pytest.mark.fault
COMMAND = [sys.executable, "-P", "-m", "consentledger"]


@dataclass(frozen=True, slots=True)
class Service:
    """A running `serve`: its process and its address."""

    process: subprocess.Popen[str]
    address: str

    def children(self) -> dict[str, int]:
        """Return the process ids of web and worker, by the command they run."""
        found = {}
        for folder in Path("/proc").glob("[0-9]*"):
            try:
                words = (folder / "cmdline").read_bytes().split(b"\0")
                parent = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
            except (FileNotFoundError, ProcessLookupError):
                continue
            if parent == self.process.pid:
                found.update(
                    {n: int(folder.name) for n in ("web", "worker") if n.encode() in words}
                )
        return found

    def ready(self) -> bool:
        """Say whether the service answers; a connection that is refused fails the test."""
        try:
            with urllib.request.urlopen(f"{self.address}/readyz", timeout=20) as answer:
                return bool(answer.status == 200)
        except urllib.error.HTTPError:
            return False


def _eventually(holds: Callable[[], object], seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.05)


def _is_gone(pid: int) -> bool:
    try:
        return "Z" in Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return True


@pytest.fixture
def service(environment: dict[str, str]) -> Iterator[Service]:
    settings = {**os.environ, **environment}
    settings.pop("CONSENTLEDGER_BASE_URL")
    process = subprocess.Popen(
        [*COMMAND, "serve", "--bind", "127.0.0.1:0"], env=settings, text=True,
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    assert process.stdout is not None
    found = re.search(r"http://\S+", process.stdout.readline())
    assert found is not None
    started = Service(process, found[0])
    _eventually(started.ready)
    yield started
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=40)
    process.stdout.close()


def test_killed_children_come_back_and_no_connection_is_refused(service: Service) -> None:
    before = service.children()
    assert sorted(before) == ["web", "worker"]
    stop = threading.Event()
    refused: list[str] = []

    def knock() -> None:
        while not stop.wait(0.05):
            try:
                service.ready()
            except ConnectionResetError:
                pass  # it was being answered by the process that was killed
            except urllib.error.URLError as error:
                if not isinstance(error.reason, ConnectionResetError):
                    refused.append(str(error))

    knocking = threading.Thread(target=knock)
    knocking.start()
    for pid in before.values():
        os.kill(pid, signal.SIGKILL)
    gone = set(before.values())
    # The killed ones may still be on the list for a moment.
    _eventually(
        lambda: (now := service.children()).keys() == before.keys() and not gone & {*now.values()}
    )
    _eventually(service.ready)
    stop.set()
    knocking.join()
    assert not refused


def test_sigterm_ends_all_of_it(service: Service) -> None:
    children = service.children()
    service.process.send_signal(signal.SIGTERM)
    assert service.process.wait(timeout=40) == 0
    assert all(_is_gone(pid) for pid in children.values())


def test_nothing_outlives_a_killed_parent(service: Service) -> None:
    children = service.children()
    service.process.kill()
    service.process.wait()
    _eventually(lambda: all(_is_gone(pid) for pid in children.values()), 40)


def test_a_schema_that_is_missing_stops_the_start(
    empty_database_url: str, tmp_path: Path, environment: dict[str, str]
) -> None:
    settings = {**os.environ, **environment, "CONSENTLEDGER_DATABASE_URL": empty_database_url}
    done = subprocess.run(
        [*COMMAND, "serve", "--bind", "127.0.0.1:0"],
        env=settings, capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert done.returncode == 78
    assert "consentledger db upgrade" in done.stderr


def test_organisation_key_and_log_by_command(environment: dict[str, str]) -> None:
    def run(*words: str) -> str:
        done = subprocess.run(
            [*COMMAND, *words], env={**os.environ, **environment},
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return done.stdout

    assert "up to date" in run("db", "upgrade")
    assert "no log yet" in run("log", "fsck")
    made = json.loads(
        run(
            "organisation",
            "create",
            "Shop",
            "--legal-name",
            "Shop Ltd",
            "--country",
            "IE",
            "--json",
        )
    )
    key = json.loads(
        run("key", "create", "--organisation", "Shop", "--name", "x", "--all-scopes", "--json")
    )
    assert key["key"] not in run("key", "list", "--organisation", "Shop")
    assert "1 checkpoint(s) signed" in run("log", "checkpoint")
    assert "No log has grown" in run("log", "checkpoint")
    checked = run("log", "fsck", "--openings")
    assert re.search(
        re.escape(made["origin"]) + r": \d+ entries, 1 checkpoints.* all agree", checked
    )
