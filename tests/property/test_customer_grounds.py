"""Whatever is recorded in whatever order: service and verifier read the same grounds, and nothing old reopens."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, cast

from hypothesis import given
from hypothesis import strategies as st

from consentledger.contacts import standing as standings
from consentledger.kernel.clock import to_text
from consentledger.ledger.kinds import kind
from consentledger.verify.entries import Entry
from consentledger.verify.story import Story

BEGIN = datetime(2026, 3, 2, 12, tzinfo=UTC)
FIELDS = ("n", "trigger", "on", "ended_on", "categories", "flags", "country", "person", "capacity")
CHANNELS = st.sampled_from(["email", "sms"])
DAYS = st.sampled_from(["2026-01-01", "2026-01-02", "2026-02-01"])
SALES = st.fixed_dictionaries(
    {
        "channel": CHANNELS,
        "trigger": st.sampled_from(["sale_paid", "ongoing_relationship"]),
        "on": DAYS,
        "ended_on": st.none() | DAYS,
        "categories": st.sampled_from([["a"], ["a", "b"], []]),
        "refused_at_collection": st.sampled_from([False, False, False, True]),
        "country": st.sampled_from(["DE", None]),
    }
)
ACTS = st.one_of(
    SALES.map(lambda values: ("customer.recorded", values)),
    st.tuples(st.just("customer.lapsed"), st.integers(0, 5), st.none() | DAYS),
    st.tuples(st.just("customer.objected"), CHANNELS),
    st.tuples(st.just("consent.confirmed"), CHANNELS),
    st.tuples(st.just("dropped"), CHANNELS),
    st.tuples(st.just("not_me"), CHANNELS),
    st.tuples(st.just("consent.withdrawn"), CHANNELS),
    st.tuples(st.just("objection.recorded"), st.sampled_from(["page", "erasure"])),
    st.just(("next",)),
)
Told = list[tuple[str, dict[str, Any]]]


def told(acts: list[Any]) -> Told:
    """The entries of these acts; those without `next` between them are of one press."""
    at, entries, sold = BEGIN, [], 0
    for name, *more in acts:
        values: dict[str, Any] = {"at": to_text(at), "sender": "s", "purpose": "p", "consent": "c"}
        if name == "next":
            at += timedelta(seconds=1)
            continue
        if name == "customer.recorded":
            values |= {"customer": f"c{sold}", "obtained_from": "customer", "person": "natural"}
            values |= {"offered_at_collection": True, "told_use_for_advertising": False}
            values |= {"capacity": "private", **more[0]}
            sold += 1
        elif name == "customer.lapsed":
            values |= {
                "customer": f"c{more[0]}",
                "channel": "email",
                "reason": "",
                "ended_on": more[1],
            }
        elif name == "objection.recorded":
            values |= {"scope": "organisation", "sender": None, "purpose": None, "until": None}
            values |= {"channel": "email", "method": more[0]}
        else:
            values |= {"channel": more[0], "request": "", "reason": name, "method": "import"}
        kind_name = "consent.declined" if name in ("dropped", "not_me") else name
        entries.append((kind_name, values))
    return entries


def story_of(entries: Told) -> Story:
    """The same entries as the verifier tells them; what could not be is left to other tests."""
    story = Story("anna", whole=False)
    for index, (name, values) in enumerate(entries):
        filled = {one.name: None for one in kind(name).fields} | {"actor": "a"} | values
        story.tell(Entry(index, b"", cast(Any, None), kind(name), filled, "entry"))
    return story


def as_told(ground: Any) -> tuple[Any, ...]:
    """A ground of the service's standing, in the verifier's order."""
    return tuple(tuple(ground[f]) if isinstance(ground[f], list) else ground[f] for f in FIELDS)


@given(st.lists(ACTS, max_size=14))
def test_service_and_verifier_read_the_same(acts: list[Any]) -> None:
    entries = told(acts)
    standing, read = standings.replay(entries), story_of(entries).standing
    for channel in ("email", "sms"):
        mine = [one for one in standing.get("customers", ()) if one["channel"] == channel]
        theirs = [tuple(getattr(one, f) for f in FIELDS) for one in read.grounds(channel)]
        assert [as_told(one) for one in mine] == theirs
        assert (channel in standing["closed"]) == read.closed(channel)


@given(st.lists(ACTS, max_size=10), st.lists(SALES, min_size=1, max_size=3))
def test_no_sale_opens_what_is_closed(acts: list[Any], sales: list[Any]) -> None:
    before = told(acts)
    after = told([*acts, ("next",), *(("customer.recorded", one) for one in sales)])
    closed = standings.replay(before)["closed"]
    assert set(closed) <= set(standings.replay(after)["closed"])


@given(st.permutations([("dropped", "email"), *[("consent.confirmed", "email")] * 2]))
def test_no_order_within_a_press_opens_what_it_drops(press: list[Any]) -> None:
    assert "email" in standings.replay(told(press))["closed"]
    later = told([*press, ("next",), ("consent.confirmed", "email")])
    assert "email" not in standings.replay(later)["closed"]
