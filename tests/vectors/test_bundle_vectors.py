"""Bundles that were handed out stay valid: these were made when the format was first written."""

from __future__ import annotations

import pytest

from consentledger.verify.bundle import verify_bundle
from tests.vectors.load import DATA


@pytest.mark.parametrize("name", ["bundle-v1.zip", "bundle-v1-tiles.zip"])
def test_a_bundle_of_the_first_days_still_verifies(name: str) -> None:
    policy = (DATA / "bundle-v1.policy.txt").read_bytes()
    with (DATA / name).open("rb") as file:
        report = verify_bundle(file, policy=policy)
    assert report.exit_code == 0, report.text()
    assert report.entries == 17
    assert report.contacts["anna"] == {"s-1 p-1 email": "withdrawn"}
    assert "1 permits and 1 denials" in report.text()


def test_a_bundle_that_first_showed_an_absence_still_verifies() -> None:
    policy = (DATA / "bundle-v1.policy.txt").read_bytes()
    with (DATA / "bundle-v1-absence.zip").open("rb") as file:
        report = verify_bundle(file, policy=policy)
    assert report.exit_code == 0, report.text()
    assert (
        "No later entry under contact anna exists in this log up to 22 entries: label 5 is in none"
        " of its 2 indexes, nor in the 2 entries behind them." in report.text()
    )
