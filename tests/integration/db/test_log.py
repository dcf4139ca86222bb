"""Appending on both engines: indexes, chains, openings, and what a reader of the rows can derive again."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import select, update

from consentledger.contacts.models import Contact
from consentledger.db.engine import Database
from consentledger.db.log.entries import open_disclosures, opening_context
from consentledger.db.log.tree import TreeReader
from consentledger.db.models import ContactEntry, LogHead, LogLeaf, LogNode, Opening
from consentledger.kernel.errors import IntegrityError, NotFoundError
from consentledger.kernel.ids import uuid7
from consentledger.ledger import merkle
from consentledger.ledger.leaf import check_disclosures, label, parse_leaf
from tests.support.logs import expired, make_log, setting


def leaf_rows(database: Database, organisation_id: object) -> list[LogLeaf]:
    with database.read() as session:
        return list(
            session.scalars(
                select(LogLeaf)
                .where(LogLeaf.organisation_id == organisation_id)
                .order_by(LogLeaf.entry_index)
            )
        )


@pytest.mark.parametrize("batch", [1, 3, 16, 17, 300])
def test_a_batch_of_any_size_gets_the_next_indexes_and_the_root_of_all(
    database: Database, batch: int
) -> None:
    log = make_log(database)
    log.fill(2)
    appended = log.append(*(setting(n) for n in range(batch)))
    assert [entry.index for entry in appended] == list(range(2, 2 + batch))
    rows = leaf_rows(database, log.organisation_id)
    assert [row.leaf for row in rows[2:]] == [entry.leaf for entry in appended]
    with database.read() as session:
        head = session.get(LogHead, log.organisation_id)
    assert head is not None
    assert head.size == 2 + batch
    assert head.root == merkle.root_of([merkle.leaf_hash(row.leaf) for row in rows])


def test_two_organisations_never_share_an_index_or_a_root(database: Database) -> None:
    one, other = make_log(database, "one"), make_log(database, "other")
    assert one.append(setting())[0].index == 0
    assert other.append(setting())[0].index == 0
    assert one.append(setting())[0].index == 1
    assert len(leaf_rows(database, other.organisation_id)) == 1


def test_a_completed_subtree_of_256_is_stored_and_proofs_come_from_stored_hashes(
    database: Database,
) -> None:
    log = make_log(database)
    log.fill(200)
    log.fill(330)
    hashes = [row.leaf_hash for row in leaf_rows(database, log.organisation_id)]
    with database.read() as session:
        nodes = session.scalars(select(LogNode).order_by(LogNode.n)).all()
        assert [(node.level, node.n) for node in nodes] == [(1, 0), (1, 1)]
        assert nodes[1].hash == merkle.root_of(hashes[256:512])
        tree = TreeReader(session, log.organisation_id)
        root = merkle.root_of(hashes)
        assert tree.root(530) == root
        for index in (0, 255, 256, 511, 512, 529):
            proof = tree.inclusion_proof(index, 530)
            merkle.verify_inclusion(hashes[index], index, 530, proof, root)
        proof = tree.consistency_proof(200, 530)
        merkle.verify_consistency(200, 530, merkle.root_of(hashes[:200]), root, proof)


def test_a_contacts_entries_are_labelled_in_order_and_point_back(database: Database) -> None:
    log = make_log(database)
    chain = log.contact()
    first = log.append(expired(chain), expired(chain))
    second = log.append(expired(chain))
    for n, entry in enumerate([*first, *second]):
        assert parse_leaf(entry.leaf).label == label(chain.keys.label, n)
    values = [
        check_disclosures(parse_leaf(e.leaf), [d for _, d in e.disclosures])
        for e in [*first, *second]
    ]
    assert [value["prev"] for value in values] == [
        None,
        first[0].leaf_hash.hex(),
        first[1].leaf_hash.hex(),
    ]
    assert {value["address"] for value in values} == {"ann@example.org"}
    with database.read() as session:
        contact = session.get(Contact, (log.organisation_id, chain.contact_id))
        entries = session.scalars(select(ContactEntry.entry_index)).all()
    assert contact is not None
    assert (contact.entries, contact.last_leaf_hash) == (3, second[0].leaf_hash)
    assert sorted(entries) == [0, 1, 2]


def test_openings_rest_sealed_and_open_only_with_the_contacts_key(database: Database) -> None:
    log = make_log(database)
    chain = log.contact("planted@example.org")
    [entry] = log.append(expired(chain))
    with database.read() as session:
        rows = session.scalars(select(Opening)).all()
    assert [(row.opening_class, row.key_id) for row in rows] == [("core", chain.keys.key_id)]
    assert b"planted" not in rows[0].sealed
    context = opening_context("test.example/log/log", entry.leaf_hash, "core")
    opened = open_disclosures(chain.keys.sealer.open(rows[0].sealed, context))
    values = check_disclosures(parse_leaf(entry.leaf), opened)
    assert values["address"] == "planted@example.org"
    elsewhere = opening_context("test.example/log/log", b"\0" * 32, "core")
    with pytest.raises(IntegrityError):
        chain.keys.sealer.open(rows[0].sealed, elsewhere)


def test_a_failed_transaction_leaves_no_entry_and_no_gap(database: Database) -> None:
    log = make_log(database)
    log.fill(1)

    def fail() -> None:
        with database.begin() as tx:
            tx.log.append(tx, log.organisation_id, [setting()])
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert log.append(setting())[0].index == 1


def test_a_head_changed_by_hand_is_not_built_upon(database: Database) -> None:
    log = make_log(database)
    log.fill(3)
    with database.begin() as tx:
        tx.session.execute(update(LogHead).values(size=2, frontier=b"\1" * 32, root=b"\1" * 32))
    with pytest.raises(IntegrityError, match="changed by hand"):
        log.append(setting())


def test_an_organisation_without_a_log_is_refused(database: Database) -> None:
    make_log(database)
    with pytest.raises((NotFoundError,)), database.begin() as tx:
        tx.log.lock_head(tx, uuid7())


def test_writers_at_once_get_every_index_once(database: Database) -> None:
    log = make_log(database)
    start = threading.Barrier(6)

    def write(_: int) -> list[int]:
        start.wait()
        return [entry.index for n in range(8) for entry in log.append(setting(n), setting(n))]

    with ThreadPoolExecutor(6) as pool:
        indexes = [index for result in pool.map(write, range(6)) for index in result]
    assert sorted(indexes) == list(range(6 * 8 * 2))
    rows = leaf_rows(database, log.organisation_id)
    with database.read() as session:
        head = session.get(LogHead, log.organisation_id)
    assert head is not None
    assert head.root == merkle.root_of([row.leaf_hash for row in rows])
