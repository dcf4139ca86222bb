"""Adopting rule packs and publishing categories on both engines: what is stored, what the log says, what is refused."""

from __future__ import annotations

from threading import Thread
from uuid import UUID

import pytest
import time_machine
from sqlalchemy import update

from consentledger.db.engine import Database
from consentledger.db.installation import Installation
from consentledger.kernel.errors import InputError, IntegrityError, NotFoundError
from consentledger.kernel.settings import Settings
from consentledger.law.products import CategoryTree
from consentledger.law.reading import packs as brought
from consentledger.organisations import categories, pack_updates, packs
from consentledger.organisations.models import AdoptedPack
from consentledger.organisations.packs import Adoption, AdoptPacks, PacksAdopted
from consentledger.organisations.rules import GapsError
from consentledger.replay.service import fsck, rebuild
from tests import factories
from tests.support.published import entry, size

TREE = ("garden", "garden/tools", "garden/plants", "kitchen")


@pytest.fixture
def org(database: Database, settings: Settings) -> UUID:
    factories.create_organisation(database, settings)
    return factories.create_organisation(database, settings, name="alice").organisation_id


def adopt(database: Database, org: UUID, *wanted: Adoption | str) -> PacksAdopted:
    named = tuple(Adoption(one) if isinstance(one, str) else one for one in wanted)
    with database.begin() as tx:
        return packs.adopt_packs(tx, AdoptPacks(org, named, "key:test"))


def publish(
    database: Database, org: UUID, nodes: tuple[str, ...] = TREE, groups: tuple[str, ...] = ()
) -> categories.CategoriesFacts:
    command = categories.PublishCategories(org, nodes, groups, "key:test")
    with database.begin() as tx:
        return categories.publish_categories(tx, command)


def names(database: Database, org: UUID) -> list[str]:
    with database.read() as session:
        return [one.pack.name for one in packs.rulebook(session, org).adopted]


def test_an_organisation_begins_with_the_strictest_reading(database: Database, org: UUID) -> None:
    kind, values, _ = entry(database, org, 2)
    fallback = brought.pack("XX@1")
    assert kind == "pack.adopted"
    assert {name: values[name] for name in ("pack", "version", "hash", "stricter", "accepts")} == {
        "pack": "XX", "version": "1", "hash": fallback.hash, "stricter": [], "accepts": [],
    }  # fmt: skip
    assert names(database, org) == ["XX@1"]
    assert size(database, org) == 3


def test_a_pack_is_adopted_behind_its_parent(database: Database, org: UUID) -> None:
    risk = "sale_indirect_remuneration"
    done = adopt(
        database, org, Adoption("DE", ("exception.sms=off", "consent.months=24"), (risk,)), "AT"
    )
    assert [one.name for one in done.adopted] == ["EU@1", "DE@1", "AT@1"]
    assert [one.entry_index for one in done.adopted] == [3, 4, 5]
    _, values, _ = entry(database, org, 4)
    assert values["stricter"] == ["consent.months=24", "exception.sms=off"]
    assert values["accepts"] == [risk]
    assert values["actor"] == "key:test"
    with database.read() as session:
        book = packs.rulebook(session, org)
        assert packs.rulebook(session, org) is book
    assert [one.pack.name for one in book.adopted] == ["XX@1", "EU@1", "DE@1", "AT@1"]
    assert book.adopted[2].stricter == ("consent.months=24", "exception.sms=off")
    assert book.adopted[2].accepts == (risk,)


def test_the_same_adoption_twice_changes_nothing_and_another_one_counts(
    database: Database, org: UUID
) -> None:
    adopt(database, org, "DE", "EU@1")
    before = size(database, org)
    again = adopt(database, org, "EU", "DE@1")
    assert again.adopted == ()
    assert [one.name for one in again.unchanged] == ["EU@1", "DE@1"]
    assert size(database, org) == before
    stricter = adopt(database, org, Adoption("EU", ("exception=off",)))
    assert [one.entry_index for one in stricter.adopted] == [before]
    assert names(database, org) == ["XX@1", "DE@1", "EU@1"]
    with database.read() as session:
        assert packs.rulebook(session, org).adopted[-1].stricter == ("exception=off",)
    # Adopted a child again: its parent stays as strict as it was made.
    adopt(database, org, Adoption("DE", ("opt_out=off",)))
    with database.read() as session:
        assert packs.rulebook(session, org).adopted[1].stricter == ("exception=off",)


@pytest.mark.parametrize(
    ("wanted", "field", "reason"),
    [
        ((), "packs", "missing"),
        (("ZZ",), "packs[0]", "unknown"),
        (("DE", "DE@9"), "packs[1]", "unknown"),
        (("consent_only@1",), "packs[0]", "unknown"),
        (("../EU@1",), "packs[0]", "unknown"),
        (("DE", "DE@1"), "packs[1]", "double"),
        ((Adoption("DE", ("exception=on",)),), "stricter", "unknown"),
        ((Adoption("DE", ("opt_out=off", "opt_out=off")),), "stricter", "duplicate"),
        ((Adoption("DE", ("consent.months=0",)),), "stricter", "unknown"),
        ((Adoption("DE", (), ("inquiry",)),), "accepts", "unknown"),
    ],
)
def test_what_can_not_be_adopted_names_its_field_and_leaves_nothing(
    database: Database, org: UUID, wanted: tuple[Adoption | str, ...], field: str, reason: str
) -> None:
    with pytest.raises(InputError) as raised:
        adopt(database, org, *wanted)
    assert (raised.value.field, raised.value.reason) == (field, reason)
    assert size(database, org) == 3
    assert names(database, org) == ["XX@1"]


def test_a_name_without_a_version_is_the_one_in_force(database: Database, org: UUID) -> None:
    with time_machine.travel("2026-12-01T00:00:00+00:00"):
        assert [one.name for one in adopt(database, org, "IN").adopted] == ["IN@1"]
    with database.read() as session:
        (waits,) = pack_updates.updates(session, org, brought.pack("IN@1").valid_from)
        assert (waits.before.name, waits.after.name) == ("IN@1", "IN@2")
        assert "valid_from" in {change.key for change in waits.changes}
    with time_machine.travel("2027-06-01T00:00:00+00:00"):
        assert [one.name for one in adopt(database, org, "IN").adopted] == ["IN@2"]
    assert names(database, org) == ["XX@1", "IN@1", "IN@2"]
    with database.read() as session:
        assert pack_updates.updates(session, org, brought.pack("IN@2").valid_from) == []


def test_two_who_adopt_at_once_leave_one_adoption(database: Database, org: UUID) -> None:
    threads = [Thread(target=adopt, args=(database, org, "DE", "FR")) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(names(database, org)) == ["DE@1", "EU@1", "FR@1", "XX@1"]
    assert size(database, org) == 6


def test_nobody_decides_by_a_file_that_was_not_adopted(database: Database, org: UUID) -> None:
    adopt(database, org, "EU")
    for values in ({"hash": "0" * 64}, {"version": "77"}):
        with database.begin() as tx:
            tx.connection.execute(
                update(AdoptedPack)
                .where(AdoptedPack.pack == "EU")
                .values(adopted_at=tx.now, **values)
            )
        with database.read() as session, pytest.raises(IntegrityError, match="EU@"):
            packs.rulebook(session, org)


def test_an_unknown_organisation_adopts_nothing(database: Database) -> None:
    with pytest.raises(NotFoundError):
        adopt(database, UUID(int=7), "EU")


def test_categories_are_published_in_versions(database: Database, org: UUID) -> None:
    with database.read() as session:
        assert categories.tree(session, org) is None
    first = publish(database, org, TREE, ("garden",))
    assert (first.version, first.entry_index) == (1, 3)
    assert publish(database, org, tuple(reversed(TREE)), ("garden",)) == first
    second = publish(database, org, (*TREE, "kitchen/pots"), ("garden", "kitchen"))
    assert second.version == 2
    kind, values, _ = entry(database, org, second.entry_index)
    assert kind == "categories.published"
    assert values["version"] == 2
    assert values["groups"] == ["garden", "kitchen"]
    with database.read() as session:
        assert categories.tree(session, org) == CategoryTree(
            2, tuple(sorted((*TREE, "kitchen/pots"))), ("garden", "kitchen")
        )
        assert categories.of_version(session, org, 1) == first
        with pytest.raises(NotFoundError):
            categories.of_version(session, org, 3)


@pytest.mark.parametrize(
    ("nodes", "groups", "field", "reason"),
    [
        ((), (), "categories", "missing"),
        (("Garden",), (), "categories[0]", "format"),
        (("a", "a//b"), (), "categories[1]", "format"),
        (("a/",), (), "categories[0]", "format"),
        (("/a",), (), "categories[0]", "format"),
        (("a\n",), (), "categories[0]", "format"),
        (("а",), (), "categories[0]", "format"),
        (("a", "b", "a"), (), "categories[2]", "double"),
        (("a/b",), (), "categories[0]", "parent_missing"),
        (("/".join("abcdefghijk"),), (), "categories[0]", "format"),
        (("/".join(["x" * 64] * 4),), (), "categories[0]", "too_long"),
        (tuple(f"n{n}" for n in range(2_001)), (), "categories", "too_many"),
        (("a",), ("b",), "groups[0]", "unknown"),
        (("a",), ("a", "a"), "groups[1]", "double"),
    ],
)
def test_wrong_categories_name_their_place(
    database: Database,
    org: UUID,
    nodes: tuple[str, ...],
    groups: tuple[str, ...],
    field: str,
    reason: str,
) -> None:
    with pytest.raises(GapsError) as raised:
        publish(database, org, nodes, groups)
    assert (raised.value.gaps[0].field, raised.value.gaps[0].reason) == (field, reason)
    assert size(database, org) == 3


def test_both_tables_are_made_again_from_the_log(installation: Installation) -> None:
    database = installation.database
    made = factories.create_organisation(database, installation.settings)
    org = made.organisation_id
    adopt(database, org, "DE")
    adopt(database, org, Adoption("DE", ("opt_out=off",)))
    publish(database, org, TREE, ("garden",))
    publish(database, org, TREE, ("kitchen",))
    assert fsck(installation, org).findings == []
    with database.read() as session:
        before = packs.adopted(session, org), categories.newest(session, org)
    for table in ("adopted_pack", "category_tree"):
        with database.begin() as tx:
            tx.connection.exec_driver_sql(f"DELETE FROM {table}")
    assert len(fsck(installation, org).findings) == 5
    rebuild(installation, org)
    with database.read() as session:
        assert (packs.adopted(session, org), categories.newest(session, org)) == before
    assert fsck(installation, org).findings == []
