"""How near the products of a message are to those of a sale, by the category tree that the organisation published."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from consentledger.law.model import RELATIONS

_NEAREST_FIRST = {word: rank for rank, word in enumerate(RELATIONS)}


@dataclass(frozen=True)
class CategoryTree:
    """One published version: `categories` are paths such as `garden/tools/spades`, parents included, sorted.

    `groups` are the nodes below which products count as similar (2002/58/EC art. 13(2)), sorted.
    """

    version: int
    categories: tuple[str, ...]
    groups: tuple[str, ...]

    @cached_property
    def known(self) -> frozenset[str]:
        """The categories, for look-up."""
        return frozenset(self.categories)

    @cached_property
    def grouped(self) -> frozenset[str]:
        """The groups, for look-up."""
        return frozenset(self.groups)


def relation(message: Sequence[str], sale: Sequence[str], tree: CategoryTree | None) -> str:
    """Returns a word of RELATIONS: of the message's categories the farthest one's nearest to any of the sale's.

    `same_kind`: the same category; `similar`: one group holds both; `other`: none does; `unmapped`: a category that
    the tree lacks, none at all, or no tree, so that nobody can say (the strictest reading).
    """
    if tree is None or not message or not sale:
        return "unmapped"
    nearest = (min(_near(ours, theirs, tree) for theirs in sale) for ours in message)
    return RELATIONS[max(nearest)]


def _near(ours: str, theirs: str, tree: CategoryTree) -> int:
    if ours not in tree.known or theirs not in tree.known:
        return _NEAREST_FIRST["unmapped"]
    if ours == theirs:
        return _NEAREST_FIRST["same_kind"]
    shared = _groups(ours, tree) & _groups(theirs, tree)
    return _NEAREST_FIRST["similar" if shared else "other"]


def _groups(category: str, tree: CategoryTree) -> set[str]:
    """Returns the groups that hold a category: itself and its parents, as far as they are groups."""
    parts = category.split("/")
    return {"/".join(parts[:depth]) for depth in range(1, len(parts) + 1)} & tree.grouped
