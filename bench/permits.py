"""Permits by JSON over real HTTP: recipients/s in batches of 1,000 at 2 web processes, durable and logged.

70 % of the recipients confirmed, 20 % withdrew, 10 % are strangers; each request carries an Idempotency-Key. The
clients run on the same cores. After the run every batch is counted in the log, and one is read with its proof.
"""

from __future__ import annotations

import itertools
import json
import random
from collections.abc import Sequence
from uuid import uuid4

from sqlalchemy import func, insert, select

from bench import load
from bench.engines import ENGINES
from bench.figures import Figure, percentile
from bench.world import World, served, world
from consentledger.contacts import standing
from consentledger.contacts.models import Contact
from consentledger.contacts.queries import lookup_hash
from consentledger.kernel.clock import now, to_text
from consentledger.kernel.ids import uuid7
from consentledger.permits.models import PermitBatch
from tests.factories import create_key_of

PEOPLE = 50_000
BATCH = 1_000
BATCHES = 160
SINGLES = 400
CONNECTIONS = 8
LIMIT = 10_000


def run(engines: Sequence[str] = ENGINES) -> list[Figure]:
    """Measures batches of 1,000 and single permits on each engine."""
    figures = []
    for engine in engines:
        with world(engine) as made:
            populate(made)
            figures += _engine(made)
    return figures


def _engine(made: World) -> list[Figure]:
    database, organisation_id = made.installation.database, made.made.organisation_id
    token = create_key_of(database, organisation_id).token
    dice = random.Random(7)
    with served(made) as port:
        load.run(port, questions(made, token, 20, BATCH, dice), connections=CONNECTIONS)
        batches = load.run(
            port, questions(made, token, BATCHES, BATCH, dice), connections=CONNECTIONS
        )
        singles = load.one_by_one(port, questions(made, token, SINGLES, 1, dice))
        _check(port, token, made)
    if batches.statuses != {200: BATCHES}:
        raise SystemExit(f"permits: not every answer was 200: {batches.statuses}")
    with database.read() as session:
        counted = session.scalar(select(func.count()).select_from(PermitBatch))
    if counted != 20 + BATCHES + SINGLES + 1:
        raise SystemExit(f"permits: {counted} batches are in the log")
    limit = LIMIT if made.engine == "postgresql" else None
    p99 = percentile([taken for taken, _, _ in singles], 0.99) * 1000
    return [
        Figure(
            made.engine, "permits, batches of 1,000", batches.rate * BATCH, "recipients/s", limit
        ),
        Figure(made.engine, "permits, a batch's p99", batches.p99, "ms"),
        Figure(made.engine, "permits, a single one's p99", p99, "ms"),
    ]


def populate(made: World) -> None:
    """Makes contacts with standings, seven of nine confirmed; their entries are left out, for permits read none."""
    database, form = made.installation.database, made.made
    keys = made.installation.keystore
    consent = standing.key_of(form.sender_id, form.purpose_ids[0], "email")
    at = now()
    for start in range(0, PEOPLE, 10_000):
        with database.begin() as tx:
            found = keys.organisation(tx.session, form.organisation_id)
            rows = []
            for n in range(start, min(start + 10_000, PEOPLE)):
                state = "confirmed" if n % 9 < 7 else "withdrawn"
                told = {"id": str(uuid7()), "state": state, "n": 2, "at": to_text(at)}
                rows.append(
                    {
                        "organisation_id": form.organisation_id, "contact_id": uuid7(),
                        "lookup": lookup_hash(found, f"person{n}@example.org"), "key_id": uuid7(),
                        "sealed_address": b"s" * 60, "entries": 3, "last_leaf_hash": b"h" * 32,
                        "standing": {**standing.empty(), "consents": {consent: told}},
                        "created_at": at, "touched_at": at,
                    }
                )  # fmt: skip
            tx.session.execute(insert(Contact), rows)


def questions(made: World, token: str, count: int, size: int, dice: random.Random) -> list[bytes]:
    """Builds the requests: each asks about other people, a tenth of them strangers."""
    requests = []
    strangers = itertools.count(dice.getrandbits(40))
    for _ in range(count):
        known = dice.sample(range(PEOPLE), size - size // 10)
        people = [f"person{n}@example.org" for n in known]
        people += [f"stranger{next(strangers)}@example.org" for _ in range(size // 10)]
        body = {
            "sender": str(made.made.sender_id),
            "purpose": str(made.made.purpose_ids[0]),
            "channel": "email",
            "campaign": "bench",
            "recipients": people,
        }
        requests.append(
            load.request(
                "POST", "/api/v1/permits", json.dumps(body).encode(), Content_Type="application/json",
                Authorization=f"Bearer {token}", Idempotency_Key=str(uuid4()),
            )
        )  # fmt: skip
    return requests


def _check(port: int, token: str, made: World) -> None:
    """One batch more, looked at: seven of ten allowed, each with its link; one read again with its proof."""
    request = questions(made, token, 1, BATCH, random.Random(1))
    ((_, status, body),) = load.one_by_one(port, request)
    answer = json.loads(body)
    rows = answer["permits"]
    if status != 200 or not 600 < answer["allowed"] < 800:
        raise SystemExit(f"permits: {answer.get('allowed')} of {BATCH} were allowed")
    if any(row["allowed"] != bool(row["unsubscribe_url"]) for row in rows):
        raise SystemExit("permits: a link is missing, or one too many")
    path = f"/api/v1/permits/{rows[-1]['permit']}"
    reading = [load.request("GET", path, Authorization=f"Bearer {token}")]
    ((_, status, body),) = load.one_by_one(port, reading)
    if status != 200 or json.loads(body)["proof"]["row"] != BATCH - 1:
        raise SystemExit("permits: one permit has no proof")
