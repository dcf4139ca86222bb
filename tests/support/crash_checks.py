"""What must hold after any kill: the log whole, what was acknowledged in it, checkpoints one history, no mail lost."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from itertools import pairwise
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from consentledger.db.fsck import Finding, fsck
from consentledger.db.installation import Installation
from consentledger.db.log.tree import TreeReader
from consentledger.db.models import LogCheckpoint, LogHead, LogLeaf
from consentledger.kernel.errors import VerificationError
from consentledger.ledger.checkpoint import open_checkpoint
from consentledger.ledger.merkle import leaf_hash, verify_consistency, verify_inclusion
from consentledger.ledger.note import Verifier
from consentledger.replay.service import compare
from tests.support.crash_load import Acknowledged, confirm_token
from tests.support.mails import Entry, entries, waiting
from tests.support.smtp import SmtpPeer


class Checks:
    """The invariants of one organisation's log, checked as often as wanted; each check returns violations."""

    def __init__(self, installation: Installation, organisation_id: UUID, peer: SmtpPeer) -> None:
        self._installation = installation
        self._organisation_id = organisation_id
        self._peer = peer
        self._notes: dict[int, str] = {}
        self.size = 0

    @property
    def checkpoints(self) -> int:
        """How many checkpoints were published."""
        return len(self._notes)

    def run(self, acknowledged: Sequence[Acknowledged], *, openings: bool) -> list[str]:
        """Checks the log against what was acknowledged before, in one moment of the running service."""
        with self._installation.database.snapshot() as session:
            head = session.get_one(LogHead, self._organisation_id)
            found = self._check_tree(session, head, acknowledged)
            found += self._check_checkpoints(session, head)
        report = fsck(self._installation, self._organisation_id, openings=openings)
        found += [f"fsck: {finding.where}: {finding.message}" for finding in report.findings]
        return found + self._check_mails()

    def drained(self) -> bool:
        """Says whether all work is done and the whole log is signed."""
        with self._installation.database.read() as session:
            size = session.get_one(LogHead, self._organisation_id).size
            signed = session.get(LogCheckpoint, (self._organisation_id, size))
        return signed is not None and waiting(self._installation) == 0

    def all_handled(self, sign_ups: Counter[str]) -> list[str]:
        """Checks, when all work is done, that each sign-up was told of, and state against replay."""
        told = entries(self._installation.database, self._organisation_id)
        return [
            *_sign_ups(told, sign_ups),
            *_outcomes(told, self._on_the_wire()),
            *(f"state: {one.where}: {one.message}" for one in self._compared()),
        ]

    def _compared(self) -> list[Finding]:
        """What the state's rows say other than the log."""
        return compare(self._installation, self._organisation_id)

    def _check_tree(
        self, session: Session, head: LogHead, acknowledged: Sequence[Acknowledged]
    ) -> list[str]:
        rows = session.execute(
            select(LogLeaf.entry_index, LogLeaf.leaf)
            .where(LogLeaf.organisation_id == self._organisation_id)
            .order_by(LogLeaf.entry_index)
        ).all()
        self.size = head.size
        found = []
        if [row.entry_index for row in rows] != list(range(head.size)):
            found.append("indexes are not 0 to size less 1, each once")
        leaves = {row.entry_index: bytes(row.leaf) for row in rows}
        tree = TreeReader(session, self._organisation_id)
        for act in acknowledged:
            leaf = leaves.get(act.index)
            if leaf is None:
                found.append(f"acknowledged entry {act.index} is not there")
                continue
            digest = leaf_hash(leaf)
            kind = leaf.split(b"\n")[1].decode()[5:].partition("/")[0]
            if kind not in act.kinds or act.leaf_hash not in (None, digest.hex()):
                found.append(f"acknowledged entry {act.index} is another one: {kind}")
            try:
                proof = tree.inclusion_proof(act.index, head.size)
                verify_inclusion(digest, act.index, head.size, proof, head.root)
            except VerificationError as error:
                found.append(f"acknowledged entry {act.index} has no proof: {error}")
        return found

    def _check_checkpoints(self, session: Session, head: LogHead) -> list[str]:
        verifier = Verifier.from_vkey(self._installation.signer.vkey(head.origin))
        tree = TreeReader(session, self._organisation_id)
        rows = session.scalars(
            select(LogCheckpoint)
            .where(LogCheckpoint.organisation_id == self._organisation_id)
            .order_by(LogCheckpoint.size)
        ).all()
        notes = {row.size: row.note for row in rows}
        found = [
            f"the checkpoint at {size} was published, and is gone or another"
            for size, note in self._notes.items()
            if notes.get(size) != note
        ]
        fresh = [row.note for row in rows if row.size not in self._notes]
        # Those before were held against one another when they were new.
        last = [self._notes[max(self._notes)]] if self._notes else []
        signed = [open_checkpoint(note, [verifier]) for note in (*last, *fresh)]
        for old, new in pairwise(sorted(signed, key=lambda one: one.size)):
            try:
                proof = tree.consistency_proof(old.size, new.size)
                verify_consistency(old.size, new.size, old.root, new.root, proof)
            except VerificationError as error:
                found.append(f"checkpoints {old.size} and {new.size} are two histories: {error}")
        self._notes.update(notes)
        return found

    def _on_the_wire(self) -> dict[str, set[bytes]]:
        """The contents of every message by its Message-ID."""
        contents: dict[str, set[bytes]] = defaultdict(set)
        for received in list(self._peer.messages):
            (message_id,) = received.header_lines("Message-ID")
            contents[message_id.decode()].add(received.content)
        return contents

    def _check_mails(self) -> list[str]:
        contents = self._on_the_wire()
        links: dict[str, set[str]] = defaultdict(set)
        for message_id, copies in contents.items():
            for copy in copies:
                links[confirm_token(copy)].add(message_id)
        return [
            *(f"{one}: {len(copies)} different mails" for one, copies in contents.items() if len(copies) > 1),
            *(f"link {one}: {len(ids)} Message-IDs" for one, ids in links.items() if len(ids) > 1),
        ]  # fmt: skip


def _sign_ups(told: Sequence[Entry], acknowledged: Counter[str]) -> list[str]:
    logged = Counter(e.values["address"] for e in told if e.kind == "consent.requested")
    return [
        f"{address}: {count} sign-ups were acknowledged, {logged[address]} logged"
        for address, count in acknowledged.items()
        if logged[address] < count
    ]


def _outcomes(told: Sequence[Entry], wire: dict[str, set[bytes]]) -> list[str]:
    found = []
    outcomes: Counter[str] = Counter()
    for entry in told:
        if entry.kind != "confirmation.handled":
            continue
        outcomes.update(entry.values["requests"])
        message_id = entry.values["message_id"]
        if entry.values["outcome"] == "sent" and message_id not in wire:
            found.append(f"{message_id} was logged as sent, and nobody got it")
    for entry in told:
        if entry.kind == "consent.requested" and outcomes[entry.values["request"]] != 1:
            count = outcomes[entry.values["request"]]
            found.append(f"a request of entry {entry.index} has {count} outcomes instead of one")
    return found
