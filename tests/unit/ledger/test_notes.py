"""Notes, checkpoints, policies, proofs and the one Ed25519 rule, under attack."""

from __future__ import annotations

import base64

import pytest

from consentledger.kernel.errors import VerificationError
from consentledger.ledger import ed25519, strict
from consentledger.ledger.checkpoint import (
    Checkpoint,
    open_checkpoint,
    parse_checkpoint,
    sign_checkpoint,
)
from consentledger.ledger.merkle import EMPTY_ROOT
from consentledger.ledger.note import Signer, Verifier, open_note, sign_note
from consentledger.ledger.policy import make_policy, parse_policy
from consentledger.ledger.proof import TlogProof, parse_tlog_proof

ORIGIN = "shop.example/log/7a"
SIGNER = Signer.from_seed(ORIGIN, bytes(range(32)))
OTHER = Signer.from_seed("other.example/log/1", bytes(32))
CHECKPOINT = Checkpoint(ORIGIN, 7, bytes(range(32)))
ROOT = base64.b64encode(bytes(range(32))).decode()
P = 2**255 - 19
L = 2**252 + 27742317777372353535851937790883648493


def test_checkpoint_round_trip() -> None:
    note = sign_checkpoint(CHECKPOINT, [SIGNER])
    assert note.startswith(f"{ORIGIN}\n7\n{ROOT}\n\n— {ORIGIN} ")
    assert open_checkpoint(note, [SIGNER.verifier]) == CHECKPOINT
    assert open_checkpoint(note.encode(), [OTHER.verifier, SIGNER.verifier]) == CHECKPOINT


def test_checkpoint_by_another_key() -> None:
    note = sign_checkpoint(CHECKPOINT, [SIGNER])
    with pytest.raises(VerificationError, match="no signature by a known key"):
        open_checkpoint(note, [OTHER.verifier])
    forged = sign_note(CHECKPOINT.text(), [Signer.from_seed(ORIGIN, bytes(32))])
    with pytest.raises(VerificationError, match="no signature by a known key"):
        open_checkpoint(forged, [SIGNER.verifier])


def test_a_known_key_of_another_log_does_not_count() -> None:
    note = sign_note(CHECKPOINT.text(), [OTHER])
    with pytest.raises(VerificationError, match="no key of shop"):
        open_checkpoint(note, [SIGNER.verifier, OTHER.verifier])
    with pytest.raises(ValueError, match="origin"):
        sign_checkpoint(CHECKPOINT, [OTHER])


def test_two_keys_in_an_overlap() -> None:
    newer = Signer.from_seed(ORIGIN, b"n" * 32)
    note = sign_checkpoint(CHECKPOINT, [SIGNER, newer])
    for signer in (SIGNER, newer):
        assert open_checkpoint(note, [signer.verifier]) == CHECKPOINT
    broken = note.replace(newer.sign(CHECKPOINT.text()), newer.sign("x\n"))
    assert open_checkpoint(broken, [SIGNER.verifier]) == CHECKPOINT
    with pytest.raises(VerificationError, match="is wrong"):
        open_checkpoint(broken, [SIGNER.verifier, newer.verifier])


@pytest.mark.parametrize(
    "text",
    [
        f"{ORIGIN}\n07\n{ROOT}\n",
        f"{ORIGIN}\n+7\n{ROOT}\n",
        f"{ORIGIN}\n 7\n{ROOT}\n",
        f"{ORIGIN}\n1_0\n{ROOT}\n",
        f"{ORIGIN}\n١٢\n{ROOT}\n",
        f"{ORIGIN}\n-7\n{ROOT}\n",
        f"{ORIGIN}\n9223372036854775808\n{ROOT}\n",
        f"{ORIGIN}\n{'9' * 40}\n{ROOT}\n",
        f"{ORIGIN}\n7\n{ROOT}\nextension\n",
        f"{ORIGIN}\n7\n{ROOT}",
        f"{ORIGIN}\n7\n{ROOT}\r\n",
        f"{ORIGIN}\n7\n{ROOT[:-1]}\n",
        f"{ORIGIN}\n7\n{ROOT[:-2]}9=\n",
        f"{ORIGIN}\n7\n{ROOT.replace('=', '')}\n",
        f"{ORIGIN}\n7\nQR==\n",
        f"{ORIGIN}\n7\n{ROOT[:20]}\u2028{ROOT[20:]}\n",
        f"{ORIGIN} x\n7\n{ROOT}\n",
        f"{ORIGIN}\x85\n7\n{ROOT}\n",
        f"\n7\n{ROOT}\n",
        f"{ORIGIN}\n0\n{ROOT}\n",
        "",
        "\n",
    ],
    ids=range(22),
)
def test_a_lax_checkpoint_is_refused(text: str) -> None:
    with pytest.raises(VerificationError):
        parse_checkpoint(text)


def test_the_empty_tree_has_one_root() -> None:
    empty = Checkpoint(ORIGIN, 0, EMPTY_ROOT)
    assert parse_checkpoint(empty.text()) == empty


def test_bytes_that_are_no_utf_8() -> None:
    with pytest.raises(VerificationError):
        parse_checkpoint(b"\xff\n7\nx\n")
    with pytest.raises(VerificationError):
        open_note(b"a\n\n\xe2\x80\x94 \xff x\n", [])
    with pytest.raises(VerificationError):
        open_note("a\ud800\n\n— a AAAAAAAA\n", [])


def test_a_huge_note_is_refused() -> None:
    with pytest.raises(VerificationError, match="megabyte"):
        open_note("a" * 1_000_001, [])


@pytest.mark.parametrize("name", ["", "a b", "a+b", "a\u2003b", "a\nb"])
def test_bad_key_names(name: str) -> None:
    with pytest.raises(VerificationError):
        Signer.from_seed(name, bytes(32))


def encoded(y: int, sign: int = 0) -> bytes:
    return (y | sign << 255).to_bytes(32, "little")


def order_eight_y() -> list[int]:
    """The y coordinates of the points of order 8, worked out from the curve: 2Q has y = 0."""
    d = -121665 * pow(121666, P - 2, P) % P
    # For a point of order 8, x^2 = -y^2 after doubling gives y = 0: d*y^4 + 2*y^2 - 1 = 0.
    root = pow(1 + d, (P + 3) // 8, P)
    if root * root % P != (1 + d) % P:
        root = root * pow(2, (P - 1) // 4, P) % P
    assert root * root % P == (1 + d) % P
    found = []
    for r in (root, P - root):
        square = (r - 1) * pow(d, P - 2, P) % P
        y = pow(square, (P + 3) // 8, P)
        if y * y % P != square:
            y = y * pow(2, (P - 1) // 4, P) % P
        if y * y % P == square:
            found += [y, P - y]
    return found


def test_no_point_of_small_order() -> None:
    order_eight = order_eight_y()
    assert len(order_eight) == 2
    for y in (0, 1, P - 1, *order_eight):
        for sign in (0, 1):
            assert not ed25519.is_sound_point(encoded(y, sign))
            with pytest.raises(VerificationError):
                Verifier.from_vkey(Verifier("x", encoded(y, sign)).vkey)


@pytest.mark.parametrize("y", range(P, 2**255))
def test_no_point_that_is_not_canonical(y: int) -> None:
    assert not ed25519.is_sound_point(encoded(y))


def test_one_signature_has_one_spelling() -> None:
    message = b"message"
    line = SIGNER.sign("message").split(" ")[2]
    signature = base64.b64decode(line)[4:]
    key = SIGNER.verifier.public_key
    assert ed25519.verify(key, signature, message)
    s = int.from_bytes(signature[32:], "little") + L
    assert not ed25519.verify(key, signature[:32] + s.to_bytes(32, "little"), message)
    assert not ed25519.verify(key, signature + b"\x00", message)
    assert not ed25519.verify(key, signature[:-1], message)
    assert not ed25519.verify(key, encoded(1) + signature[32:], message)
    assert not ed25519.verify(key, signature, b"massage")
    assert not ed25519.verify(key[:-1], signature, message)


def test_policy_round_trip() -> None:
    policy = make_policy([SIGNER.vkey, OTHER.vkey])
    assert parse_policy(policy.text()) == policy
    commented = f"# ours\n\n \tlog  {SIGNER.vkey}\thttps://log.example/\n#x\nquorum none\n"
    assert parse_policy(commented).logs == (SIGNER.verifier,)


def witness(name: str, seed: bytes) -> str:
    import hashlib

    data = b"\x04" + seed
    hash_ = hashlib.sha256(name.encode() + b"\n" + data).digest()[:4].hex()
    return f"{name}+{hash_}+{base64.b64encode(data).decode()}"


def test_policy_with_witnesses() -> None:
    lines = (
        f"log {SIGNER.vkey}\nwitness W1 {witness('w', bytes(32))}\n"
        f"witness W2 {witness('w', b'2' * 32)}\ngroup G 2 W1 W2\n"
    )
    assert parse_policy(lines + "quorum none\n").logs == (SIGNER.verifier,)
    with pytest.raises(VerificationError, match=r"asks for cosignatures \(G\)"):
        parse_policy(lines + "quorum G\n")


@pytest.mark.parametrize(
    "text",
    [
        "quorum none\n",
        f"log {SIGNER.vkey}\n",
        f"log {SIGNER.vkey}\nquorum none\nquorum none\n",
        f"log {SIGNER.vkey}\nquorum W\n",
        f"log {SIGNER.vkey}\nlog {SIGNER.vkey}\nquorum none\n",
        f"log {SIGNER.vkey} a b\nquorum none\n",
        f"log\u00a0{SIGNER.vkey}\nquorum none\n",
        f"log {SIGNER.vkey}\r\nquorum none\n",
        f"log {SIGNER.vkey[:-1]}\nquorum none\n",
        f"log {SIGNER.vkey}\nwitness none {witness('w', bytes(32))}\nquorum none\n",
        f"log {SIGNER.vkey}\nwitness W {SIGNER.vkey}\nquorum none\n",
        f"log {SIGNER.vkey}\ngroup G 1 X\nquorum none\n",
        f"log {SIGNER.vkey}\nwitness W {witness('w', bytes(32))}\ngroup G 2 W\nquorum none\n",
        f"log {SIGNER.vkey}\nwitness W {witness('w', bytes(32))}\ngroup G 0 W\nquorum none\n",
        f"log {SIGNER.vkey}\nsomething else\nquorum none\n",
        "",
        "\x00",
    ],
    ids=range(17),
)
def test_bad_policies(text: str) -> None:
    with pytest.raises(VerificationError):
        parse_policy(text)


def test_proof_round_trip() -> None:
    note = sign_checkpoint(CHECKPOINT, [SIGNER])
    for extra in (None, b"", b"leaf bytes\n"):
        proof = TlogProof(3, (bytes(32), bytes(range(32))), note, extra)
        assert parse_tlog_proof(proof.to_text().encode()) == proof


HEAD = "c2sp.org/tlog-proof@v1\n"
HASH = base64.b64encode(bytes(32)).decode()


@pytest.mark.parametrize(
    "text",
    [
        f"{HEAD}index 01\n\nc\n",
        f"{HEAD}index 1_0\n\nc\n",
        f"{HEAD}index ١\n\nc\n",
        f"{HEAD}index  1\n\nc\n",
        f"{HEAD}index 1\n{HASH}\nc\n",
        f"{HEAD}index 1\n{HASH}\n\n",
        f"{HEAD}index 1\n{HASH}\n\n\n",
        f"{HEAD}index 1\n" + f"{HASH}\n" * 65 + "\nc\n",
        f"{HEAD}index 1\n{HASH[:-1]}\n\nc\n",
        f"{HEAD}extra QR==\nindex 1\n\nc\n",
        f"{HEAD}extra\nindex 1\n\nc\n",
        f"{HEAD}index 1\nextra QQ==\n\nc\n",
        f"{HEAD}index 1\r\n\r\nc\r\n",
        f"{HEAD}index 1\n\nc",
        HEAD,
        "",
    ],
    ids=range(16),
)
def test_lax_proofs_are_refused(text: str) -> None:
    with pytest.raises(VerificationError):
        parse_tlog_proof(text)


def test_strict_hex() -> None:
    assert strict.hex32("0a" * 32, rule="r", what="w") == b"\x0a" * 32
    for text in ("0A" * 32, "0a" * 31, "0a" * 32 + "\n", "٠a" * 32):
        with pytest.raises(VerificationError):
            strict.hex32(text, rule="r", what="w")
