"""The verb: everything that shows what may be sent to one address, as one file that checks without us."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from time import sleep
from typing import BinaryIO
from uuid import UUID

from sqlalchemy.orm import Session

from consentledger.contacts import address as addresses
from consentledger.contacts.queries import contact_by_lookup, entry_indexes, lookup_hash
from consentledger.db.installation import Installation
from consentledger.db.keystore.store import ContactKeys
from consentledger.db.log.index import shorten_tail
from consentledger.db.log.tree import TreeReader
from consentledger.db.signing.checkpoints import latest_checkpoint
from consentledger.db.signing.signers import named_evidence_signer
from consentledger.evidence import queries, rules
from consentledger.evidence.absence import absence_of, indexes_below, tail_below
from consentledger.evidence.kept import KeptContact
from consentledger.evidence.packs import write_packs
from consentledger.evidence.queries import OpenedLeaf, Opener
from consentledger.evidence.readme import readme
from consentledger.evidence.reports import reports_of, write_registers, write_reports
from consentledger.evidence.write import write_entries
from consentledger.kernel.errors import InputError, NotFoundError, UnavailableError
from consentledger.ledger.bundle import SMALL, BundleWriter, to_json
from consentledger.ledger.checkpoint import Checkpoint, open_checkpoint
from consentledger.ledger.merkle import inclusion_proof, nodes_of
from consentledger.ledger.policy import make_policy
from consentledger.ledger.strict import to_base64_url
from consentledger.permits.links import PermitId
from consentledger.permits.queries import batch as batch_of
from consentledger.permits.queries import lines_of
from consentledger.permits.queries import rows as rows_of
from consentledger.verify.chain import check_chains
from consentledger.verify.entries import Entry, Found, open_entry
from consentledger.verify.permits import permit_file
from consentledger.verify.records import CONTEXT, records_of, to_record
from consentledger.verify.report import Report
from consentledger.verify.rests import published_by
from consentledger.verify.story import stories

SIGNING_TRIES = 40
SIGNING_PAUSE = 0.05
CONTEXT_FILE = Path(__file__).with_name("context.jsonld")


@dataclass(frozen=True, slots=True)
class ExportEvidence:
    """Asks for one address's evidence.

    `labels`: disclose the contact's label key too, and show that no later entry of it exists; whoever holds the key
    can tell this contact's later entries in the log apart. `since`: add a proof that
    the log only grew since a checkpoint of that size. `kept`: the contact is gone, but restricted.
    """

    organisation_id: UUID
    address: str = field(repr=False)
    labels: bool = True
    since: int | None = None
    kept: KeptContact | None = None


@dataclass(frozen=True, slots=True)
class Exported:
    """What a bundle holds: entries, permits, and the size of the tree that its checkpoint signs."""

    entries: int
    permits: int
    size: int


@dataclass(frozen=True, slots=True)
class _Scope:
    """One export on its way: where it reads, whom it is about, and under which checkpoint."""

    installation: Installation
    session: Session
    organisation_id: UUID
    contact_id: UUID
    keys: ContactKeys
    checkpoint: Checkpoint
    note: str
    kept: KeptContact | None = None

    @property
    def opener(self) -> Opener:
        return Opener(
            self.session,
            self.installation.keystore,
            self.organisation_id,
            queries.began_as(self.session, self.organisation_id),
            (self.keys.key_id, self.keys.sealer),
        )

    @property
    def tree(self) -> TreeReader:
        return TreeReader(self.session, self.organisation_id, self.installation.tiles)


def export(installation: Installation, command: ExportEvidence, file: BinaryIO) -> Exported:
    """Writes the bundle of one address into a seekable file, member by member.

    Indexes what a long time left unindexed, and signs the log's head first, so that everything committed is
    covered. InputError for what is no
    address or size, NotFoundError for an address without a record, UnavailableError when the head
    can't be signed now.
    """
    addresses.parse(command.address, "address")
    if command.labels:
        shorten_tail(installation.database, command.organisation_id)
    _sign(installation, command.organisation_id)
    with installation.database.snapshot() as session:
        scope = _scope(installation, session, command)
        secrets = installation.settings.secrets
        checkpoint = scope.checkpoint
        named = installation.signer.keys.newest(
            session, command.organisation_id, checkpoint.origin, checkpoint.size
        )
        signer = named_evidence_signer(
            secrets, checkpoint.origin, named.evidence_key if named else None
        )
        writer = BundleWriter(file, signer)
        exported = _write(scope, command, writer)
        writer.close()
    return exported


def _sign(installation: Installation, organisation_id: UUID) -> None:
    """Has everything signed that is committed by now, by us or by another signer."""
    with installation.database.read() as session:
        wanted = queries.head_size(session, organisation_id)
    for _ in range(SIGNING_TRIES):
        installation.signer.sign(organisation_id)
        with installation.database.read() as session:
            published = latest_checkpoint(session, organisation_id)
        if published is not None and published.size >= wanted:
            return
        sleep(SIGNING_PAUSE)  # another signer holds the guard, and publishes in a moment
    raise UnavailableError("the log can't be signed at the moment")


def _scope(installation: Installation, session: Session, command: ExportEvidence) -> _Scope:
    organisation_id = command.organisation_id
    contact_id, keys = _whom(installation, session, command)
    published = latest_checkpoint(session, organisation_id)
    if published is None:
        raise UnavailableError("the log has no checkpoint yet")
    origin = queries.origin_of(session, organisation_id)
    verifiers = installation.signer.signers.verifiers(origin)
    return _Scope(
        installation,
        session,
        organisation_id,
        contact_id,
        keys,
        open_checkpoint(published.note, verifiers),
        published.note,
        command.kept,
    )


def _whom(
    installation: Installation, session: Session, command: ExportEvidence
) -> tuple[UUID, ContactKeys]:
    if command.kept is not None:
        return command.kept.contact_id, command.kept.keys
    keystore, organisation_id = installation.keystore, command.organisation_id
    folded = addresses.fold_parsed(addresses.parse(command.address, "address"))
    lookup = lookup_hash(keystore.organisation(session, organisation_id), folded)
    contact = contact_by_lookup(session, organisation_id, lookup)
    if contact is None:
        raise NotFoundError("nothing is recorded about this address")
    return contact.contact_id, keystore.contact_keys(session, organisation_id, contact.key_id)


def _write(scope: _Scope, command: ExportEvidence, writer: BundleWriter) -> Exported:
    size = scope.checkpoint.size
    if command.since is not None and not 0 < command.since <= size:
        raise InputError(f"since: the log has {size} entries", field="since", reason="range")
    session, organisation_id, kept = scope.session, scope.organisation_id, scope.kept
    if kept is None:
        known: Sequence[int] = entry_indexes(session, organisation_id, scope.contact_id)
        permits = queries.permits_of(session, organisation_id, scope.contact_id, size)
    else:
        known, permits = kept.entries, kept.places(session, organisation_id, size)
    reports = reports_of(session, organisation_id, scope.contact_id, size, kept)
    own = [index for index in known if index < size]
    tail = range(0)
    if command.labels:
        tail = tail_below(scope.session, scope.organisation_id, size)
    batches = (index for index, _, _ in (*permits, *reports))
    entries = _chosen(scope, sorted({*own, *batches}), command.labels)
    indexes = [entry.index for entry in entries]
    writer.add("README.txt", readme(scope.checkpoint, len(indexes), SMALL))
    policy = make_policy(scope.installation.signer.vkeys(scope.checkpoint.origin))
    writer.add("policy.txt", policy.text().encode("utf-8"))
    writer.add("checkpoint", scope.note.encode("utf-8"))
    _write_opened(scope, writer, indexes, tail)
    _write_permits(scope, writer, permits)
    write_reports(writer, session, organisation_id, reports, kept)
    folded = addresses.fold_parsed(addresses.parse(command.address, "address"))
    whom = (scope.contact_id, folded)
    write_registers(writer, session, scope.installation.keystore, organisation_id, whom, entries)
    write_packs(writer, entries)
    _write_records(writer, entries)
    if command.labels:
        _write_labels(scope, writer, own, entries)
    if command.since is not None and command.since < size:
        proof = scope.tree.consistency_proof(command.since, size)
        lines = "".join(f"{b64encode(hash_).decode('ascii')}\n" for hash_ in proof)
        writer.add(f"consistency/{command.since}.txt", lines.encode("ascii"))
    return Exported(len(indexes), len(permits), size)


def _write_labels(
    scope: _Scope, writer: BundleWriter, own: Sequence[int], entries: Sequence[Entry]
) -> None:
    contact = str(scope.contact_id)
    key = {"contact": contact, "key": to_base64_url(scope.keys.label)}
    writer.add(f"labels/{contact}.json", to_json(key))
    indexes = [entry for entry in entries if entry.kind.name == "log.index"]
    absent = absence_of(
        scope.session, scope.organisation_id, contact, scope.keys.label, own, indexes
    )
    writer.add(f"absence/{contact}.json", to_json(absent))


def _chosen(scope: _Scope, own: Sequence[int], labels: bool) -> list[Entry]:
    """The person's entries and those of the organisation they rest on, opened, without their blobs."""
    opener = scope.opener
    named, shut, found = rules.Referenced(), [], []
    for leaf in opener.open(own):
        entry = _entry(leaf)
        found.append(entry)
        named.add(entry)
        if not entry.is_open or not _has_blobs(entry, leaf):
            shut.append(entry)
    others = queries.organisation_entries(
        scope.session, scope.organisation_id, scope.checkpoint.size
    )
    wanted = [i for i, kind in others if kind.partition("/")[0] in rules.ALWAYS | rules.PUBLISHED]
    found += [e for e in map(_entry, opener.open(wanted)) if rules.rests_on(e, named)]
    erasures = [i for i, kind in others if kind.startswith(rules.ENDS)]
    found += rules.covering(map(_entry, opener.open(erasures)), shut)
    if labels:
        indexes = indexes_below(scope.session, scope.organisation_id, scope.checkpoint.size)
        found += map(_entry, opener.open(indexes))
    return sorted(found, key=lambda entry: entry.index)


def _entry(leaf: OpenedLeaf) -> Entry:
    return open_entry(leaf.index, leaf.leaf, leaf.disclosures, f"entry {leaf.index}")


def _has_blobs(entry: Entry, leaf: OpenedLeaf) -> bool:
    """Tells whether the blobs of its own are still there (those of a form stand beside the form)."""
    return entry.values.get("mail") is None or bool(leaf.blobs)


def _write_opened(scope: _Scope, writer: BundleWriter, indexes: Sequence[int], tail: range) -> None:
    leaves = scope.opener.open(indexes)
    write_entries(
        writer, scope.session, scope.organisation_id, scope.tree, scope.note, leaves, indexes,
        scope.checkpoint.size, tail,
    )  # fmt: skip


def _write_permits(
    scope: _Scope, writer: BundleWriter, permits: Sequence[tuple[int, int, int]]
) -> None:
    for index, number, row in permits:
        issued = batch_of(scope.session, scope.organisation_id, number)
        rows = rows_of(scope.session, scope.organisation_id, number)
        lines = lines_of(issued, scope.kept.rows(number, rows) if scope.kept else rows)
        name = str(PermitId(issued.organisation_number, number, row))
        content = permit_file(
            batch=index,
            permit=name,
            row=row,
            disclosure=lines.disclosures[row].decode("ascii"),
            path=inclusion_proof(row, issued.count, nodes_of(lines.hashes)),
        )
        writer.add(f"permits/{name}.json", to_json(content))


def _write_records(writer: BundleWriter, entries: Sequence[Entry]) -> None:
    broken = check_chains(Found(list(entries), {}), Report(outside_policy=False))
    for path, record in records_of(stories(entries, broken), published_by(entries)):
        writer.add(path, to_record(record))
    writer.add(f"records/{CONTEXT}", CONTEXT_FILE.read_bytes())
