"""Looks for planted words in files, as they were given, in other letters' cases, and in usual encodings."""

from __future__ import annotations

from base64 import b64encode, urlsafe_b64encode
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

CHUNK = 32 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Needle:
    """One spelling of a planted word; `folded` ones are looked for without regard to ASCII case."""

    word: str
    spelling: str
    content: bytes
    folded: bool


def needles(words: Iterable[str]) -> list[Needle]:
    """Every spelling of every word: UTF-8, UTF-16, hexadecimal, and base64 at its three offsets."""
    found: dict[bytes, Needle] = {}
    for word in words:
        for text in {word, word.casefold(), word.upper()}:
            for needle in _spellings(word, text):
                found.setdefault(needle.content, needle)
    return list(found.values())


def _spellings(word: str, text: str) -> Iterator[Needle]:
    content = text.encode()
    yield Needle(word, "utf-8", content.lower(), True)
    yield Needle(word, "utf-16-le", text.encode("utf-16-le").lower(), True)
    yield Needle(word, "utf-16-be", text.encode("utf-16-be").lower(), True)
    yield Needle(word, "hexadecimal", content.hex().encode(), True)
    for offset in range(3):
        for name, encode in (("base64", b64encode), ("base64url", urlsafe_b64encode)):
            whole = encode(b"\0" * offset + content).rstrip(b"=")
            # What stands at the ends depends on the neighbours: only whole groups of our own octets count.
            first = 0 if offset == 0 else 4
            last = (offset + len(content)) // 3 * 4
            yield Needle(word, f"{name} at {offset}", whole[first:last], False)


def search(files: Mapping[str, bytes], wanted: Iterable[Needle]) -> list[str]:
    """Says where which word stands in which spelling."""
    hits, sought = [], list(wanted)
    for name, content in files.items():
        lower = content.lower()
        for needle in sought:
            if needle.content in (lower if needle.folded else content):
                hits.append(f"{name}: {needle.word} ({needle.spelling})")
    return hits


def contents(*places: Path, since: float = 0.0) -> dict[str, bytes]:
    """Reads every file below these places that was written since that moment."""
    found = {}
    for place in places:
        for file in sorted([place] if place.is_file() else place.rglob("*")):
            if file.is_file() and file.stat().st_mtime >= since:
                found[str(file)] = file.read_bytes()
    return found
