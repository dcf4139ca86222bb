"""Web and worker of a new installation start at the same moment, and both need the guard."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

from consentledger.db.guard import FileGuard

AT_ONCE, ROUNDS = 8, 25


def test_a_guard_is_made_once_by_all_who_start_at_once(tmp_path: Path) -> None:
    for n in range(ROUNDS):
        folder, start = tmp_path / str(n), Barrier(AT_ONCE)

        def opened(folder: Path = folder, start: Barrier = start) -> None:
            guard = FileGuard(folder, "one")
            start.wait()
            guard.open(create=True)

        with ThreadPoolExecutor(AT_ONCE) as pool:
            for done in [pool.submit(opened) for _ in range(AT_ONCE)]:
                done.result()
        assert json.loads((folder / "guard.json").read_text()) == {"guard_id": "one"}
