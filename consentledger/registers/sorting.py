"""Sorts any number of hashes in flat memory: runs in an unlinked file, merged while they are read."""

from __future__ import annotations

import heapq
import tempfile
from collections.abc import Iterator
from types import TracebackType
from typing import IO, Any

RUN = 200_000
WIDTH = 32
_READ = 4_096 * WIDTH


class Sorter:
    """Takes hashes of 32 bytes in any order and gives them sorted, none twice; a context manager."""

    def __init__(self, run: int = RUN) -> None:
        self._size = run
        self._run: list[bytes] = []
        self._ends: list[int] = [0]
        self._file: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 - closed by __exit__

    def __enter__(self) -> Sorter:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._file.close()

    def add(self, one: bytes) -> None:
        """Takes one hash."""
        self._run.append(one)
        if len(self._run) >= self._size:
            self._spill()

    def __iter__(self) -> Iterator[bytes]:
        self._spill()
        last = None
        starts = zip(self._ends, self._ends[1:], strict=False)
        for one in heapq.merge(*(self._stored(start, end) for start, end in starts)):
            if one != last:
                last = one
                yield one

    def _spill(self) -> None:
        if self._run:
            self._file.seek(self._ends[-1])
            self._file.write(b"".join(sorted(set(self._run))))
            self._ends.append(self._file.tell())
            self._run = []

    def _stored(self, start: int, end: int) -> Iterator[bytes]:
        while start < end:
            self._file.seek(start)
            block = self._file.read(min(_READ, end - start))
            start += len(block)
            yield from _parts(block)


def _parts(block: bytes) -> Any:
    return (block[i : i + WIDTH] for i in range(0, len(block), WIDTH))
