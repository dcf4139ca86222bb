"""A PostgreSQL server of our own that a guide may configure, stop, take away and put back."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.support import postgres

CONFIGURATION = """
listen_addresses = ''
unix_socket_directories = '{home}'
max_connections = 60
fsync = off
"""


@dataclass(frozen=True, slots=True)
class Cluster:
    """A stopped cluster in a temporary folder; `environment` is what its tools and guides need."""

    home: Path
    environment: dict[str, str]

    @property
    def url(self) -> str:
        """The address of its database `consentledger`, once that is created."""
        return postgres.Server(self.home, "tests").url("consentledger")


@contextmanager
def cluster(path: str) -> Iterator[Cluster | None]:
    """Makes a cluster and stops it at the end whatever became of it; None when there are no binaries.

    `path` is the PATH that its binaries are put in front of.
    """
    home = Path(tempfile.mkdtemp(prefix="cl-pg-"))
    try:
        binaries = postgres.installed_binaries() or postgres.wheel_binaries(home)
        if binaries is None:
            yield None
            return
        account = postgres._account()
        postgres._hand_over(home, account)
        postgres._initialise(binaries, home, account)
        with (home / "data" / "postgresql.conf").open("a") as file:
            file.write(CONFIGURATION.format(home=home))
        environment = {
            "PATH": f"{binaries}:{path}",
            "PGDATA": str(home / "data"),
            "PGHOST": str(home),
            "PGUSER": "tests",
            "PGDATABASE": "postgres",
            "RUN_AS": f"{account.pw_uid}:{account.pw_gid}" if account else "",
            "LC_ALL": "C.UTF-8",
            "TZ": "UTC",
        }
        try:
            yield Cluster(home, environment)
        finally:
            words = [str(binaries / "pg_ctl"), "-D", str(home / "data"), "-m", "immediate", "stop"]
            subprocess.run(  # type: ignore[call-overload]
                words, check=False, capture_output=True, timeout=60, **postgres._as_user(account)
            )
    finally:
        shutil.rmtree(home, ignore_errors=True)
