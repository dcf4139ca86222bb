"""The history that attacks are made on, once per engine and test process."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.past import Past, made_past


@pytest.fixture(scope="session", params=["sqlite", "postgresql"])
def past(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Past]:
    """A rich history on each engine in turn."""
    folder = tmp_path_factory.mktemp("past")
    if request.param == "sqlite":
        url = request.getfixturevalue("sqlite").copy(folder)
        with made_past(url, folder, None) as made:
            yield made
        return
    postgres = request.getfixturevalue("postgres")
    with postgres.clone() as url, made_past(url, folder, postgres) as made:
        yield made
