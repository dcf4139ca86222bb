"""The tree against a naive recursion of RFC 9162 section 2.1 and against pymerkle (from 1, GPL)."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pymerkle import InmemoryTree, verify_consistency, verify_inclusion
from pymerkle.proof import InclusionProof

from consentledger.kernel.errors import VerificationError
from consentledger.ledger import merkle, tiles

entries = st.lists(st.binary(max_size=8), min_size=1, max_size=70)


def naive_split(n: int) -> int:
    k = 1
    while k * 2 < n:
        k *= 2
    return k


def naive_root(data: Sequence[bytes]) -> bytes:
    """MTH(D[n])."""
    if not data:
        return hashlib.sha256(b"").digest()
    if len(data) == 1:
        return hashlib.sha256(b"\x00" + data[0]).digest()
    k = naive_split(len(data))
    return hashlib.sha256(b"\x01" + naive_root(data[:k]) + naive_root(data[k:])).digest()


def naive_path(m: int, data: Sequence[bytes]) -> list[bytes]:
    """PATH(m, D[n])."""
    if len(data) == 1:
        return []
    k = naive_split(len(data))
    if m < k:
        return [*naive_path(m, data[:k]), naive_root(data[k:])]
    return [*naive_path(m - k, data[k:]), naive_root(data[:k])]


def naive_subproof(m: int, data: Sequence[bytes], whole: bool) -> list[bytes]:
    """SUBPROOF(m, D[n], b)."""
    if m == len(data):
        return [] if whole else [naive_root(data)]
    k = naive_split(len(data))
    if m <= k:
        return [*naive_subproof(m, data[:k], whole), naive_root(data[k:])]
    return [*naive_subproof(m - k, data[k:], False), naive_root(data[:k])]


def leaf_hashes(data: Sequence[bytes]) -> list[bytes]:
    return [merkle.leaf_hash(entry) for entry in data]


@given(data=entries, cuts=st.lists(st.integers(1, 30), max_size=6))
def test_frontier_is_the_naive_root_however_it_is_cut(data: list[bytes], cuts: list[int]) -> None:
    hashes, frontier = leaf_hashes(data), merkle.Frontier.empty()
    while hashes:
        width = cuts.pop() if cuts else len(hashes)
        frontier, _ = frontier.append(hashes[:width])
        hashes = hashes[width:]
        again = merkle.Frontier.from_bytes(frontier.size, frontier.to_bytes())
        assert again == frontier
    assert frontier.root() == naive_root(data)


@given(data=entries, pick=st.integers(0))
def test_inclusion_is_the_naive_path(data: list[bytes], pick: int) -> None:
    index = pick % len(data)
    node = merkle.nodes_of(leaf_hashes(data))
    proof = merkle.inclusion_proof(index, len(data), node)
    assert proof == naive_path(index, data)
    merkle.verify_inclusion(
        merkle.leaf_hash(data[index]), index, len(data), proof, naive_root(data)
    )


@given(data=entries, pick=st.integers(0))
def test_consistency_is_the_naive_subproof(data: list[bytes], pick: int) -> None:
    old = pick % len(data) + 1
    node = merkle.nodes_of(leaf_hashes(data))
    proof = merkle.consistency_proof(old, len(data), node)
    assert proof == naive_subproof(old, data, True)
    merkle.verify_consistency(old, len(data), naive_root(data[:old]), naive_root(data), proof)


@given(data=entries, pick=st.integers(0), bit=st.integers(0))
def test_a_flipped_bit_is_never_accepted(data: list[bytes], pick: int, bit: int) -> None:
    index = pick % len(data)
    node = merkle.nodes_of(leaf_hashes(data))
    proof = merkle.inclusion_proof(index, len(data), node)
    parts = [merkle.leaf_hash(data[index]), *proof, naive_root(data)]
    at = bit % (len(parts) * 256)
    flipped = bytearray(parts[at // 256])
    flipped[at % 256 // 8] ^= 1 << at % 8
    parts[at // 256] = bytes(flipped)
    with pytest.raises(VerificationError):
        merkle.verify_inclusion(parts[0], index, len(data), parts[1:-1], parts[-1])


@given(data=entries, pick=st.integers(0), other=st.integers(0, 200))
def test_a_proof_fits_one_index_only(data: list[bytes], pick: int, other: int) -> None:
    index = pick % len(data)
    unique = [bytes([n]) + entry for n, entry in enumerate(data)]
    proof = merkle.inclusion_proof(index, len(data), merkle.nodes_of(leaf_hashes(unique)))
    if other == index:
        return
    with pytest.raises(VerificationError):
        merkle.verify_inclusion(
            merkle.leaf_hash(unique[index]), other, len(data), proof, naive_root(unique)
        )


@settings(max_examples=40)
@given(data=st.lists(st.binary(max_size=8), min_size=1, max_size=40), pick=st.integers(0))
def test_pymerkle_agrees(data: list[bytes], pick: int) -> None:
    tree = InmemoryTree.init_from_entries(data, algorithm="sha256")
    node = merkle.nodes_of(leaf_hashes(data))
    size, index = len(data), pick % len(data)
    root = merkle.root_of(leaf_hashes(data))
    assert tree.get_root() == root

    # Their layout (which hash comes from which side) with our hashes, and the other way round.
    theirs = tree.prove_inclusion(index + 1)
    ours = merkle.inclusion_proof(index, size, node)
    leaf = merkle.leaf_hash(data[index])
    assert theirs.path == [leaf, *ours]
    merkle.verify_inclusion(leaf, index, size, theirs.path[1:], root)
    with_our_path = InclusionProof("sha256", True, size, index + 1, theirs.rule, [leaf, *ours])
    verify_inclusion(leaf, root, with_our_path, index=index + 1, size=size)

    old = index + 1
    consistency = tree.prove_consistency(old, size)
    verify_consistency(merkle.root_of(leaf_hashes(data[:old])), root, consistency)
    our_proof = merkle.consistency_proof(old, size, node)
    merkle.verify_consistency(old, size, tree.get_root(old), tree.get_root(), our_proof)


def test_completed_subtrees_are_the_tiles() -> None:
    hashes = leaf_hashes([n.to_bytes(4, "big") for n in range(70_000)])
    node = merkle.nodes_of(hashes)
    frontier, done = merkle.Frontier.empty(), []
    for start in range(0, len(hashes), 977):
        frontier, more = frontier.append(hashes[start : start + 977])
        done += more
    assert frontier.root() == merkle.root_of(hashes)
    expected = [(1, n, node(8, n)) for n in range(273)] + [(2, 0, node(16, 0))]
    assert sorted(done) == expected

    stored = {(level, n): hash_ for level, n, hash_ in done}
    reads = []

    def read(level: int, n: int, count: int) -> list[bytes]:
        reads.append((level, n, count))
        first = n * tiles.WIDTH
        if level == 0:
            return hashes[first : first + count]
        return [stored[level, first + i] for i in range(count)]

    from_tiles = tiles.node_from_tiles(len(hashes), read)
    for index in (0, 255, 256, 65_535, 65_536, 69_887, 69_888, 69_999):
        proof = merkle.inclusion_proof(index, len(hashes), from_tiles)
        assert proof == merkle.inclusion_proof(index, len(hashes), node)
    assert merkle.consistency_proof(65_537, 70_000, from_tiles) == merkle.consistency_proof(
        65_537, 70_000, node
    )
    assert len(reads) == len(set(reads))
    assert set(reads) <= set(tiles.tiles_of(len(hashes)))


def test_frontier_of_the_wrong_length() -> None:
    with pytest.raises(VerificationError):
        merkle.Frontier.from_bytes(3, bytes(32))
    with pytest.raises(VerificationError):
        merkle.Frontier.from_bytes(-1, b"")


def test_no_proof_outside_the_tree() -> None:
    node = merkle.nodes_of(leaf_hashes([b"a", b"b"]))
    with pytest.raises(ValueError, match="no leaf 2"):
        merkle.inclusion_proof(2, 2, node)
    with pytest.raises(ValueError, match="no tree of 3"):
        merkle.consistency_proof(3, 2, node)
