"""The guard: what was last signed, kept outside the database's backup set, moved on by compare-and-swap.

A restored, truncated or forked database contradicts it, so nothing of that kind is signed. For one host: a folder
with one small file per log, each replaced as a whole and synced, under one lock.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from consentledger.kernel.errors import ConfigurationError, IntegrityError


@dataclass(frozen=True, slots=True)
class Signed:
    """The size and root that were last given to the signer."""

    size: int
    root: bytes


class FileGuard:
    """A guard for one host in `folder`; `guard_id` ties it to one database."""

    def __init__(self, folder: Path, guard_id: str) -> None:
        self.folder = folder
        self.guard_id = guard_id

    def open(self, *, create: bool) -> None:
        """Checks that the folder is this database's guard; makes it only for a database that has none yet."""
        name = self.folder / "guard.json"
        if not name.exists():
            if not create:
                raise ConfigurationError(
                    f"the guard of this database (id {self.guard_id}) is not at {self.folder}. "
                    "Set CONSENTLEDGER_GUARD to where it is: without it nobody can tell "
                    "a restored database from a true one."
                )
            self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            _replace(name, json.dumps({"guard_id": self.guard_id}).encode())
        found = json.loads(name.read_text()).get("guard_id")
        if found != self.guard_id:
            raise ConfigurationError(
                f"the guard at {self.folder} belongs to another database (id {found})"
            )

    def read(self, origin: str) -> Signed | None:
        """Returns what was last signed for `origin`, or None when nothing was."""
        try:
            state = json.loads(self._file(origin).read_text())
        except FileNotFoundError:
            return None
        if state["origin"] != origin:
            raise IntegrityError(f"the guard's file for {origin} names {state['origin']}")
        return Signed(int(state["size"]), bytes.fromhex(state["root"]))

    def swap(self, origin: str, expected: Signed | None, new: Signed) -> bool:
        """Writes `new` durably if the guard still holds `expected`; says whether it did."""
        with self._locked():
            if self.read(origin) != expected:
                return False
            state = {"origin": origin, "size": new.size, "root": new.root.hex()}
            _replace(self._file(origin), json.dumps(state).encode())
            return True

    def _file(self, origin: str) -> Path:
        return self.folder / f"{hashlib.sha256(origin.encode()).hexdigest()[:32]}.json"

    @contextmanager
    def _locked(self) -> Iterator[None]:
        with open(self.folder / "lock", "a+b") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield


def _replace(path: Path, content: bytes) -> None:
    temporary = path.with_suffix(".new")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    os.replace(temporary, path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
