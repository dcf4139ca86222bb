"""The files that --entries names: archives of this log, streamed, and bundles, merged by index."""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any
from uuid import UUID

from consentledger.db.installation import Installation
from consentledger.db.models import LogHead
from consentledger.kernel.errors import InputError
from consentledger.recovery import archive
from consentledger.recovery.bundles import Resealer, read_bundle
from consentledger.recovery.model import SavedEntry


class Sources:
    """What the files hold of one log's entries [low, high); archives are read anew each time, bundles once."""

    def __init__(
        self,
        installation: Installation,
        head: LogHead,
        paths: Sequence[Path],
        wanted: tuple[int, int],
    ) -> None:
        self._low, self._high = wanted
        self._archives: list[Path] = []
        self._bundled: dict[int, SavedEntry] = {}
        self.ignored: list[Path] = []
        for path in paths:
            header = archive.read_header(path)
            if header is None:
                self._read_bundle(installation, head, path)
            elif (header.organisation, header.began_as) == (
                str(head.organisation_id),
                head.began_as,
            ):
                self._archives.append(path)
            else:
                self.ignored.append(path)

    def entries(self) -> Iterator[SavedEntry]:
        """Yields the entries in order, each index once; an archive's entry is preferred to a bundle's."""
        archived = archive.read_entries(self._archives, self._low, self._high)
        bundled = (self._bundled[index] for index in sorted(self._bundled))
        last = -1
        for entry in heapq.merge(archived, bundled, key=lambda entry: entry.index):
            if entry.index != last:
                yield entry
            last = entry.index

    def other_rows(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """Yields (table, row) of what no leaf tells."""
        return archive.other_rows(self._archives)

    def _read_bundle(self, installation: Installation, head: LogHead, path: Path) -> None:
        with installation.database.read() as session:
            resealer = Resealer(session, installation.keystore, head.organisation_id, head.began_as)
            origins = (head.origin, head.began_as)
            found = read_bundle(path, origins, resealer, self._low, self._high)
            if found is None:
                self.ignored.append(path)
                return
            for entry in found:
                self._bundled.setdefault(entry.index, entry)


def check_paths(paths: Sequence[Path], organisations: Sequence[UUID]) -> None:
    """Refuses a file that belongs to no log of this installation, before anything is done."""
    known = {str(one) for one in organisations}
    for path in paths:
        header = archive.read_header(path)
        if header is not None and header.organisation not in known:
            raise InputError(
                f"{path} holds entries of a log that is not here ({header.origin})",
                field="entries",
                reason="unknown",
            )
