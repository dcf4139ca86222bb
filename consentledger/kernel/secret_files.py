"""Secrets in files: readable by their owner alone, made once, never overwritten."""

from __future__ import annotations

import contextlib
import hashlib
import os
import secrets
import stat
import tempfile
from base64 import urlsafe_b64encode
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from consentledger.kernel.errors import ConfigurationError

PREFIX = "CONSENTLEDGER_"
SUFFIX = "_FILE"
READERS = stat.S_IRWXG | stat.S_IRWXO


def check_files(names: Iterable[str], environment: Mapping[str, str] | None = None) -> None:
    """Looks at every file that `CONSENTLEDGER_<name>_FILE` names; ConfigurationError when others may read it.

    A link is followed, since container platforms mount secrets as links.
    """
    variables = os.environ if environment is None else environment
    for name in names:
        variable = f"{PREFIX}{name}{SUFFIX}"
        if path := variables.get(variable):
            _check_file(Path(path), variable)


def _check_file(file: Path, variable: str) -> None:
    try:
        found = file.stat()
    except OSError as error:
        raise ConfigurationError(f"{variable}: {file} can't be read: {error.strerror}.") from error
    if not stat.S_ISREG(found.st_mode):
        raise ConfigurationError(f"{variable}: {file} is no file.")
    if found.st_uid not in (0, os.geteuid()):
        raise ConfigurationError(
            f"{variable}: {file} belongs to another user (id {found.st_uid}), who can read and change it. "
            f"Give it to the user that runs the service: chown {os.geteuid()} {file}"
        )
    if found.st_mode & READERS:
        raise ConfigurationError(
            f"{variable}: {file} may be read or changed by others than its owner (mode "
            f"{stat.S_IMODE(found.st_mode):04o}). Run: chmod 600 {file} (Kubernetes: defaultMode: 0400 and the owner "
            "that runs the service; Docker: mode: 0400 and uid)."
        )
    if not os.access(file, os.R_OK):
        raise ConfigurationError(
            f"{variable}: {file} can't be read by this user (id {os.geteuid()}). Run: chown {os.geteuid()} {file}"
        )


def new_key() -> str:
    """Returns 32 random bytes in base64url, 43 characters."""
    return secrets.token_urlsafe(32)


def make_files(folder: Path, names: Iterable[str]) -> dict[str, Path]:
    """Makes a file of mode 0600 for each name that has none, in a folder of mode 0700; returns the new ones."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if folder.stat().st_mode & READERS:
            raise ConfigurationError(f"{folder} may be read by others. Run: chmod 700 {folder}")
        files = {name: file_of(folder, name) for name in names}
        return {name: file for name, file in files.items() if _make(file)}
    except OSError as error:
        raise ConfigurationError(
            f"Cannot write {error.filename or folder}: {error.strerror}. Take a folder of yours."
        ) from error


def file_of(folder: Path, name: str) -> Path:
    """Returns where `make_files` puts a secret."""
    return folder.resolve() / name.lower()


def _make(file: Path) -> bool:
    if file.exists():
        return False
    # Whole or not at all: an empty secret after a crash would never be made again.
    with _beside(file) as draft, contextlib.suppress(FileExistsError):
        os.link(draft, file)  # unlike a rename, it never overwrites
        return True
    return False


def append_key(file: Path, *, in_front: bool = False) -> None:
    """Adds a fresh key to a file's list: at its end, where it acts, or in front, where it is only known.

    The file is replaced as a whole and keeps its owner and mode.
    """
    target = file.resolve()
    listed = target.read_text().strip()
    parts = [new_key(), listed] if in_front else [listed, new_key()]
    with _beside(target, ",".join(part for part in parts if part)) as draft:
        was = target.stat()
        with contextlib.suppress(PermissionError):  # only root may, and only root needs to
            os.chown(draft, was.st_uid, was.st_gid)
        os.chmod(draft, stat.S_IMODE(was.st_mode))
        os.replace(draft, target)


@contextlib.contextmanager
def _beside(file: Path, content: str | None = None) -> Iterator[Path]:
    descriptor, draft = tempfile.mkstemp(dir=file.parent, prefix=f".{file.name}.")
    try:
        with os.fdopen(descriptor, "w") as opened:
            opened.write(new_key() if content is None else content)
            opened.flush()
            os.fsync(opened.fileno())
        yield Path(draft)
    finally:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(draft)


def fingerprint(key: bytes) -> str:
    """Returns a short name for a key, by which two people compare what they have: never the key itself."""
    return urlsafe_b64encode(
        hashlib.sha256(b"consentledger/fingerprint/v1\n" + key).digest()[:9]
    ).decode("ascii")
