"""The Merkle tree of RFC 9162 section 2.1: hashes, frontier, proofs and their verification."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from consentledger.kernel.errors import VerificationError

_sha256 = hashlib.sha256

EMPTY_ROOT = _sha256(b"").digest()
Node = Callable[[int, int], bytes]
"""`node(height, n)`: the hash of the full subtree of leaves [n << height, (n + 1) << height)."""
Completed = tuple[int, int, bytes]
"""`(level, n, hash)` of a completed subtree of 256 ** level leaves."""


def leaf_hash(data: bytes) -> bytes:
    """Returns SHA-256(0x00 || data), RFC 9162 section 2.1.1."""
    return _sha256(b"\x00" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Returns SHA-256(0x01 || left || right), RFC 9162 section 2.1.1."""
    return _sha256(b"\x01" + left + right).digest()


@dataclass(frozen=True, slots=True)
class Frontier:
    """The compact range [0, size): one hash per set bit of `size`, the largest subtree first."""

    size: int
    hashes: tuple[bytes, ...]

    @classmethod
    def empty(cls) -> Frontier:
        """Returns the frontier of a tree without leaves."""
        return cls(0, ())

    @classmethod
    def from_bytes(cls, size: int, data: bytes) -> Frontier:
        """Reads 32 bytes per set bit of `size`; anything else raises VerificationError."""
        if size < 0 or len(data) != 32 * size.bit_count():
            raise VerificationError(
                f"a frontier of {size} leaves is not {len(data)} bytes long", rule="frontier"
            )
        return cls(size, tuple(data[i : i + 32] for i in range(0, len(data), 32)))

    def to_bytes(self) -> bytes:
        """Returns the concatenated hashes, the largest subtree first."""
        return b"".join(self.hashes)

    def root(self) -> bytes:
        """Returns the root of the tree, RFC 9162 section 2.1.1."""
        return _fold(self.hashes)

    def append(self, leaf_hashes: Sequence[bytes]) -> tuple[Frontier, list[Completed]]:
        """Returns the frontier after the leaves, and every 256-subtree they complete.

        The completed subtrees come as (level, n, hash), level 1 = 256 leaves, level 2 = 65,536
        leaves and so on, ordered by level, then n.
        """
        peaks = list(self.hashes)  # the smallest is last, so pop() walks up the heights
        size = self.size
        rest: list[bytes] = []
        done: list[Completed] = []
        height = 0
        row: Sequence[bytes] = leaf_hashes
        while row:
            if height and height % 8 == 0:
                first = size >> height
                done.extend((height >> 3, first + i, node) for i, node in enumerate(row))
            if size >> height & 1:
                row = [peaks.pop(), *row]
            if len(row) & 1:
                rest.append(row[-1])
            pairs = iter(row)
            row = [_sha256(b"\x01" + a + b).digest() for a, b in zip(pairs, pairs, strict=False)]
            height += 1
        rest.reverse()
        return Frontier(size + len(leaf_hashes), (*peaks, *rest)), done


def root_of(hashes: Sequence[bytes]) -> bytes:
    """Returns the RFC 9162 root over leaf hashes."""
    return Frontier.empty().append(hashes)[0].root()


def nodes_of(hashes: Sequence[bytes]) -> Node:
    """Returns a `node` function over leaf hashes in memory (all levels are computed once)."""
    levels: list[Sequence[bytes]] = [hashes]
    while len(levels[-1]) > 1:
        pairs = iter(levels[-1])
        levels.append([node_hash(a, b) for a, b in zip(pairs, pairs, strict=False)])

    def node(height: int, n: int) -> bytes:
        return levels[height][n]

    return node


def root_from(size: int, node: Node) -> bytes:
    """Returns the root of a tree of `size` leaves from the nodes of its full subtrees."""
    return _range_hash(0, size, node)


def _fold(hashes: Sequence[bytes]) -> bytes:
    if not hashes:
        return EMPTY_ROOT
    result = hashes[-1]
    for left in reversed(hashes[:-1]):
        result = node_hash(left, result)
    return result


def _range_hash(low: int, high: int, node: Node) -> bytes:
    """The hash over leaves [low, high); low is a multiple of the largest power of two within."""
    parts = []
    while low < high:
        height = (high - low).bit_length() - 1
        parts.append(node(height, low >> height))
        low += 1 << height
    return _fold(parts)


def _split(count: int) -> int:
    """The largest power of two below `count` (RFC 9162's k), for count > 1."""
    return 1 << ((count - 1).bit_length() - 1)


def inclusion_proof(index: int, size: int, node: Node) -> list[bytes]:
    """Returns PATH(index, D_size), the leaf's sibling first (RFC 9162 section 2.1.3.1).

    Raises ValueError when the index is outside the tree (a caller's mistake, not evidence).
    """
    if not 0 <= index < size:
        raise ValueError(f"no leaf {index} in a tree of {size}")
    low, high = 0, size
    path = []
    while high - low > 1:
        middle = low + _split(high - low)
        if index < middle:
            path.append(_range_hash(middle, high, node))
            high = middle
        else:
            path.append(_range_hash(low, middle, node))
            low = middle
    path.reverse()
    return path


def consistency_proof(old: int, new: int, node: Node) -> list[bytes]:
    """Returns PROOF(old, D_new), empty when old is 0 or equals new (RFC 9162 section 2.1.4.1)."""
    if not 0 <= old <= new:
        raise ValueError(f"no tree of {old} within a tree of {new}")
    if old in (0, new):
        return []
    low, high = 0, new
    proof = []
    while high != old:
        middle = low + _split(high - low)
        if old <= middle:
            proof.append(_range_hash(middle, high, node))
            high = middle
        else:
            proof.append(_range_hash(low, middle, node))
            low = middle
    if low:  # the old tree is not itself a node of the new one, so its last part is told
        proof.append(_range_hash(low, high, node))
    proof.reverse()
    return proof


def verify_inclusion(
    leaf: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes
) -> None:
    """Checks an inclusion proof of a leaf hash (RFC 9162 section 2.1.3.2)."""
    rule = "rfc9162.inclusion"
    _lengths(rule, leaf, root, *proof)
    if not 0 <= index < size:
        raise VerificationError(f"index {index} is not inside a tree of {size}", rule=rule)
    fn, sn, result = index, size - 1, leaf
    for sibling in proof:
        if sn == 0:
            raise VerificationError("the inclusion proof is too long", rule=rule)
        if fn & 1 or fn == sn:
            result = node_hash(sibling, result)
            while not fn & 1 and fn:
                fn, sn = fn >> 1, sn >> 1
        else:
            result = node_hash(result, sibling)
        fn, sn = fn >> 1, sn >> 1
    if sn:
        raise VerificationError("the inclusion proof is too short", rule=rule)
    if not hmac.compare_digest(result, root):
        raise VerificationError(
            f"the proof of entry {index} does not lead to the root of the tree of {size}", rule=rule
        )


def verify_consistency(
    old: int, new: int, old_root: bytes, new_root: bytes, proof: Sequence[bytes]
) -> None:
    """Checks that the tree of `new` leaves extends the tree of `old` (RFC 9162 section 2.1.4.2).

    A tree of 0 is refused: it is consistent with everything and so shows nothing.
    """
    rule = "rfc9162.consistency"
    if not 0 < old <= new:
        raise VerificationError(f"a tree of {old} is not the start of one of {new}", rule=rule)
    if old == new:
        if proof or not hmac.compare_digest(old_root, new_root):
            raise VerificationError(f"two different trees of {new} leaves: a fork", rule=rule)
        return
    _lengths(rule, old_root, new_root, *proof)
    hashes = list(proof)
    if old & (old - 1) == 0:
        hashes.insert(0, old_root)
    if not hashes:
        raise VerificationError("the consistency proof is empty", rule=rule)
    first, second, rest = _roots_of_consistency(old, new, hashes)
    if rest:
        raise VerificationError("the consistency proof has the wrong length", rule=rule)
    if not hmac.compare_digest(first, old_root):
        raise VerificationError(f"the proof does not lead to the root of {old} leaves", rule=rule)
    if not hmac.compare_digest(second, new_root):
        raise VerificationError(f"the proof does not lead to the root of {new} leaves", rule=rule)


def _roots_of_consistency(old: int, new: int, hashes: Sequence[bytes]) -> tuple[bytes, bytes, bool]:
    """Steps 3 to 6 of RFC 9162 section 2.1.4.2: (old root, new root, is the length wrong)."""
    fn, sn = old - 1, new - 1
    while fn & 1:
        fn, sn = fn >> 1, sn >> 1
    first = second = hashes[0]
    for hash_ in hashes[1:]:
        if sn == 0:
            return first, second, True
        if fn & 1 or fn == sn:
            first, second = node_hash(hash_, first), node_hash(hash_, second)
            while not fn & 1 and fn:
                fn, sn = fn >> 1, sn >> 1
        else:
            second = node_hash(second, hash_)
        fn, sn = fn >> 1, sn >> 1
    return first, second, sn != 0


def _lengths(rule: str, *hashes: bytes) -> None:
    if any(len(hash_) != 32 for hash_ in hashes):
        raise VerificationError("a hash is not 32 bytes long", rule=rule)
