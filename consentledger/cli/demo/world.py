"""Everything that runs in a demo: the service, the worker and the town, on ports of this machine."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from consentledger.cli.children import Children
from consentledger.cli.demo.instance import Instance
from consentledger.cli.demo.pages import fetch
from consentledger.cli.demo.town import Plan, town
from consentledger.cli.serve import service
from consentledger.cli.sockets import address_of, listen
from consentledger.kernel.errors import ConfigurationError, ConsentLedgerError

READY_SECONDS = 60.0
USUAL_PORTS = {"service": 8000, "mailbox": 8001, "shop": 8002, "smtp": 8025}


class DemoError(ConsentLedgerError):
    """Something that must hold in the demo does not."""

    code = "demo"


@dataclass(frozen=True, slots=True)
class World:
    """Where everything is, and how to run our own commands against it."""

    instance: Instance
    service: str
    mailbox: str
    shop: str
    smtp_port: int
    environment: dict[str, str]
    children: Children

    def run(self, *words: str) -> str:
        """Run a `consentledger` command as an operator would; return what it printed."""
        done = command(self.environment, words)
        if done.returncode != 0:
            raise DemoError(f"`consentledger {' '.join(words)}` failed: {done.stderr.strip()}")
        return done.stdout

    def last_words(self) -> str:
        """Return the ends of the processes' logs, for whoever wants to know why."""
        files = sorted(self.instance.folder.glob("*.log"))
        return "\n\n".join(f"{file.name}: … {file.read_text()[-1500:].strip()}" for file in files)


def command(environment: dict[str, str], words: Sequence[str]) -> subprocess.CompletedProcess[str]:
    """Run `consentledger WORDS` as a process of its own; any exit code is an answer."""
    return subprocess.run(
        [sys.executable, "-P", "-m", "consentledger", *words],
        env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False,
    )  # fmt: skip


@contextmanager
def running(instance: Instance, sockets: dict[str, socket.socket]) -> Iterator[World]:
    """Start the whole demo on the given sockets until the block ends, and close them."""
    with ExitStack() as stack:
        for opened in sockets.values():
            stack.enter_context(opened)
        smtp_port = sockets["smtp"].getsockname()[1]
        address = address_of(sockets["service"])
        environment = instance.environment(address, smtp_port)
        upgraded = command(environment, ["db", "upgrade"])
        if upgraded.returncode != 0:
            raise DemoError(f"`consentledger db upgrade` failed: {upgraded.stderr.strip()}")
        plan = Plan(
            str(instance.folder),
            *(sockets[name].fileno() for name in ("smtp", "mailbox", "shop")),
        )
        wanted = service(sockets["service"], environment, processes=2, threads=8)
        logged = [
            replace(child, log=instance.folder / f"{child.name}.log")
            for child in (*wanted, town(plan, environment))
        ]
        children = Children(logged)
        stack.enter_context(children)
        world = World(
            instance,
            address,
            address_of(sockets["mailbox"]),
            address_of(sockets["shop"]),
            smtp_port,
            environment,
            children,
        )
        _wait_until_ready(world)
        yield world


@contextmanager
def watched(world: World) -> Iterator[None]:
    """Keep the children alive from a thread while the block does something else."""
    thread = threading.Thread(target=world.children.watch, daemon=True)
    thread.start()
    try:
        yield
    finally:
        world.children.stop()
        thread.join()


def free_sockets() -> dict[str, socket.socket]:
    """Return a listening socket for each place, on free ports."""
    return {name: listen("127.0.0.1:0") for name in USUAL_PORTS}


def kept_sockets(instance: Instance) -> dict[str, socket.socket]:
    """Return sockets on the ports of this instance's last demo, else the usual ones, else free ones.

    Links in earlier mails and the form's allowed origin name the ports, so they are kept.
    """
    file = instance.folder / "ports.json"
    if not file.exists():
        made = {name: _listen_near(port) for name, port in USUAL_PORTS.items()}
        file.write_text(
            json.dumps({name: opened.getsockname()[1] for name, opened in made.items()})
        )
        return made
    ports: dict[str, int] = json.loads(file.read_text())
    try:
        return {name: listen(f"127.0.0.1:{port}") for name, port in ports.items()}
    except ConfigurationError as error:
        raise ConfigurationError(
            f"The links of this demo name ports {', '.join(map(str, ports.values()))}, and one of "
            "them is taken. Stop what uses it, or start another demo: "
            "consentledger demo --instance another-folder"
        ) from error


def _listen_near(port: int) -> socket.socket:
    try:
        return listen(f"127.0.0.1:{port}")
    except ConfigurationError:
        return listen("127.0.0.1:0")


def _wait_until_ready(world: World) -> None:
    deadline = time.monotonic() + READY_SECONDS
    while True:
        try:
            if fetch(f"{world.service}/readyz").status == 200:
                fetch(f"{world.mailbox}/letters.json")
                return
        except OSError:
            pass  # not up yet
        ended = world.children.ended()
        if ended:
            raise DemoError(f"{' and '.join(ended)} ended at the start.\n\n{world.last_words()}")
        if time.monotonic() > deadline:
            raise DemoError(f"The service was not ready after {READY_SECONDS:.0f} seconds.")
        time.sleep(0.1)


def save_private(file: Path, text: str) -> None:
    """Write a file that only this user can read."""
    draft = file.with_suffix(".new")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as opened:
        opened.write(text)
    draft.replace(file)
