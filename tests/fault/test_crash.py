"""kill -9 at any moment under load: nothing that was acknowledged is lost, doubled, or told otherwise.

`python -m bench crash` does the same for as long as it takes to kill two hundred times.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.crash import Plan, crashing

pytestmark = pytest.mark.fault
KILLS = {"sqlite": 9, "postgresql": 12}


@pytest.mark.parametrize("engine", KILLS)
def test_nothing_acknowledged_is_lost(
    engine: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    with crashing(engine, tmp_path) as run:
        if run is None:
            request.getfixturevalue("postgres")  # says what is missing
            return
        told = run.go(Plan(kills=KILLS[engine], seed=2026))
    assert told.violations == []
    kinds = {"web", "worker", "tree"} | ({"postgresql"} if engine == "postgresql" else set())
    assert dict(told.kills) == dict.fromkeys(kinds, 3)
    assert told.checks == KILLS[engine] // 4 + 1
    assert told.acknowledged >= told.sign_ups > 0
    assert told.entries >= 3 * told.sign_ups, "asked, prepared, handled"
    assert told.checkpoints
    assert 0 < told.messages <= told.mails
