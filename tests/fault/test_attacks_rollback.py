"""The whole database put back to each earlier moment of its life: a start, an append, the signer and fsck name it."""

from __future__ import annotations

import pytest

from consentledger.db.installation import open_installation
from tests.support.history import fill, leaf_hash_at, size_of
from tests.support.past import Past

pytestmark = pytest.mark.fault
EVERYBODY = ("start", "fsck", "append", "signer")


def test_every_earlier_moment_is_named(past: Past) -> None:
    newest = past.history.size
    earlier = [moment for moment in past.moments if moment.size < newest]
    assert len(earlier) > 10
    for moment in earlier:
        with past.copy(moment) as restored:
            seen = restored.seen(*EVERYBODY)
        assert set(seen) == set(EVERYBODY), (moment.size, seen)
        assert f"has {moment.size} entries, but {newest} were signed" in seen["start"][0]
        assert f"tree size {newest}: was signed, but only {moment.size}" in str(seen["fsck"])


def test_loss_behind_the_guard_s_last_write_is_seen_by_who_holds_a_receipt_alone(
    past: Past,
) -> None:
    """The one loss that nothing of ours can show: an entry that was never signed, and a restore."""
    org, size = past.history.organisation_id, past.history.size
    with past.copy() as grown:
        opened = open_installation(grown.settings)
        fill(opened.database, org, 1)
        receipt = leaf_hash_at(opened, org, size)
        opened.database.close()
    with past.copy() as restored:
        assert restored.seen(*EVERYBODY) == {}, "another entry was appended, and signed"
        opened = open_installation(restored.settings)
        found = size_of(opened.database, org), leaf_hash_at(opened, org, size)
        opened.database.close()
    assert found[0] == size + 1
    assert found[1] != receipt, "the receipt's page contradicts what its holder has"
