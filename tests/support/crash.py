"""Kills a running service again and again under load, and checks after the kills that nothing acknowledged is lost.

    with crashing("sqlite", folder, smtp) as run:
        outcome = run.go(Plan(kills=12, seed=1))

Real processes, real HTTP and SMTP, SIGKILL only; PostgreSQL by `pg_ctl stop -m immediate`. Every wait is bounded.
"""

from __future__ import annotations

import contextlib
import os
import random
import signal
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import cycle, islice
from pathlib import Path

from consentledger.db.installation import Installation, open_database, open_installation
from consentledger.db.migrate import upgrade
from consentledger.kernel.errors import UnavailableError
from tests.factories import MadeForm, create_key_of, create_published_form
from tests.support.crash_checks import Checks
from tests.support.crash_load import Acts, Client, Mailbox, Target
from tests.support.form_tokens import OpenPages
from tests.support.installations import environment_for, settings_from
from tests.support.postgres import CrashingServer, run_crashing_server
from tests.support.smtp import SmtpPeer

ROOT = Path(__file__).resolve().parents[2]
PATIENCE = 90.0  # seconds for the slowest machine; nothing takes nearly as long


@dataclass(frozen=True, slots=True)
class Plan:
    """How often, in what order and how far apart; a check every so many kills, with openings or not."""

    kills: int
    seed: int
    clients: int = 4
    pause: float = 0.02
    between: tuple[float, float] = (0.1, 0.6)
    check_every: int = 4
    openings: bool = True


@dataclass(slots=True)
class Outcome:
    """What happened; `violations` must be empty."""

    kills: Counter[str] = field(default_factory=Counter)
    acknowledged: int = 0
    sign_ups: int = 0
    broken: int = 0
    entries: int = 0
    checkpoints: int = 0
    mails: int = 0
    messages: int = 0
    checks: int = 0
    answers: Counter[str] = field(default_factory=Counter)
    violations: list[str] = field(default_factory=list)


class CrashRun:
    """One service on one database, its clients, and whoever kills it."""

    def __init__(
        self,
        environment: dict[str, str],
        installation: Installation,
        made: MadeForm,
        peer: SmtpPeer,
        server: CrashingServer | None,
        folder: Path,
    ) -> None:
        self.installation, self.peer = installation, peer
        self._environment, self._server = environment, server
        self._log = (folder / "service.log").open("ab")
        self._tree: subprocess.Popen[bytes] | None = None
        self._port = free_port()
        self._acts = Acts()
        token = create_key_of(installation.database, made.organisation_id, "permits:write").token
        self._target = Target(
            self._port,
            str(made.form_id),
            str(made.sender_id),
            str(made.purpose_ids[0]),
            token,
            OpenPages(installation.settings),
        )
        self._checks = Checks(installation, made.organisation_id, peer)
        self._outcome = Outcome()

    def go(self, plan: Plan) -> Outcome:
        """Starts everything, kills as planned, lets all work be finished, and checks it all."""
        chance = random.Random(plan.seed)
        self._start()
        box = Mailbox(self.peer)
        clients = [
            Client(f"c{plan.seed}-{n}", self._target, box, self._acts, plan.pause)
            for n in range(plan.clients)
        ]
        for client in clients:
            client.start()
        order = list(islice(cycle(self._kinds()), plan.kills))
        chance.shuffle(order)
        for number, kind in enumerate(order, 1):
            self._let_act(clients)
            time.sleep(chance.uniform(*plan.between))
            self._kill(kind, chance)
            self._outcome.kills[kind] += 1
            if number % plan.check_every == 0:
                self._check(plan.openings)
        self._let_act(clients)
        self._end(clients)
        self._check(openings=True)
        self._outcome.violations += self._checks.all_handled(self._acts.copy()[1])
        return self._told()

    def close(self) -> None:
        """Ends what still runs."""
        if self._tree is not None and self._tree.poll() is None:
            self._kill_tree()
        self._log.close()

    def _kinds(self) -> tuple[str, ...]:
        kinds = ("web", "worker", "tree")
        return (*kinds, "postgresql") if self._server else kinds

    def _start(self) -> None:
        words = [sys.executable, "-m", "tests.support.crash_service", "serve"]
        self._tree = subprocess.Popen(
            [*words, f"127.0.0.1:{self._port}"],
            cwd=ROOT, env={**os.environ, **self._environment, "PYTHONPATH": str(ROOT)},
            stdin=subprocess.DEVNULL, stdout=self._log, stderr=self._log,
        )  # fmt: skip

    def _let_act(self, clients: list[Client]) -> None:
        """Waits until the service has acknowledged something new, so that each kill meets a living one."""
        before = sum(self._acts.answers.values())

        def acted() -> bool:
            for client in clients:
                if client.failure is not None:
                    raise AssertionError(f"{client.name} ended") from client.failure
            return sum(self._acts.answers.values()) > before + len(clients)

        self._eventually(acted, "the service acknowledges nothing any more")

    def _kill(self, kind: str, chance: random.Random) -> None:
        if kind == "postgresql":
            assert self._server is not None
            self._server.crash()
            time.sleep(chance.uniform(0, 0.2))
            self._server.start()
        elif kind == "tree":
            self._kill_tree()
            self._start()
        else:
            assert self._tree is not None
            parents = [p for p in children_of(self._tree.pid) if kind in words_of(p)]
            victims = [v for p in parents for v in [*children_of(p), p]]
            if victims:
                kill(chance.choice(victims))

    def _kill_tree(self) -> None:
        assert self._tree is not None
        # Parents first, so that none starts again what was killed.
        for victim in descendants(self._tree.pid):
            kill(victim)
        self._tree.wait(PATIENCE)

    def _check(self, openings: bool) -> None:
        acknowledged, _ = self._acts.copy()
        ends = time.monotonic() + PATIENCE
        while True:
            try:
                found = self._checks.run(acknowledged, openings=openings)
                break
            except UnavailableError:  # our own connections died with the server
                assert time.monotonic() < ends, "the database does not come back"
        self._outcome.checks += 1
        self._outcome.violations += found

    def _end(self, clients: list[Client]) -> None:
        for client in clients:
            client.stop()
        for client in clients:
            client.join(PATIENCE)
            assert not client.is_alive(), "a client hangs"
            assert client.failure is None, repr(client.failure)
        self._eventually(self._checks.drained, "work is left in the outbox, or nothing is signed")
        assert self._tree is not None
        self._tree.send_signal(signal.SIGTERM)
        self._tree.wait(PATIENCE)

    def _eventually(self, holds: Callable[[], bool], sentence: str) -> None:
        ends = time.monotonic() + PATIENCE
        while True:
            with contextlib.suppress(UnavailableError):
                if holds():
                    return
            assert self._tree is None or self._tree.poll() is None, "the supervisor ended"
            assert time.monotonic() < ends, sentence
            time.sleep(0.02)

    def _told(self) -> Outcome:
        outcome, acts = self._outcome, self._acts
        outcome.acknowledged = len(acts.done) + acts.sign_ups.total()
        outcome.sign_ups, outcome.broken = acts.sign_ups.total(), acts.broken
        outcome.answers = acts.answers
        outcome.entries, outcome.checkpoints = self._checks.size, self._checks.checkpoints
        outcome.mails = len(self.peer.messages)
        outcome.messages = len({received.content for received in self.peer.messages})
        return outcome


@contextlib.contextmanager
def crashing(engine: str, folder: Path, *, durable: bool = False) -> Iterator[CrashRun | None]:
    """Yields a service on a fresh database; None when this machine has no PostgreSQL to offer."""
    with contextlib.ExitStack() as stack:
        server = None
        url = f"sqlite:///{folder / 'crash.db'}"
        if engine == "postgresql":
            server = stack.enter_context(run_crashing_server(durable=durable))
            if server is None:
                yield None
                return
            url = server.server.url("postgres")
        peer = stack.enter_context(SmtpPeer())
        environment = environment_for(
            url, folder, MAIL_SERVER=peer.host, MAIL_PORT=str(peer.port),
            CHECKPOINT_SECONDS="0.1", SIGNUP_LIMITS="false",
        )  # fmt: skip
        settings = settings_from(environment)
        database = open_database(settings)
        upgrade(database)
        database.close()
        installation = open_installation(settings)
        stack.callback(installation.database.close)
        made = create_published_form(installation.database, settings)
        run = CrashRun(environment, installation, made, peer, server, folder)
        stack.callback(run.close)
        yield run


def free_port() -> int:
    """Returns a port of the loopback that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def kill(pid: int) -> None:
    """SIGKILL to one process; it may be gone already."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)


def children_of(pid: int) -> list[int]:
    """Returns the living children of a process."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            fields = (folder / "stat").read_text().rpartition(")")[2].split()
            if int(fields[1]) == pid and fields[0] != "Z":
                found.append(int(folder.name))
    return sorted(found)


def descendants(pid: int) -> list[int]:
    """Returns a process and all below it, parents first."""
    return [pid, *(found for child in children_of(pid) for found in descendants(child))]


def words_of(pid: int) -> list[str]:
    """Returns the command line of a process."""
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace").split("\0")
    return []
