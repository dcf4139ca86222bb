"""Whatever people do in whatever order: rows == standing == replay of the entries, and no stop is undone."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
import time_machine
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from consentledger.consents import queries
from consentledger.contacts import standing as standings
from consentledger.db.installation import Installation
from consentledger.erasure import service as erasure
from consentledger.kernel.clock import now, to_text
from consentledger.ledger.kinds import kind
from consentledger.verify.entries import Entry as Told
from consentledger.verify.story import Story
from tests.integration.test_contacts_alike import run_destroy
from tests.support.consents import Entry, People, people

HOUR = 3600
_ADDRESSES = iter(f"person{n}@example.com" for n in range(10**6))
_ACTS = st.one_of(
    st.tuples(st.just("ask"), st.sampled_from([(0,), (1,), (0, 1)])),
    st.tuples(st.just("press"), st.integers(0, 3), st.sampled_from(["all", "none", "first"])),
    st.tuples(st.just("not_me"), st.integers(0, 3)),
    st.tuples(st.just("permit"), st.integers(0, 1)),
    st.tuples(st.just("leave"), st.integers(0, 3), st.sampled_from(["purpose", "organisation"])),
    st.tuples(st.just("stop")),
    st.tuples(st.just("final"), st.integers(0, 3)),
    st.tuples(st.just("wait"), st.sampled_from([1, 25, 7 * 24 + 1])),
    st.tuples(st.just("end")),
)


class Life:
    """One address, and what a model of one page says about it."""

    def __init__(self, shop: People, clock: Any) -> None:
        self.shop, self.clock = shop, clock
        self.address = next(_ADDRESSES)
        self.links: list[bytes] = []
        self.permits: list[bytes] = []
        self.stops: list[bytes] = []

    def act(self, name: str, *args: Any) -> None:
        """Does one thing that somebody may do."""
        doing: Callable[..., None] = getattr(self, f"_{name}")
        doing(*args)

    def _ask(self, boxes: tuple[int, ...]) -> None:
        link = self.shop.ask(self.address, *(self.shop.made.purpose_ids[box] for box in boxes))
        if link is not None and link not in self.links:
            self.links.append(link)

    def _press(self, which: int, choice: str) -> None:
        if which < len(self.links):
            items = tuple(item.item_id for item in self.shop.page(self.links[which]).items)
            kept = {"all": items, "none": (), "first": items[:1]}[choice]
            if items:
                self.shop.press(self.links[which], shown=items, keep=kept)

    def _not_me(self, which: int) -> None:
        if which < len(self.links):
            self.shop.not_me(self.links[which])

    def _permit(self, box: int) -> None:
        if self.shop.contact(self.address):
            self.permits.append(self.shop.permit(self.address, self.shop.made.purpose_ids[box]))

    def _leave(self, which: int, scope: str) -> None:
        if which < len(self.permits):
            self.shop.unsubscribe(self.permits[which], "page", scope)

    def _stop(self) -> None:
        self.stops.append(self.shop.stop(self.address).link_id)

    def _final(self, which: int) -> None:
        if which < len(self.stops):
            self.shop.stop_link(self.stops[which])

    def _wait(self, hours: int) -> None:
        self.clock.shift(hours * HOUR)

    def _end(self) -> None:
        erasure.expire_due(self.shop.database)
        erasure.erase_due(self.shop.database)
        run_destroy(self.shop)

    def check(self) -> None:
        """Compares rows, standing and entries."""
        contact = self.shop.contact(self.address)
        if contact is None:
            return
        entries = self.shop.entries(self.address)
        standing = standings.empty()
        for n, entry in enumerate(entries):
            if entry.values:
                at = str(entry.values["at"])
                standing = standings.apply(standing, entry.kind, entry.values, n=n, at=at)
        assert contact.standing == standing
        assert contact.entries == len(entries)
        with self.shop.database.read() as session:
            rows = queries.consents_of(session, self.shop.org, contact.contact_id)
        told = {
            standings.key_of(row.sender_id, row.purpose_id, row.channel): (
                str(row.consent_id),
                row.state,
                to_text(row.changed_at),
            )
            for row in rows
        }
        assert told == {
            key: (item["id"], item["state"], item["at"])
            for key, item in standing["consents"].items()
        }
        self._no_stop_is_undone(entries, contact.standing)
        self._verifier_agrees(contact.contact_id, entries, standing)

    def _verifier_agrees(
        self, contact_id: UUID, entries: list[Entry], standing: standings.Standing
    ) -> None:
        """The auditor's own reading of the same entries, which shares no code with the service's."""
        story = Story(str(contact_id), whole=all(entry.values for entry in entries))
        for entry in entries:
            story.tell(Told(entry.index, b"", entry.parsed, kind(entry.kind), entry.values, ""))
        assert story.problems == []
        made, at = self.shop.made, to_text(now())
        for purpose in made.purpose_ids:
            key = (str(made.sender_id), str(purpose), "email")
            assert story.standing.state(key, at) == standings.consent_state(
                standing, made.sender_id, purpose, "email", now()
            )

    def _no_stop_is_undone(self, entries: list[Entry], standing: standings.Standing) -> None:
        made = self.shop.made
        for purpose in made.purpose_ids:
            state = standings.consent_state(standing, made.sender_id, purpose, "email", now())
            assert (state == "confirmed") == _allowed(entries, str(made.sender_id), str(purpose))


def _allowed(entries: list[Entry], sender: str, purpose: str) -> bool:
    """An oracle that knows nothing of standings: the last act that concerns this decides."""
    allowed = False
    for entry in entries:
        values = entry.values
        if entry.kind == "consent.confirmed" and values and values["purpose"] == purpose:
            allowed = True
        elif entry.kind == "consent.withdrawn" and values and values["purpose"] == purpose:
            allowed = False
        elif entry.kind == "objection.recorded" and values:
            concerns = (
                values["scope"] == "organisation"
                or (values["scope"] == "sender" and values["sender"] == sender)
                or values["purpose"] == purpose
            )
            until = values["until"]
            if concerns and (until is None or str(until) > to_text(now())):
                allowed = False
    return allowed


@pytest.fixture
def shop(installation: Installation) -> People:
    """A shop whose form has two boxes."""
    return people(installation, "weekly offers", "herb tips")


@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(acts=st.lists(_ACTS, min_size=1, max_size=12))
@example(
    acts=[
        ("ask", (0, 1)),
        ("press", 0, "all"),
        ("permit", 0),
        ("wait", 25),
        ("ask", (0,)),
        ("leave", 0, "organisation"),
        ("press", 1, "all"),
        ("stop",),
        ("wait", 25),
        ("ask", (1,)),
        ("press", 2, "first"),
        ("final", 0),
        ("not_me", 0),
    ]
)
@example(acts=[("ask", (0,)), ("ask", (0, 1)), ("press", 0, "first"), ("not_me", 0), ("end",)])
@example(acts=[("ask", (0,)), ("wait", 169), ("end",), ("stop",), ("not_me", 0), ("ask", (0,))])
def test_rows_standing_and_entries_agree(shop: People, acts: list[tuple[Any, ...]]) -> None:
    start = datetime(2026, 3, 2, 12, tzinfo=UTC)
    with time_machine.travel(start, tick=False) as clock:
        life = Life(shop, clock)
        for act in acts:
            life.act(*act)
            clock.shift(1)
            life.check()
