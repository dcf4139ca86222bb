"""Other people's Merkle vectors, all of them, with these stated exceptions.

- Subtree *consistency* proofs with start > 0 (draft-ietf-plants-merkle-tree-certs) are not built:
  our logs prove whole trees only. Only the hash of the whole roll is given, so its start == 0 rows
  (plain RFC 9162 consistency proofs) are covered by the own roll `consistency (m n)` instead.
  The rolls of subtree hashes and subtree inclusion proofs pass completely.
- Cosignatures (`cosignature_message_example`) wait for the witnesses' issue.
- Our verifiers refuse a tree of size 0, even where RFC 9162 finds nothing to check: such a proof
  shows nothing. No vector that must be accepted has size 0.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Any

import pytest

from consentledger.kernel.errors import VerificationError
from consentledger.ledger import merkle
from tests.vectors.load import b64, hashes, vectors

TREE = vectors("merkle-reference-tree")
ROLLS = vectors("rolling-hash-vectors")
INCLUSION = vectors("merkle-inclusion")["vectors"]
CONSISTENCY = vectors("merkle-consistency")["vectors"]
LEAVES = [merkle.leaf_hash(bytes([i])) for i in range(130)]


def roll(name: str) -> str:
    """The expected SHA-256 of a roll of lines."""
    entries = ROLLS["rolls"] + ROLLS["own_rolls_checked_against_go_xmod_tlog"]
    return next(entry["sha256"] for entry in entries if entry["name"] == name)


def sha256(lines: Iterator[str]) -> str:
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def bit_ceil(n: int) -> int:
    return 1 << (n - 1).bit_length() if n else 0


def subtrees() -> Iterator[tuple[int, int]]:
    for end in range(131):
        for start in range(end + 1):
            if start in (0, end) or start % bit_ceil(end - start) == 0:
                yield start, end


@pytest.mark.parametrize("vector", INCLUSION, ids=lambda v: v["_file"].split("/", 2)[2])
def test_inclusion(vector: dict[str, Any]) -> None:
    arguments = (
        b64(vector["leafHash"]),
        vector["leafIdx"],
        vector["treeSize"],
        hashes(vector["proof"]),
        b64(vector["root"]),
    )
    if vector["wantErr"]:
        with pytest.raises(VerificationError) as caught:
            merkle.verify_inclusion(*arguments)
        assert caught.value.rule == "rfc9162.inclusion"
    else:
        merkle.verify_inclusion(*arguments)


@pytest.mark.parametrize("vector", CONSISTENCY, ids=lambda v: v["_file"].split("/", 2)[2])
def test_consistency(vector: dict[str, Any]) -> None:
    arguments = (
        vector["size1"],
        vector["size2"],
        b64(vector["root1"]),
        b64(vector["root2"]),
        hashes(vector["proof"]),
    )
    if vector["wantErr"]:
        with pytest.raises(VerificationError) as caught:
            merkle.verify_consistency(*arguments)
        assert caught.value.rule == "rfc9162.consistency"
    else:
        merkle.verify_consistency(*arguments)


def test_reference_tree() -> None:
    leaves = [merkle.leaf_hash(bytes.fromhex(text)) for text in TREE["leaf_inputs_hex"]]
    node = merkle.nodes_of(leaves)
    for height, row in enumerate(TREE["node_hashes_hex_by_level"]):
        assert [node(height, n).hex() for n in range(len(row))] == row
    for size, root in enumerate(TREE["root_hashes_hex_by_size"]):
        frontier, _ = merkle.Frontier.empty().append(leaves[:size])
        assert frontier.root().hex() == root
        nodes = TREE["compact_range_nodes_by_size"][size]
        assert frontier.hashes == tuple(node(height, n) for height, n in nodes)


@pytest.mark.parametrize("case", TREE["hasher"], ids=lambda c: c["desc"])
def test_hasher(case: dict[str, str]) -> None:
    if case["desc"] == "empty root":
        found = merkle.EMPTY_ROOT
    elif "left_ascii" in case:
        found = merkle.node_hash(case["left_ascii"].encode(), case["right_ascii"].encode())
    else:
        data = (
            bytes.fromhex(case["leaf_hex"]) if "leaf_hex" in case else case["leaf_ascii"].encode()
        )
        found = merkle.leaf_hash(data)
    assert found.hex() == case.get("hash", case.get("sha256"))


def test_roll_of_subtree_hashes() -> None:
    lines = (f"[{a}, {b}) {merkle.root_of(LEAVES[a:b]).hex()}\n" for a, b in subtrees())
    assert sha256(lines) == roll("subtree hashes")


def test_roll_of_subtree_inclusion_proofs() -> None:
    def lines() -> Iterator[str]:
        for start, end in subtrees():
            node = merkle.nodes_of(LEAVES[start:end])
            for index in range(start, end):
                proof = merkle.inclusion_proof(index - start, end - start, node)
                yield f"{index} [{start}, {end})" + "".join(f" {h.hex()}" for h in proof) + "\n"

    assert sha256(lines()) == roll("subtree inclusion proofs")


def test_own_roll_of_inclusion_proofs() -> None:
    def lines() -> Iterator[str]:
        node = merkle.nodes_of(LEAVES)
        for size in range(1, 131):
            for index in range(size):
                proof = merkle.inclusion_proof(index, size, node)
                yield f"{index} {size}" + "".join(f" {h.hex()}" for h in proof) + "\n"

    assert sha256(lines()) == roll("inclusion (index n)")


def test_own_roll_of_consistency_proofs() -> None:
    def lines() -> Iterator[str]:
        node = merkle.nodes_of(LEAVES)
        for new in range(1, 131):
            for old in range(new + 1):
                proof = merkle.consistency_proof(old, new, node)
                yield f"{old} {new}" + "".join(f" {h.hex()}" for h in proof) + "\n"

    assert sha256(lines()) == roll("consistency (m n)")


def test_size_zero_is_refused() -> None:
    with pytest.raises(VerificationError, match="tree of 0"):
        merkle.verify_inclusion(LEAVES[0], 0, 0, [], merkle.EMPTY_ROOT)
    with pytest.raises(VerificationError, match="tree of 0"):
        merkle.verify_consistency(0, 1, merkle.EMPTY_ROOT, LEAVES[0], [])
    with pytest.raises(VerificationError, match="tree of 0"):
        merkle.verify_consistency(0, 0, merkle.EMPTY_ROOT, merkle.EMPTY_ROOT, [])
