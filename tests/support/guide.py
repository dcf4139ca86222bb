"""Runs the shell blocks of a guide as they stand in it, on a make-believe machine of its own.

Only what a distribution brings is made up, as small programs on PATH: `systemctl` and `journalctl`
start, stop and show our service and a PostgreSQL server, `sudo -u postgres` changes the user. The
service, the server, their tools and every command between them are real.
"""

from __future__ import annotations

import os
import random
import re
import socket
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

SYSTEMCTL = """#!/usr/bin/env bash
set -euo pipefail
gone() { [ ! -e "/proc/$1" ] || grep -q '^State:.Z' "/proc/$1/status" 2>/dev/null; }
case "$1 $2" in
"start consentledger")
    # A run that is killed leaves no service behind for long.
    nohup timeout 300 consentledger serve --bind "127.0.0.1:$PORT" --processes 1 --threads 4 \\
        >>"$MACHINE/service.log" 2>&1 </dev/null &
    echo $! >"$MACHINE/service.pid"
    for _ in $(seq 600); do
        curl -s -o /dev/null "$SERVICE/readyz" && exit 0
        sleep 0.05
    done
    cat "$MACHINE/service.log" >&2
    exit 1 ;;
"stop consentledger")
    [ -e "$MACHINE/service.pid" ] || exit 0
    pid=$(cat "$MACHINE/service.pid")
    kill "$pid" 2>/dev/null || true
    for _ in $(seq 900); do gone "$pid" && break; sleep 0.05; done
    rm "$MACHINE/service.pid" ;;
"start postgresql") sudo -u postgres pg_ctl -D "$PGDATA" -l "$PGHOST/server.log" -w start >/dev/null ;;
"stop postgresql") sudo -u postgres pg_ctl -D "$PGDATA" -m fast -w stop >/dev/null ;;
"restart postgresql") systemctl stop postgresql && systemctl start postgresql ;;
*) echo "no such unit: $*" >&2; exit 5 ;;
esac
"""
JOURNALCTL = '#!/bin/sh\nexec tail -n 200 "$MACHINE/service.log"\n'
SUDO = """#!/usr/bin/env bash
shift 2 # -u postgres
if [ -n "${RUN_AS:-}" ]; then exec setpriv --reuid="${RUN_AS%:*}" --regid="${RUN_AS#*:}" --clear-groups "$@"; fi
exec "$@"
"""


def blocks(page: Path, language: str = "sh") -> dict[str, list[str]]:
    """Returns the blocks in a language below each heading of the second or third level, by "second / third".

    Language "" has the outputs.
    """
    found: dict[str, list[str]] = {}
    over = heading = ""
    for part in re.split(r"^(?=##)", page.read_text(), flags=re.M)[1:]:
        title, _, text = part.partition("\n")
        if title.startswith("### "):
            heading = f"{over} / {title[4:]}"
        else:
            over = heading = title[3:]
        fenced = re.findall(r"^```(\w*)\n(.*?)^```", text, re.S | re.M)
        found[heading] = [content for kind, content in fenced if kind == language]
    return found


def unsaid(output: str, said: str) -> list[str]:
    """Returns the lines of a guide's output that `said` has no like of; numbers, names and places may differ."""
    return [line for line in output.splitlines() if not re.search(_like(line), said)]


def _like(line: str) -> str:
    parts = re.split(r"(\S+/log/\w+|/\S+/|[\d,]*\d|…)", line)
    any_of = {"…": ".*", "/": r"/.*/"}
    return "".join(
        re.escape(part)
        if not number % 2
        else any_of.get(
            part if part == "…" else part[0], r"\S+/log/\w+" if "/log/" in part else r"[\d,]+"
        )
        for number, part in enumerate(parts)
    )


@dataclass(slots=True)
class Machine:
    """A folder with programs, an environment, and what was run in it so far."""

    folder: Path
    environment: Mapping[str, str]
    names: list[str] = field(default_factory=list)  # blocks that set names, before every other
    port: int = 0

    def __post_init__(self) -> None:
        self.port = _free_port()
        programs = {
            "consentledger": f'#!/bin/sh\nexec "{sys.executable}" -P -m consentledger "$@"\n',
            "systemctl": SYSTEMCTL,
            "journalctl": JOURNALCTL,
            "sudo": SUDO,
        }
        (self.folder / "bin").mkdir(parents=True)
        for name, text in programs.items():
            file = self.folder / "bin" / name
            file.write_text(text)
            file.chmod(0o755)

    @property
    def address(self) -> str:
        """Where the service answers once it is started."""
        return f"http://127.0.0.1:{self.port}"

    def run(self, *scripts: str) -> str:
        """Runs blocks in one shell, one after the other; returns what they said, or fails with it."""
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("CONSENTLEDGER_", "PG"))}
        environment = {
            **kept,
            "MACHINE": str(self.folder),
            "PORT": str(self.port),
            "SERVICE": self.address,
            **self.environment,
        }
        path = environment.get("PATH", kept["PATH"])
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", "\n".join([*self.names, *scripts])],
            cwd="/",  # another user may not enter our folder
            env={**environment, "PATH": f"{self.folder / 'bin'}:{path}"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            timeout=120,
        )
        assert done.returncode == 0, f"{done.stdout}\n{self.log()}"
        return done.stdout

    def log(self) -> str:
        """What the service said so far."""
        file = self.folder / "service.log"
        return file.read_text() if file.exists() else ""

    def close(self) -> None:
        """Stops the service if it runs."""
        if (self.folder / "service.pid").exists():
            self.run("systemctl stop consentledger")


def _free_port() -> int:
    # Below the range that the system gives to others by itself: nobody takes it in between.
    for port in random.sample(range(20_000, 30_000), 50):
        with socket.socket() as tried:
            try:
                tried.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise RuntimeError("no free port")
