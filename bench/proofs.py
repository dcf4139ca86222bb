"""An inclusion proof in a log of 1,000,000 entries: read from the tree, and over HTTP: a receipt's page, the API."""

from __future__ import annotations

import random
import time
from collections.abc import Sequence

from bench import load
from bench.engines import ENGINES
from bench.figures import Figure, percentile
from bench.world import World, on_each, served
from consentledger.db.log.entries import Draft
from consentledger.db.log.tree import TreeReader
from consentledger.db.signing.checkpoints import latest_checkpoint
from consentledger.kernel.tokens import pack_link
from consentledger.ledger.merkle import verify_inclusion
from tests.factories import create_key_of

ENTRIES = 1_000_000
BATCH = 2_000
PROOFS = 2_000
LIMIT_MS = 20.0
API_LIMIT_MS = 10.0


def run(engines: Sequence[str] = ENGINES) -> list[Figure]:
    """Builds the log and measures on each engine."""
    return on_each(engines, _engine)


def _engine(made: World) -> list[Figure]:
    rate = build(made, ENTRIES)
    rng = random.Random(1)
    indexes = [rng.randrange(ENTRIES) for _ in range(PROOFS)]
    read = _from_the_tree(made, indexes)
    with served(made) as port:
        pages = _answered(port, [_receipt(made, index) for index in indexes])
        token = create_key_of(
            made.installation.database, made.made.organisation_id, "evidence:read"
        ).token
        proofs = _answered(port, [_proof(token, index) for index in indexes])
    return [
        Figure(made.engine, "log built, batches of 2,000", rate, "entries/s"),
        Figure(
            made.engine,
            "inclusion proof from the tree, warm, p99",
            read,
            "ms",
            LIMIT_MS,
            ceiling=True,
        ),
        Figure(
            made.engine,
            "receipt page with its proof, p99",
            percentile(pages, 0.99),
            "ms",
            LIMIT_MS,
            ceiling=True,
        ),
        Figure(
            made.engine,
            "inclusion proof by the API, p99",
            percentile(proofs, 0.99),
            "ms",
            API_LIMIT_MS,
            ceiling=True,
        ),
    ]


def _answered(port: int, requests: Sequence[bytes]) -> list[float]:
    """Asks one after another, twice; milliseconds of the second time, when the tiles have been read."""
    load.one_by_one(port, requests)
    answers = load.one_by_one(port, requests)
    if any(status != 200 for _, status, _ in answers):
        raise SystemExit("an answer was not 200")
    return [seconds * 1000 for seconds, _, _ in answers]


def build(made: World, entries: int) -> float:
    """Appends entries to the form's organisation until its log holds as many; returns entries/s."""
    organisation_id, database = made.made.organisation_id, made.installation.database
    started, size = time.perf_counter(), 0
    while size < entries:
        drafts = [
            Draft("configuration.changed", {"setting": "bench", "value": str(n)}, actor="operator")
            for n in range(min(BATCH, entries - size))
        ]
        with database.begin() as tx:
            size = tx.log.append(tx, organisation_id, drafts)[-1].index + 1
    taken = time.perf_counter() - started
    made.installation.signer.sign(organisation_id)
    return entries / taken


def _from_the_tree(made: World, indexes: Sequence[int]) -> float:
    times = []
    installation, organisation_id = made.installation, made.made.organisation_id
    for repeat in range(2):
        for index in indexes:
            started = time.perf_counter()
            with installation.database.read() as session:
                checkpoint = latest_checkpoint(session, organisation_id)
                if checkpoint is None:
                    raise SystemExit("nothing was signed")
                tree = TreeReader(session, organisation_id, installation.tiles)
                proof = tree.inclusion_proof(index, checkpoint.size)
            if repeat:
                times.append((time.perf_counter() - started) * 1000)
            verify_inclusion(tree.leaf_hash(index), index, checkpoint.size, proof, checkpoint.root)
    return percentile(times, 0.99)


def _proof(token: str, index: int) -> bytes:
    return load.request("GET", f"/api/v1/log/proofs/{index}", Authorization=f"Bearer {token}")


def _receipt(made: World, index: int) -> bytes:
    link = pack_link(made.made.organisation.number, index.to_bytes(8, "big"))
    return load.request("GET", f"/r/{made.installation.tokens.make('receipt', link)}")
