"""A rule pack's file from anywhere, with the packs that it inherits from: beside it, else the installation's."""

from __future__ import annotations

from pathlib import Path

from consentledger.kernel.errors import InputError, NotFoundError
from consentledger.law.pack import Pack
from consentledger.law.reading import packs
from consentledger.law.reading.loading import MAX_BYTES, inherits
from consentledger.law.reading.schemas import Checked, check, check_versions


def read(path: Path) -> bytes:
    """Reads a pack's file; InputError when it can't be read."""
    try:
        with path.open("rb") as file:
            return file.read(MAX_BYTES + 1)
    except OSError as error:
        raise InputError(
            f"{path} can't be read: {error.strerror}", field="file", reason="unreadable"
        ) from error


def checked(path: Path) -> Checked:
    """Holds a file to its schema and to sense, and to the version before it; every slip is named."""
    data = read(path)
    found = check(data, _parents(path, data), file=path.name)
    _check_place(found.pack)
    return found


def follows(pack: Pack) -> Pack | None:
    """Returns the version before this one that the installation brings, None when there is none."""
    older = [
        packs.pack(name)
        for name in packs.names()
        if name.partition("@")[0] == pack.id and int(name.partition("@")[2]) < int(pack.version)
    ]
    return older[-1] if older else None


def _check_place(pack: Pack) -> None:
    before = follows(pack)
    if before is None:
        return
    try:
        check_versions([before, pack])
    except InputError as error:
        # An open version ends where the next one begins: in a rulebook the highest in force decides.
        if error.reason != "overlap" or before.valid_until is not None:
            raise


def _parents(path: Path, data: bytes) -> dict[str, bytes]:
    found: dict[str, bytes] = {}
    try:
        parent = inherits(data)
        while parent is not None and parent not in found:
            beside = _beside(path, parent)
            found[parent] = packs.pack_bytes(parent) if beside is None else beside
            parent = inherits(found[parent])
    except (InputError, NotFoundError):
        pass  # the check itself says what is wrong or missing, and in which file
    return found


def _beside(path: Path, name: str) -> bytes | None:
    pack_id, _, version = name.partition("@")
    for file in (f"{pack_id}-{version}.toml", f"{pack_id}.toml" if version == "1" else ""):
        candidate = path.with_name(file) if file else None
        if candidate is not None and candidate.is_file():
            return read(candidate)
    return None
