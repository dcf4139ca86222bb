"""A guard for one host: a folder with one small file per log, each replaced as a whole and synced, under one lock."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from consentledger.db.guard.model import NOTHING, Signed, State
from consentledger.kernel.errors import ConfigurationError, IntegrityError
from consentledger.kernel.files import replace_file

# A file that changed so lately may change again within the clock's grain: it is not kept in memory yet.
SETTLED_NS = 100_000_000
_Stamp = tuple[int, int, int]


class FileGuard:
    """A guard for one host in `folder`; `guard_id` ties it to one database."""

    def __init__(self, folder: Path, guard_id: str) -> None:
        self.folder = folder
        self.guard_id = guard_id
        self._kept: dict[str, tuple[_Stamp, State]] = {}
        self._files: dict[str, str] = {}

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
            self._make(name)
        found = json.loads(name.read_text()).get("guard_id")
        if found != self.guard_id:
            raise ConfigurationError(
                f"the guard at {self.folder} belongs to another database (id {found})"
            )

    def _make(self, name: Path) -> None:
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        with self._locked():
            # Web and worker of a new installation start at once: one of them makes it.
            if not name.exists():
                replace_file(name, json.dumps({"guard_id": self.guard_id}).encode())

    def state(self, origin: str) -> State:
        """Reads the log's file; a log without one is not known yet."""
        try:
            with open(self._file(origin), encoding="utf-8") as file:
                found = json.load(file)
        except FileNotFoundError:
            return NOTHING
        if found["origin"] != origin:
            raise IntegrityError(f"the guard's file for {origin} names {found['origin']}")
        size = found["size"]
        signed = None if size is None else Signed(int(size), bytes.fromhex(found["root"]))
        return State(signed, found.get("frozen"))

    def look(self, origin: str) -> State:
        """Asks the file system whether the file changed, and reads it only then."""
        try:
            found = os.stat(self._file(origin))
        except FileNotFoundError:
            return NOTHING
        stamp = (found.st_mtime_ns, found.st_ino, found.st_size)
        kept = self._kept.get(origin)
        if kept is not None and kept[0] == stamp:
            return kept[1]
        state = self.state(origin)
        if time.time_ns() - found.st_mtime_ns > SETTLED_NS:
            self._kept[origin] = (stamp, state)
        return state

    def read(self, origin: str) -> Signed | None:
        """Returns what was last signed for `origin`, or None when nothing was."""
        return self.state(origin).signed

    def frozen(self, origin: str) -> str | None:
        """Returns why a log is frozen, or None."""
        return self.state(origin).frozen

    def swap(self, origin: str, expected: Signed | None, new: Signed) -> bool:
        """Writes `new` durably if the guard still holds `expected` and is not frozen; says whether it did."""
        with self._locked():
            if self.state(origin) != State(expected, None):
                return False
            self._write(origin, State(new, None))
            return True

    def freeze(self, origin: str, reason: str) -> bool:
        """Marks a log frozen, durably; the first reason stays. Says whether this call did it."""
        with self._locked():
            state = self.state(origin)
            if state.frozen is not None:
                return False
            self._write(origin, state._replace(frozen=reason))
            return True

    def thaw(self, origin: str) -> None:
        """Takes the mark away."""
        with self._locked():
            state = self.state(origin)
            if state.frozen is not None:
                self._write(origin, state._replace(frozen=None))

    def origins(self) -> list[str]:
        """Returns every log that the guard knows, sorted."""
        files = (file for file in self.folder.glob("*.json") if file.name != "guard.json")
        return sorted(str(json.loads(file.read_text())["origin"]) for file in files)

    def close(self) -> None:
        """Has nothing to let go of."""

    def _write(self, origin: str, state: State) -> None:
        signed = state.signed
        content: dict[str, object] = {
            "origin": origin,
            "size": signed.size if signed else None,
            "root": signed.root.hex() if signed else None,
        }
        if state.frozen is not None:
            content["frozen"] = state.frozen
        replace_file(Path(self._file(origin)), json.dumps(content).encode())

    def _file(self, origin: str) -> str:
        file = self._files.get(origin)
        if file is None:
            name = hashlib.sha256(origin.encode()).hexdigest()[:32]
            file = self._files[origin] = str(self.folder / f"{name}.json")
        return file

    @contextmanager
    def _locked(self) -> Iterator[None]:
        with open(self.folder / "lock", "a+b") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield
