"""`verify` of a bundle of 10,000 entries, made by a real export: entries per second of one core."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Sequence
from tempfile import TemporaryFile
from typing import BinaryIO, cast

from bench.engines import ENGINES
from bench.figures import Figure
from bench.people import people
from bench.world import World, world
from consentledger.evidence.service import ExportEvidence, export
from consentledger.ledger.policy import make_policy
from consentledger.permits.rules import IssuePermits
from consentledger.permits.service import issue, prepare
from consentledger.verify.bundle import verify_bundle

ENTRIES = 10_000
FLOOR = 3_000
ADDRESS = "subscriber@example.org"
ROUNDS = 3


def run(engines: Sequence[str] = ENGINES) -> list[Figure]:
    """A subscriber who got one message after the other: each is a batch's entry, with a permit of theirs."""
    figures = []
    for engine in engines:
        with world(engine) as made, TemporaryFile(dir=tempfile.gettempdir()) as opened:
            file = cast(BinaryIO, opened)
            figures += _measure(made, file)
    return figures


def _measure(made: World, file: BinaryIO) -> list[Figure]:
    people(made).subscribe(ADDRESS)
    for _ in range(ENTRIES):
        _permit(made)
    command = ExportEvidence(made.made.organisation_id, ADDRESS)
    started = time.perf_counter()
    exported = export(made.installation, command, file)
    taken = time.perf_counter() - started
    origin = made.made.organisation.origin
    policy = make_policy([made.installation.signer.vkey(origin)]).text().encode()
    best = 0.0
    for _ in range(ROUNDS):
        started = time.process_time()  # it does nothing but compute, on one core
        report = verify_bundle(file, policy=policy)
        best = max(best, exported.entries / (time.process_time() - started))
        if report.exit_code != 0:
            raise SystemExit(report.text())
    return [
        Figure(
            made.engine,
            f"verify a bundle of {exported.entries:,} entries",
            best,
            "entries/s",
            FLOOR,
        ),
        Figure(made.engine, "export the same bundle", exported.entries / taken, "entries/s"),
        Figure(made.engine, "its size", file.seek(0, 2) / 2**20, "MiB"),
    ]


def _permit(made: World) -> None:
    form = made.made
    command = IssuePermits(
        form.organisation_id, form.sender_id, form.purpose_ids[0], "email", (ADDRESS,), "key:bench"
    )
    prepared = prepare(made.installation.database, command)
    with made.installation.database.begin() as tx:
        issue(tx, prepared)
