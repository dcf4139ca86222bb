"""Reads a register's file into sorted salted hashes, with their count and root; nothing is written yet."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import IO

from consentledger.ledger.register import entry_hash
from consentledger.registers import adapters
from consentledger.registers.rules import ImportRegister
from consentledger.registers.sorting import Sorter
from consentledger.registers.tree import Summary, summarise


@dataclass(frozen=True, slots=True)
class SortedFile:
    """A register's file as it was read: sorted salted hashes, their tree, and the file's own hash."""

    sorter: Sorter = field(repr=False)
    tree: Summary
    digest: str


def read_sorted(
    command: ImportRegister, salt: bytes, sorter: Sorter, file: IO[bytes]
) -> SortedFile:
    """Reads a register's file into `sorter`; InputError names the first line that is no entry."""
    hashed = _Hashing(file)
    for entry in adapters.read(hashed, command.adapter):  # type: ignore[arg-type] # only readline is used
        sorter.add(entry_hash(salt, entry.text))
    return SortedFile(sorter, summarise(sorter), f"sha256 {hashed.digest.hexdigest()}")


class _Hashing:
    """A file that hashes what is read of it, line by line."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self.digest = hashlib.sha256()

    def readline(self, size: int = -1) -> bytes:
        """Reads a line."""
        data = self._file.readline(size)
        self.digest.update(data)
        return data
