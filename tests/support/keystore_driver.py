"""Runs one verb in a process of its own and stops it for ever at a named point between the two databases.

    with driver() as drive:
        with drive.stopped(environment, "sign_up", BEHIND_KEYS, made, address):
            …                      # the process stands there; it is killed when the block ends

One parent imports everything once and forks a child per verb; nothing in the code under test knows of it.
"""

from __future__ import annotations

import base64
import contextlib
import os
import pickle
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NoReturn

ROOT = Path(__file__).resolve().parents[2]
INSIDE_KEYS = "before the key store's commit"
BEHIND_KEYS = "behind the key store's commit"
BEFORE_COMMIT = "before the main database's commit"
BEHIND_COMMIT = "behind the main database's commit"
POINTS = (INSIDE_KEYS, BEHIND_KEYS, BEFORE_COMMIT, BEHIND_COMMIT)


class Driver:
    """The parent process: give it verbs, kill its children."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    @contextlib.contextmanager
    def stopped(
        self, environment: dict[str, str], verb: str, point: str, *given: Any
    ) -> Iterator[None]:
        """Starts a verb, waits until it stands at the point, and kills it with SIGKILL behind the block."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        line = base64.b64encode(pickle.dumps((environment, verb, point, given))).decode("ascii")
        print(line, file=self._process.stdin, flush=True)
        child, _, said = self._process.stdout.readline().strip().partition(" ")
        try:
            assert said == point, f"the verb {verb} did not come to its point: {said}"
            yield
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.kill(int(child), signal.SIGKILL)
            assert self._process.stdout.readline().strip() == "dead"


@contextlib.contextmanager
def driver() -> Iterator[Driver]:
    """Runs the parent process until the block ends."""
    with subprocess.Popen(
        [sys.executable, "-m", "tests.support.keystore_driver"],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            yield Driver(process)
        finally:
            if process.stdin is not None:
                process.stdin.close()
            process.wait(timeout=30)


def _main() -> None:
    os.dup2(2, 1)  # what the program says goes where errors go
    from tests.integration import test_contacts_alike  # noqa: F401 - imported once, before the forks

    for line in sys.stdin:
        environment, verb, point, given = pickle.loads(base64.b64decode(line))
        child = os.fork()
        if child == 0:
            _child(environment, verb, point, given)
        os.waitpid(child, 0)
        _say("dead")


def _child(environment: dict[str, str], verb: str, point: str, given: tuple[Any, ...]) -> NoReturn:
    signal.alarm(60)  # whatever happens, no child outlives its test
    try:
        from consentledger.db.installation import open_installation
        from tests.support.installations import settings_from

        installation = open_installation(settings_from(environment))
        _pause_at(point)
        VERBS[verb](installation, *given)
        _reach(point if point == BEHIND_COMMIT else "the end")
    except BaseException as error:
        _say(f"{os.getpid()} failed: {error!r}".replace("\n", " "))
    os._exit(1)


def _pause_at(point: str) -> None:
    from consentledger.db.keystore.database import KeyDatabase
    from consentledger.db.unit_of_work import Tx

    write, close = KeyDatabase.write, Tx.close

    @contextlib.contextmanager
    def stopping_write(self: KeyDatabase) -> Iterator[Any]:
        with write(self) as connection:
            yield connection
            if point == INSIDE_KEYS:
                _reach(point)
        if point == BEHIND_KEYS:
            _reach(point)

    def stopping_close(self: Tx) -> None:
        close(self)
        if point == BEFORE_COMMIT:
            _reach(point)

    KeyDatabase.write = stopping_write  # type: ignore[method-assign]
    Tx.close = stopping_close  # type: ignore[method-assign]


def _say(line: str) -> None:
    # Where the log of the program under test does not write: it goes to the standard output too.
    os.write(_ANSWERS, f"{line}\n".encode())


def _reach(point: str) -> NoReturn:
    _say(f"{os.getpid()} {point}")
    while True:
        time.sleep(60)


def _sign_up(installation: Any, made: Any, address: str) -> None:
    from tests.support.consents import People

    People(installation.database, made).sign_up(address)


def _destroy(installation: Any, made: Any) -> None:
    from tests.integration.test_contacts_alike import run_destroy
    from tests.support.consents import People

    run_destroy(People(installation.database, made))


def _create(installation: Any, name: str) -> None:
    from tests.factories import create_organisation

    create_organisation(installation.database, installation.settings, name=name)


def _rotate(installation: Any, made: Any) -> None:
    from consentledger.consents.rehashing import rotate_suppression

    with installation.database.begin() as tx:
        rotate_suppression(tx, made.organisation_id)


VERBS: dict[str, Callable[..., None]] = {
    "sign_up": _sign_up,
    "destroy": _destroy,
    "create_organisation": _create,
    "rotate_suppression": _rotate,
}

_ANSWERS = os.dup(1) if __name__ == "__main__" else 1

if __name__ == "__main__":
    _main()
