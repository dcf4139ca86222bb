"""GET /log/proofs/{index}: what is answered verifies offline, and is one's own only."""

from __future__ import annotations

import base64

import pytest

from consentledger.db.installation import Installation
from consentledger.ledger.checkpoint import open_checkpoint
from consentledger.ledger.merkle import verify_inclusion
from consentledger.ledger.note import Verifier
from consentledger.ledger.proof import parse_tlog_proof
from tests.factories import Cast
from tests.support.history import checkpoints, fill, leaf_hash_at, size_of
from tests.web.api.caller import Caller


@pytest.fixture
def sizes(installation: Installation, cast: Cast) -> list[int]:
    """The sizes of two published checkpoints of alice's; one entry more is not signed yet."""
    org, database = cast.alice.organisation_id, installation.database
    for count in (0, 300):
        fill(database, org, count)
        installation.signer.sign(org)
    fill(database, org, 1)
    found = [one.size for one in checkpoints(database, org)]
    assert len(found) == 2
    return found


def test_a_proof_verifies_offline(
    installation: Installation, cast: Cast, alice: Caller, sizes: list[int]
) -> None:
    org, origin = cast.alice.organisation_id, cast.alice.organisation.origin
    verifier = Verifier.from_vkey(installation.signer.vkey(origin))
    for index, query, size in (
        (0, "", sizes[1]),
        (sizes[0] - 1, f"?size={sizes[0]}", sizes[0]),
        (sizes[0], "", sizes[1]),
        (sizes[1] - 1, f"?size={sizes[1]}", sizes[1]),
    ):
        told = alice.get(f"/log/proofs/{index}{query}")
        digest = bytes.fromhex(told["leaf_hash"])
        assert digest == leaf_hash_at(installation, org, index)
        signed = open_checkpoint(told["checkpoint"], [verifier])
        assert (told["index"], told["size"], signed.size) == (index, size, size)
        path = [base64.b64decode(one, validate=True) for one in told["hashes"]]
        verify_inclusion(digest, index, size, path, signed.root)
        file = parse_tlog_proof(told["tlog_proof"])
        assert (file.index, list(file.hashes), file.checkpoint) == (
            index, path, told["checkpoint"],
        )  # fmt: skip


def test_what_no_checkpoint_covers_is_not_there(
    installation: Installation, cast: Cast, alice: Caller, sizes: list[int]
) -> None:
    size = size_of(installation.database, cast.alice.organisation_id)
    assert size == sizes[1] + 1
    for path in (
        f"{size - 1}", f"{size}", f"{2**53}", "9" * 40, "-1", "1.0", "x", "٣",
        f"{sizes[0]}?size={sizes[0]}", f"0?size={sizes[0] + 1}", f"0?size={size}",
    ):  # fmt: skip
        assert alice.call("GET", f"/log/proofs/{path}").status_code == 404, path


def test_wrong_sizes_are_named(alice: Caller, sizes: list[int]) -> None:
    for size in ("0", "-1", "x", str(2**53)):
        answer = alice.call("GET", f"/log/proofs/0?size={size}")
        assert answer.status_code in (400, 422), size
        assert answer.get_json()["errors"][0]["field"] == "size"


def test_a_stranger_and_a_key_without_the_scope_get_nothing(
    alice: Caller, bob: Caller, charlie: Caller, sizes: list[int]
) -> None:
    assert alice.call("GET", "/log/proofs/0").status_code == 200
    assert bob.call("GET", "/log/proofs/0").status_code == 403
    assert charlie.call("GET", "/log/proofs/0").status_code == 404, "nothing of his is signed"
