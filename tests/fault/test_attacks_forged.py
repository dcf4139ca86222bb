"""An insider who makes the tree right again: what each of the keys that they lack still shows, and to whom."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from consentledger.db.guard import FileGuard
from consentledger.db.installation import open_installation
from consentledger.evidence.service import ExportEvidence, export
from consentledger.kernel.errors import VerificationError
from consentledger.ledger.checkpoint import open_checkpoint
from consentledger.ledger.merkle import verify_inclusion
from consentledger.ledger.proof import TlogProof
from consentledger.verify.bundle import verify_bundle
from tests.support.attacks import Attacked, by_hand
from tests.support.forging import Forger
from tests.support.history import ANNA, proof_of
from tests.support.past import FILLED, Past

pytestmark = pytest.mark.fault


@dataclass(frozen=True, slots=True)
class Inside:
    """A copy of the database that somebody changes by hand."""

    past: Past
    attacked: Attacked
    forger: Forger


@pytest.fixture
def inside(past: Past) -> Iterator[Inside]:
    with past.copy() as copied, by_hand(copied.settings.database_url) as connection:
        yield Inside(past, copied, Forger(connection, past.history))


def with_key(inside: Inside) -> Forger:
    key = inside.attacked.settings.secrets.append_keys[-1]
    return Forger(inside.forger.connection, inside.forger.history, key)


def test_a_row_without_a_head_is_in_the_way_of_the_next(inside: Inside) -> None:
    inside.forger.put(inside.forger.leaf(FILLED))
    seen = inside.attacked.seen("start", "fsck", "append", "signer")
    size = inside.forger.history.size
    assert set(seen) == {"fsck", "append"}
    assert f"log_head: its size is {size}, there are {size + 1} leaves" in seen["fsck"]


def test_a_row_with_the_right_head_but_without_append_key_is_never_signed(inside: Inside) -> None:
    inside.forger.append(inside.forger.leaf(FILLED))
    seen = inside.attacked.seen("start", "fsck", "append", "signer")
    assert set(seen) == {"fsck", "append", "signer"}
    for said in seen.values():
        assert any("was changed by hand" in line for line in said)


def test_an_entry_rewritten_with_append_key_contradicts_the_guard(inside: Inside) -> None:
    with_key(inside).repeat(FILLED, FILLED + 1)
    seen = inside.attacked.seen("start", "fsck", "append", "signer")
    assert set(seen) == {"start", "fsck", "append", "signer"}
    for who in ("start", "append", "signer"):
        assert "was forked: the same size" in seen[who][0]
    size = inside.forger.history.size
    assert f"guard: another root was signed at {size} entries: a fork" in seen["fsck"]
    assert any(line.startswith(f"log_checkpoint {size}: its root") for line in seen["fsck"])


def test_a_fork_that_grew_past_the_guard_is_never_signed(inside: Inside) -> None:
    forger = with_key(inside)
    forger.repeat(FILLED, FILLED + 1)
    forger.append(forger.leaf(FILLED))
    seen = inside.attacked.seen("start", "fsck", "append", "signer")
    assert set(seen) == {"fsck", "signer"}, "the signer walks the tree, and freezes the log for all"
    assert "does not extend what was signed" in seen["signer"][0]
    assert set(inside.attacked.seen("start", "append")) == {"start", "append"}


def test_with_append_key_and_the_guard_the_published_checkpoints_still_show_it(
    inside: Inside,
) -> None:
    forger = with_key(inside)
    forger.repeat(FILLED, FILLED + 1)
    move_guard(inside)
    seen = inside.attacked.seen("start", "fsck", "append", "signer")
    assert set(seen) == {"fsck"}
    wrong = [line for line in seen["fsck"] if line.startswith("log_checkpoint ")]
    assert len(wrong) == 2, "those that cover the entry"


def test_with_everything_but_what_others_hold_only_they_can_tell(inside: Inside) -> None:
    forger, history = with_key(inside), inside.forger.history
    forger.repeat(FILLED, FILLED + 1)
    forger.forget_checkpoints()
    move_guard(inside)
    assert set(inside.attacked.seen("start", "signer")) == set()
    past, file = inside.past, io.BytesIO()
    held = open_checkpoint(past.held.checkpoint, [past.verifier])
    proves(past, past.held)
    opened = open_installation(inside.attacked.settings)
    try:
        shown = proof_of(opened, history.organisation_id, FILLED)
        export(opened, ExportEvidence(history.organisation_id, ANNA, since=held.size), file)
    finally:
        opened.database.close()
    with pytest.raises(VerificationError):
        proves(past, shown)
    since = past.held.checkpoint.encode()
    report = verify_bundle(file, policy=past.policy, since=since)
    assert report.exit_code != 0, "whoever kept a checkpoint asks for its continuation"


def proves(past: Past, proof: TlogProof) -> None:
    """Holds the entry that somebody has a receipt of against a proof; VerificationError if it is not there."""
    signed = open_checkpoint(proof.checkpoint, [past.verifier])
    path = list(proof.hashes)
    verify_inclusion(past.held_hash, FILLED, signed.size, path, signed.root)


def move_guard(inside: Inside) -> None:
    """Somebody who reaches the guard, too, makes it say what the database says."""
    guard = FileGuard(Path(str(inside.attacked.settings.guard)), "any")
    origin = inside.forger.history.origin
    assert guard.swap(origin, guard.read(origin), inside.forger.signed())
