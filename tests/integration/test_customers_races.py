"""Promise 2 for existing customers: no permit on the exception stands behind what closed it."""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Callable

import pytest

from consentledger.db.installation import Installation
from consentledger.permits.links import PermitId
from consentledger.replay.service import fsck
from consentledger.stops import service as stops
from consentledger.stops.commands import Unsubscribe
from tests.support.consents import People, entries_of
from tests.support.customer_permits import (
    ANNA,
    ask,
    bought,
    issued,
    open_shop,
    prepared,
    said,
    sold,
)
from tests.support.customers import lapse, record
from tests.support.evidence import Path

CROWD = [f"p{n}@example.com" for n in range(24)]
ROUNDS = 10


@pytest.fixture
def path(installation: Installation) -> Path:
    """A shop that may write to its customers."""
    return open_shop(installation)


def taken_back(path: Path) -> None:
    """The shop takes the sale back."""
    row = {"address": ANNA, "reference": "A-1", "reason": "taken_back"}
    lapse(path.installation.database, path.made.organisation_id, row)


def refused(path: Path) -> None:
    """Another sale is recorded, at which the person refused."""
    bought(path, reference="A-2", refused_at_collection=True)


def left(path: Path) -> None:
    """The person presses the link of an older permit."""
    path.leave(ask(path))


@pytest.mark.parametrize("act", [taken_back, refused, left])
def test_what_comes_between_looking_and_writing_counts(
    path: Path, act: Callable[[Path], None]
) -> None:
    bought(path)
    asked = prepared(path)
    act(path)
    [row] = said(issued(path, asked))
    assert row[0] == "deny"


def test_no_permit_stands_behind_an_objection(path: Path) -> None:
    org, database = path.made.organisation_id, path.installation.database
    number = path.made.form.organisation_number
    record(database, org, *sold(*CROWD))
    failed: list[BaseException] = []
    batches = []

    def asking() -> None:
        for _ in range(ROUNDS):
            batches.append(ask(path, *CROWD))

    def leaving(part: int) -> None:
        for row, _ in list(enumerate(CROWD))[part::3]:
            link = PermitId(number, batches[0].batch, row).to_bytes()
            with database.begin() as tx:
                stops.unsubscribe(tx, Unsubscribe(link, "one_click"))

    def importing() -> None:
        for turn in range(ROUNDS):
            record(database, org, *sold(*CROWD, reference=f"B-{turn}"))

    def guarded(target: Callable[..., None], *given: int) -> threading.Thread:
        def run() -> None:
            try:
                target(*given)
            except BaseException as error:
                failed.append(error)

        return threading.Thread(target=run)

    batches.append(ask(path, *CROWD))
    threads = [guarded(asking), guarded(asking), guarded(importing)]
    threads += [guarded(leaving, part) for part in (0, 1)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    people, closed = People(database, path.made), defaultdict(lambda: 10**9)
    for person in CROWD:
        contact = people.contact(person)
        assert contact is not None
        for entry in entries_of(database, org, contact):
            if entry.kind == "customer.objected":
                closed[person] = min(closed[person], entry.index)
    assert len(closed) == 16
    allowed = [
        (batch.entry_index, person)
        for batch in batches
        for person, row in zip(CROWD, said(batch), strict=True)
        if row[0] == "allow"
    ]
    assert len(allowed) >= len(CROWD)
    assert [one for one in allowed if one[0] > closed[one[1]]] == []
    after = said(ask(path, *CROWD))
    assert [row[0] for row in after].count("allow") == len(CROWD) - 16
    assert fsck(path.installation, org).findings == []
