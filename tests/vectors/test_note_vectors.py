"""Signed notes by Go's sumdb/note and the C2SP specification, policies, proofs and tile paths.

Exceptions: cosignature messages wait for the witnesses' issue. sumdb's tile paths carry the height
(tile/H/L/N); ours are C2SP's, of height 8 and without it, so those of another height and its
partial ones are translated, and only writing is tested (reading tiles is its own issue).
"""

from __future__ import annotations

import base64

import pytest

from consentledger.kernel.errors import VerificationError
from consentledger.ledger import tiles
from consentledger.ledger.note import Signer, Verifier, open_note, sign_note
from consentledger.ledger.proof import TlogProof, parse_tlog_proof
from tests.vectors.load import vectors

SUMDB = vectors("sumdb-note")
C2SP = vectors("c2sp-spec-examples")
PROOFS = vectors("tlog-proof-cases")
PETER = Verifier.from_vkey(SUMDB["vkeys"]["peter"])
ENOCH = Verifier.from_vkey(SUMDB["vkeys"]["enoch"])


def peter_signs() -> Signer:
    data = base64.b64decode(SUMDB["skeys_TEST_ONLY"]["peter"].split("+", 4)[4])
    return Signer.from_seed("PeterNeumann", data[1:])


def test_known_keys_read_and_write_alike() -> None:
    assert [PETER.vkey, ENOCH.vkey] == [SUMDB["vkeys"]["peter"], SUMDB["vkeys"]["enoch"]]
    assert peter_signs().vkey == SUMDB["vkeys"]["peter"]


@pytest.mark.parametrize("vkey", SUMDB["bad_vkeys"])
def test_bad_verifier_keys(vkey: str) -> None:
    with pytest.raises(VerificationError):
        Verifier.from_vkey(vkey)


def test_signature_is_the_known_one() -> None:
    assert sign_note(SUMDB["text"], [peter_signs()]) == SUMDB["text"] + "\n" + SUMDB["sig_peter"]


def test_good_note() -> None:
    both = open_note(SUMDB["good_note"], [PETER, ENOCH])
    assert both.text == SUMDB["text"]
    assert both.verified == (("PeterNeumann", PETER.hash), ("EnochRoot", ENOCH.hash))
    one = open_note(SUMDB["good_note"].encode(), [ENOCH])
    assert one.verified == (("EnochRoot", ENOCH.hash),)
    assert one.unknown == (("PeterNeumann", PETER.hash),)


def test_note_without_a_known_key() -> None:
    with pytest.raises(VerificationError, match="no signature by a known key"):
        open_note(SUMDB["good_note"], [])


@pytest.mark.parametrize("note", SUMDB["malformed"], ids=range(len(SUMDB["malformed"])))
def test_malformed_notes(note: str) -> None:
    with pytest.raises(VerificationError) as caught:
        open_note(note, [PETER, ENOCH])
    assert caught.value.rule == "c2sp.signed-note"


@pytest.mark.parametrize("note", SUMDB["invalid_signature"])
def test_wrong_signature_by_a_known_key(note: str) -> None:
    with pytest.raises(VerificationError, match="signature by PeterNeumann is wrong"):
        open_note(note, [PETER])


def test_c2sp_example() -> None:
    example = C2SP["signed_note"]
    opened = open_note(example["note"], [Verifier.from_vkey(example["vkey"])])
    assert opened.text == "This is an example message.\n"


@pytest.mark.parametrize("case", PROOFS["good"], ids=lambda c: f"index {c['index']}")
def test_good_proofs(case: dict[str, object]) -> None:
    proof = parse_tlog_proof(str(case["text"]))
    hashes = case["hashes_hex"]
    assert isinstance(hashes, list)
    assert proof == TlogProof(
        int(str(case["index"])), tuple(map(bytes.fromhex, hashes)), str(case["checkpoint"]), None
    )
    assert proof.to_text() == case["text"]


@pytest.mark.parametrize("text", PROOFS["bad"], ids=range(len(PROOFS["bad"])))
def test_bad_proofs(text: str) -> None:
    with pytest.raises(VerificationError) as caught:
        parse_tlog_proof(text)
    assert caught.value.rule == "c2sp.tlog-proof"


@pytest.mark.parametrize(("n", "path"), C2SP["tile_index_encoding"])
def test_tile_index(n: int, path: str) -> None:
    assert tiles.tile_index(n) == path


@pytest.mark.parametrize(
    ("path", "tile"), [row for row in SUMDB["tile_paths_h_l_n_w"] if row[1] is not None]
)
def test_tile_path(path: str, tile: list[int]) -> None:
    height, level, n, width = tile
    written = tiles.tile_path(level, n, tiles.WIDTH if width == 1 << height else width)
    assert written == path.replace(f"tile/{height}/", "tile/", 1)


@pytest.mark.parametrize("size", [256, 70000])
def test_tiles_of_a_size(size: int) -> None:
    counted: dict[str, int] = {}
    for level, _, width in tiles.tiles_of(size):
        if width == tiles.WIDTH:
            counted[f"level{level}_full"] = counted.get(f"level{level}_full", 0) + 1
        else:
            counted[f"level{level}_partial"] = width
    assert counted == C2SP[f"tiles_for_size_{size}"]
