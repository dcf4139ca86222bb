"""What records of customers make of a standing: grounds, and what closes and opens the exception."""

from __future__ import annotations

import json
from itertools import permutations
from typing import Any

import pytest

from consentledger.contacts import grounds
from consentledger.contacts import standing as standings
from consentledger.kernel.clock import to_text
from tests.unit.test_contacts_standing import NOW, act, confirm, stop, until

LATER = until(seconds=1)
Act = tuple[str, dict[str, Any]]


def sale(customer: str = "c1", **more: Any) -> Act:
    """A record of a sale that lacks nothing."""
    values = {
        "customer": customer,
        "channel": "email",
        "trigger": "sale_paid",
        "on": "2026-01-05",
        "ended_on": None,
        "categories": ["garden/tools"],
        "obtained_from": "customer",
        "offered_at_collection": True,
        "refused_at_collection": False,
        "told_use_for_advertising": False,
        "country": "DE",
        "person": "natural",
        "capacity": "private",
        "at": to_text(NOW),
        **more,
    }
    return "customer.recorded", values


def lapse(customer: str = "c1", ended_on: str | None = None) -> Act:
    """A record taken back, or ended on a day."""
    values = {"customer": customer, "channel": "email", "reason": "taken_back"}
    return "customer.lapsed", {**values, "ended_on": ended_on, "at": to_text(NOW)}


def objection() -> Act:
    """An objection to marketing as a customer."""
    return "customer.objected", {"channel": "email", "method": "page", "at": to_text(NOW)}


def dropped(at: str = "") -> Act:
    """A box that was dropped on the confirm page."""
    return act("consent.declined", reason="dropped", at=at or to_text(NOW))


def ids(standing: Any) -> list[str]:
    """The ids of the grounds that are left."""
    return [one["id"] for one in standing.get("customers", ())]


def test_a_sale_is_a_ground_and_no_consent() -> None:
    standing = standings.replay([sale(told_use_for_advertising=True)])
    [ground] = standing["customers"]
    assert ground["flags"] == ["same_person", "directly", "offered", "told"]
    assert (ground["n"], ground["on"], ground["country"]) == (0, "2026-01-05", "DE")
    assert standing["consents"] == {}
    assert standing["closed"] == {}
    assert standings.consent_state(standing, "s", "p", "email", NOW) == "none"
    assert json.loads(json.dumps(standing)) == standing


@pytest.mark.parametrize(
    ("acts", "left"),
    [
        ([sale(), sale("c2", on="2026-02-01")], ["c2"]),
        ([sale(), sale("c2", on="2025-02-01")], ["c1"]),
        ([sale(), sale("c2")], ["c2"]),
        ([sale(), sale("c2", categories=["books"])], ["c1", "c2"]),
        ([sale(), sale("c2", trigger="donation")], ["c1", "c2"]),
        ([sale(), sale("c2", country="AT")], ["c1", "c2"]),
        ([sale(), sale("c2", channel="sms")], ["c1", "c2"]),
        ([sale(), sale("c2", offered_at_collection=False)], ["c1", "c2"]),
        ([sale(), lapse()], []),
        ([sale(), lapse("c9")], ["c1"]),
        ([sale(), sale("c2", on="2026-02-01"), lapse("c2")], []),
        ([sale(), objection()], ["c1"]),
        ([sale(), stop("organisation", None, None, method="erasure")], []),
        ([sale(), stop("organisation", None, None, method="page")], ["c1"]),
    ],
)
def test_which_grounds_are_left(acts: list[Act], left: list[str]) -> None:
    assert ids(standings.replay(acts)) == left


def test_a_relationship_that_ended_is_judged_by_its_end() -> None:
    running = sale(trigger="ongoing_relationship")
    standing = standings.replay([running, lapse(ended_on="2026-02-03")])
    assert [(one["ended_on"], one["n"]) for one in standing["customers"]] == [("2026-02-03", 0)]
    new = sale("c2", trigger="ongoing_relationship")
    again = standings.replay([running, lapse(ended_on="2026-02-03"), new])
    assert ids(again) == ["c1", "c2"], "one that runs says more than one that ended"


@pytest.mark.parametrize(
    ("acts", "closed"),
    [
        ([sale(refused_at_collection=True)], {"email": 0}),
        ([sale(), objection()], {"email": 1}),
        ([objection(), sale("c2", on="2026-03-01")], {"email": 0}),
        ([objection(), confirm()], {}),
        ([objection(), confirm(channel="sms")], {"email": 0}),
        ([confirm(), objection()], {"email": 1}),
        ([dropped(), confirm()], {"email": 0}),
        ([confirm(), dropped()], {"email": 1}),
        ([dropped(), confirm(at=LATER)], {}),
        ([dropped(), confirm(), confirm(at=LATER)], {}),
        ([dropped(), act("consent.withdrawn", at=LATER), confirm(at=LATER)], {}),
        ([act("consent.declined", reason="not_me"), confirm(at=LATER)], {}),
        ([confirm(), ("consent.expired", {"at": to_text(NOW)})], {}),
    ],
)
def test_what_closes_and_what_opens(acts: list[Act], closed: dict[str, int]) -> None:
    assert standings.replay(acts)["closed"] == closed


def test_what_a_press_drops_its_other_boxes_do_not_bring_back() -> None:
    before, press = [sale(), confirm("S0", "P0")], [dropped(), confirm("S1"), confirm("S2")]
    for order in permutations(press):
        standing = standings.replay([*before, *order])
        assert set(standing["closed"]) == {"email"}
        assert standing["dropped"] == {"email": to_text(NOW)}


def test_only_so_many_grounds_are_kept_and_they_are_the_newest() -> None:
    many = [sale(f"c{n}", categories=[f"c/{n}"]) for n in range(grounds.MOST + 3)]
    assert ids(standings.replay(many)) == [f"c{n}" for n in range(3, grounds.MOST + 3)]


def test_what_must_be_remembered_of_a_customer() -> None:
    bought = standings.replay([sale()])
    assert standings.living(bought, NOW)
    assert not standings.says_no(bought, NOW)
    for acts in ([sale(refused_at_collection=True)], [sale(), objection()]):
        assert standings.says_no(standings.replay(acts), NOW)


def test_a_standing_with_grounds_is_never_changed_in_place() -> None:
    before = standings.replay([sale(), dropped()])
    kept = json.dumps(before)
    for kind, values in (sale("c2"), lapse(), objection(), confirm(at=LATER), dropped(LATER)):
        standings.apply(before, kind, values, n=2, at=values["at"])
        assert json.dumps(before) == kept
