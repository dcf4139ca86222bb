"""The released versions of the element <consent-form>: files that never change, each with the hash that pins it."""

from __future__ import annotations

import re
from base64 import b64encode
from dataclasses import dataclass
from functools import cache
from hashlib import sha384
from pathlib import Path

FOLDER = Path(__file__).resolve().parent.parent / "static" / "embed"
_VERSION = re.compile(r"(\d+)\.(\d+)\.(\d+)\Z", re.ASCII)


@dataclass(frozen=True, slots=True)
class Release:
    """One version; `integrity` is what `<script integrity>` takes (W3C Subresource Integrity), SHA-384."""

    version: str
    file: Path
    integrity: str


@cache
def releases() -> tuple[Release, ...]:
    """Returns all released versions, oldest first; read once per process."""
    found = [file for file in FOLDER.glob("*.js") if _VERSION.match(file.stem)]
    return tuple(_release(file) for file in sorted(found, key=_number))


def newest() -> Release:
    """Returns the version that /embed.js answers with."""
    return releases()[-1]


def _number(file: Path) -> tuple[int, ...]:
    return tuple(int(part) for part in file.stem.split("."))


def _release(file: Path) -> Release:
    digest = b64encode(sha384(file.read_bytes()).digest()).decode("ascii")
    return Release(file.stem, file, f"sha384-{digest}")
