"""The copies in data/ are the shared originals, byte by byte, and each names its origin."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.vectors.load import DATA, vectors

SHARED = Path(__file__).parents[2] / ".." / "shared" / "vectors"
NAMES = sorted(path.stem for path in DATA.glob("*.json"))


@pytest.mark.parametrize("name", NAMES)
def test_each_file_names_its_origin(name: str) -> None:
    provenance = vectors(name)["provenance"]
    assert provenance["repo"].startswith("github.com/")
    assert provenance["licence"]


def test_copies_equal_the_originals() -> None:
    if not SHARED.is_dir():
        pytest.skip("the shared vectors are only beside the team's checkouts")
    originals = sorted(path.name for path in SHARED.glob("*.json"))
    if os.environ.get("CI") == "true":
        assert originals, "../shared/vectors exists but could not be read"
    assert originals == [f"{name}.json" for name in NAMES]
    for name in originals:
        assert (DATA / name).read_bytes() == (SHARED / name).read_bytes()
