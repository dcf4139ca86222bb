"""A whole installation to measure: database, published form, and `consentledger web` with two processes."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from bench.engines import fresh_url
from bench.figures import Figure
from consentledger.db.installation import Installation, open_database, open_installation
from consentledger.db.migrate import upgrade
from tests.factories import MadeForm, create_published_form
from tests.support.installations import environment_for, settings_from

PROCESSES = 2
# Each request comes from a network of its own, as a trusted proxy would tell.
PROXY = {"TRUSTED_PROXIES": "1"}


@dataclass(frozen=True, slots=True)
class World:
    """An installation with a published form; `environment` starts further processes on it."""

    engine: str
    environment: dict[str, str]
    installation: Installation
    made: MadeForm


@contextmanager
def world(engine: str) -> Iterator[World]:
    """Makes a fresh installation on one engine."""
    with fresh_url(engine) as url, tempfile.TemporaryDirectory(prefix="cl-bench-") as folder:
        environment = environment_for(url, Path(folder), **PROXY)
        settings = settings_from(environment)
        database = open_database(settings)
        upgrade(database)
        database.close()
        installation = open_installation(settings)
        made = create_published_form(installation.database, settings)
        yield World(engine, environment, installation, made)
        installation.database.close()


def on_each(engines: Sequence[str], measure: Callable[[World], list[Figure]]) -> list[Figure]:
    """Measures on a fresh installation of each engine, one after the other."""
    figures = []
    for engine in engines:
        with world(engine) as made:
            figures += measure(made)
    return figures


def without_limits(world: World) -> World:
    """The same installation for services that count no posts: one client's flood would be asked to pay for each."""
    environment = {**world.environment, "CONSENTLEDGER_SIGNUP_LIMITS": "false"}
    return replace(world, environment=environment)


@contextmanager
def served(world: World, application: str | None = None) -> Iterator[int]:
    """Runs our web (or another WSGI application by name) in two processes; yields its port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    words = [sys.executable, "-m", "consentledger", "web", "--processes", str(PROCESSES)]
    words += ["--bind", f"127.0.0.1:{port}"]
    if application is not None:
        words = [sys.executable, "-m", "gunicorn", application, "--workers", str(PROCESSES)]
        words += ["--worker-class", "gthread", "--threads", "8", "--bind", f"127.0.0.1:{port}"]
        words += ["--no-control-socket", "--log-level", "warning"]
    environment = {**os.environ, **world.environment}
    with tempfile.TemporaryFile() as log:
        server = subprocess.Popen(words, env=environment, stdout=log, stderr=log)
        try:
            _wait(port, server)
            yield port
        finally:
            server.terminate()
            server.wait(30)


def _wait(port: int, server: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline and server.poll() is None:
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=1):
                time.sleep(1)  # the second process, too
                return
        except OSError:
            time.sleep(0.1)
    raise SystemExit("the server did not start")
