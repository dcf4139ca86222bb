"""The product categories of an organisation, published as an entry, so that an auditor sees what counts as similar.

A category is a path such as `garden/tools/spades`. Products below one node of `groups` count as similar to each other
(2002/58/EC art. 13(2)); a category that the tree does not have is similar to nothing.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from consentledger.db.log.entries import Draft
from consentledger.db.unit_of_work import Tx
from consentledger.kernel.errors import NotFoundError
from consentledger.law.products import CategoryTree
from consentledger.ledger.disclosure import Value
from consentledger.organisations.models import CategoryTreeRow, Organisation
from consentledger.organisations.rules import Gap, refuse

MOST = 2_000
LONGEST = 200
_PATH = re.compile(r"[a-z0-9_-]{1,64}(?:/[a-z0-9_-]{1,64}){0,9}\Z", re.ASCII)


@dataclass(frozen=True, slots=True)
class PublishCategories:
    """All categories, parents included, and the nodes below which products count as similar."""

    organisation_id: UUID
    categories: tuple[str, ...]
    groups: tuple[str, ...]
    actor: str


@dataclass(frozen=True, slots=True)
class CategoriesFacts:
    """One published version of the categories, and where it stands in the log."""

    tree: CategoryTree
    published_at: datetime
    entry_index: int

    @property
    def version(self) -> int:
        """The version, from 1."""
        return self.tree.version

    @property
    def categories(self) -> tuple[str, ...]:
        """Every node of the tree, sorted."""
        return self.tree.categories

    @property
    def groups(self) -> tuple[str, ...]:
        """The nodes below which products count as similar, sorted."""
        return self.tree.groups


def publish_categories(tx: Tx, command: PublishCategories) -> CategoriesFacts:
    """Publishes the categories in a new version; the same ones again change nothing and append nothing.

    GapsError names every path that is malformed, stands twice, lacks its parent, or is a group and no node.
    """
    refuse(list(_gaps(command.categories, command.groups)))
    hold(tx, command.organisation_id)
    categories, groups = sorted(command.categories), sorted(command.groups)
    before = newest(tx.session, command.organisation_id)
    if before and (list(before.categories), list(before.groups)) == (categories, groups):
        return before
    version = before.version + 1 if before else 1
    values: dict[str, Value] = {"version": version, "categories": categories, "groups": groups}
    draft = Draft("categories.published", values, actor=command.actor)
    (entry,) = tx.log.append(tx, command.organisation_id, [draft])
    row = CategoryTreeRow(
        organisation_id=command.organisation_id,
        version=version,
        categories=categories,
        groups=groups,
        published_at=tx.now,
        entry_index=entry.index,
    )
    tx.session.add(row)
    return _facts(row)


def hold(tx: Tx, organisation_id: UUID) -> None:
    """Locks the organisation's row, so that what it publishes as a whole is published one after the other."""
    query = (
        select(Organisation.organisation_id)
        .where(Organisation.organisation_id == organisation_id)
        .with_for_update()
    )
    if tx.session.scalar(query) is None:
        raise NotFoundError("there is no such organisation")


# Written once: every permit asks this.
_NEWEST = (
    select(CategoryTreeRow)
    .where(CategoryTreeRow.organisation_id == bindparam("org"))
    .order_by(CategoryTreeRow.version.desc())
    .limit(1)
)


def newest(session: Session, organisation_id: UUID) -> CategoriesFacts | None:
    """Reads the newest categories, None when none were published."""
    row = session.scalar(_NEWEST, {"org": organisation_id})
    return None if row is None else _facts(row)


def of_version(session: Session, organisation_id: UUID, version: int) -> CategoriesFacts:
    """Reads the categories of one version; NotFoundError when there is none such."""
    row = session.get(CategoryTreeRow, (organisation_id, version))
    if row is None:
        raise NotFoundError("there are no categories of this version")
    return _facts(row)


def tree(session: Session, organisation_id: UUID) -> CategoryTree | None:
    """Reads the newest tree for a decision, None when none was published: then nothing is similar."""
    found = newest(session, organisation_id)
    return None if found is None else found.tree


def _facts(row: CategoryTreeRow) -> CategoriesFacts:
    made = CategoryTree(row.version, tuple(row.categories), tuple(row.groups))
    return CategoriesFacts(made, row.published_at, row.entry_index)


def _gaps(categories: Sequence[str], groups: Sequence[str]) -> Iterator[Gap]:
    if not categories:
        yield Gap("categories", "missing", "categories are missing")
    if len(categories) > MOST:
        yield Gap("categories", "too_many", f"there may be at most {MOST} categories")
        return
    nodes: set[str] = set()
    for number, path in enumerate(categories):
        yield from _path_gaps(f"categories[{number}]", path, nodes)
        nodes.add(path)
    for number, path in enumerate(categories):
        parent = path.rpartition("/")[0]
        if parent and parent not in nodes:
            field = f"categories[{number}]"
            yield Gap(field, "parent_missing", f"{field}: {path!r} has no parent {parent!r} here")
    yield from _group_gaps(groups, nodes)


def _group_gaps(groups: Sequence[str], nodes: Collection[str]) -> Iterator[Gap]:
    seen: set[str] = set()
    for number, path in enumerate(groups):
        field = f"groups[{number}]"
        if path not in nodes:
            yield Gap(field, "unknown", f"{field}: {path!r} is none of the categories")
        elif path in seen:
            yield Gap(field, "double", f"{field}: {path!r} stands here twice")
        seen.add(path)


def _path_gaps(field: str, path: str, nodes: Collection[str]) -> Iterator[Gap]:
    if len(path) > LONGEST:
        yield Gap(field, "too_long", f"{field}: it is longer than {LONGEST} characters")
    elif _PATH.match(path) is None:
        yield Gap(field, "format", f"{field}: {path!r} is no path such as garden/hand-tools")
    elif path in nodes:
        yield Gap(field, "double", f"{field}: {path!r} stands here twice")
