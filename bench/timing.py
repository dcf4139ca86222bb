"""Promise 4, the time: a sign-up takes as long for an address that is new, known, confirmed or blocked.

Posts of all kinds are sent one after another in shuffled order by one client, so that whatever else the machine
does meets all kinds alike; medians over 5,000 posts per kind lie within 5 % of one another.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from statistics import median
from urllib.parse import urlencode
from uuid import UUID

from bench import load
from bench.engines import ENGINES
from bench.figures import Figure
from bench.people import FORM, people
from bench.world import World, on_each, served, without_limits
from consentledger.consents.commands import NotMe
from consentledger.consents.service import decline
from tests.factories import create_form
from tests.support.form_tokens import OpenPages

POSTS = 5_000
PEOPLE = 1_000  # so that no address is posted more often than its limit allows
FORMS = 6  # so that no form is posted more often than its limit allows
LIMIT = 0.05


def run(engines: Sequence[str] = ENGINES) -> list[Figure]:
    """Measures on each engine."""
    return on_each(engines, _engine)


def _engine(made: World) -> list[Figure]:
    known, forms = _prepare(made), _forms(made)
    requests = [
        (kind, _post(forms[n % FORMS], made, address, n))
        for kind, addresses in known.items()
        for n, address in enumerate(addresses)
    ]
    random.Random(2).shuffle(requests)
    with served(without_limits(made)) as port:
        load.one_by_one(
            port, [_post(forms[n % FORMS], made, f"warm{n}@example.org", n) for n in range(200)]
        )
        answers = load.one_by_one(port, [request for _, request in requests])
    if any(status != 200 for _, status, _ in answers) or len({len(b) for _, _, b in answers}) != 1:
        raise SystemExit("the answers differ: see the tests of promise 4 first")
    times: dict[str, list[float]] = {kind: [] for kind in known}
    for (kind, _), (seconds, _, _) in zip(requests, answers, strict=True):
        times[kind].append(seconds * 1000)
    medians = {kind: median(values) for kind, values in times.items()}
    spread = max(medians.values()) / min(medians.values()) - 1
    figures = [
        Figure(made.engine, f"sign-up, {kind}, median", m, "ms") for kind, m in medians.items()
    ]
    return [
        *figures,
        Figure(made.engine, "largest median over smallest, less 1", spread, "", LIMIT, True),
    ]


def _prepare(made: World) -> dict[str, list[str]]:
    crowd = people(made)
    kinds = {
        kind: [f"{kind}{n}@example.org" for n in range(PEOPLE)]
        for kind in ("waiting", "confirmed", "blocked")
    }
    for n in range(PEOPLE):
        crowd.ask(kinds["waiting"][n])
        crowd.subscribe(kinds["confirmed"][n])
        link = crowd.ask(kinds["blocked"][n])
        if link is None:
            raise SystemExit("a first sign-up got no link")
        with made.installation.database.begin() as tx:
            decline(tx, NotMe(link))
    repeated = {kind: addresses * (POSTS // PEOPLE) for kind, addresses in kinds.items()}
    return {"new": [f"new{n}@example.org" for n in range(POSTS)], **repeated}


def _forms(made: World) -> list[UUID]:
    one, database = made.made, made.installation.database
    return [
        create_form(database, one.organisation_id, one.sender_id, one.wording_ids)
        for _ in range(FORMS)
    ]


def _post(form_id: UUID, made: World, address: str, n: int) -> bytes:
    box, pages = str(made.made.purpose_ids[0]), OpenPages(made.installation.settings)
    return load.request(
        "POST",
        f"/f/{form_id}",
        urlencode({"email": address, "purpose": box, "token": pages.token(form_id)}).encode(),
        X_Forwarded_For=f"10.{n // 65536}.{n // 256 % 256}.{n % 256}",
        **FORM,
    )
