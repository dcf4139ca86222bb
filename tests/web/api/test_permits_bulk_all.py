"""Permits for all contacts on record, for who is gone by now, and as a table for mailers."""

from __future__ import annotations

import pytest

from consentledger.db.installation import Installation
from consentledger.permits.links import PermitId
from tests.support.erasures import erase
from tests.web.api.bulk import PERMITS, World, make_world, read, rows_of


@pytest.fixture
def world(installation: Installation) -> World:
    return make_world(installation)


def test_all_contacts_are_asked_about_page_by_page(world: World) -> None:
    world.shop.confirm(*(f"p{n}@example.com" for n in range(20)))
    world.shop.withdraw("bea@example.org")
    for answer in (
        world.post(world.body(audience="all")),
        world.client.post(
            PERMITS,
            json={**world.message, "audience": "all"},
            headers=world.cast.alice.headers,
            buffered=True,
        ),
    ):
        _, lines, done = read(answer)
        assert [one["line"] for one in lines] == list(range(1, 23))
        assert (done["recipients"], done["allowed"], done["denied"]) == (22, 21, 1)
        denied = [one["address"] for one in lines if one["verdict"] == "deny"]
        assert denied == ["bea@example.org"]
    assert read(world.post(world.body(audience="all"), who="charlie"))[2]["recipients"] == 0


def test_all_contacts_again_and_on(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("consentledger.permits.bulk.running.PIECE", 10)
    world.shop.confirm(*(f"p{n}@example.com" for n in range(33)))
    body = world.body(audience="all")
    response = world.begin(body, Idempotency_Key="k")
    told = next(response.iter_encoded())
    response.close()
    world.shop.confirm("late@example.com")
    whole = world.post(body, Idempotency_Key="k")
    assert whole.data.startswith(told)
    _, lines, done = read(whole)
    addresses = [one["address"] for one in lines]
    assert done["allowed"] == len(set(addresses)) == len(addresses) == 36
    assert addresses[-1] == "late@example.com"
    again = world.post(body, Idempotency_Key="k")
    assert again.data == whole.data
    assert len(rows_of(world.post(body, Idempotency_Key="k", Accept="text/csv"))) == 36


def test_who_was_erased_since_is_said_to_be_gone(world: World) -> None:
    to_all, by_line = world.body(audience="all"), world.body("ann@example.org", "bea@example.org")
    read(world.post(to_all, Idempotency_Key="all"))
    read(world.post(by_line, Idempotency_Key="lines"))
    erase(world.installation, world.shop.organisation_id, "bea@example.org")
    for body, key, address in ((to_all, "all", None), (by_line, "lines", "bea@example.org")):
        answer = world.post(body, Idempotency_Key=key)
        _, lines, done = read(answer)
        gone = lines[1]
        assert (gone["verdict"], gone["ruling"], gone["address"]) == ("gone", None, address)
        assert (gone["valid_until"], gone["unsubscribe_url"]) == (None, None)
        assert (done["allowed"], done["gone"]) == (1, 1)
        table = world.post(body, Idempotency_Key=key, Accept="text/csv")
        assert [row["address"] for row in rows_of(table)] == ["ann@example.org"]


def test_csv_has_a_row_for_each_who_may_be_written_to(world: World) -> None:
    world.shop.confirm("=1+1@example.org", "o'hara@example.org")
    people = ["ann@example.org", "x@example.org", "=1+1@example.org", "o'hara@example.org", b"{"]
    answer = world.ask(*people, Accept="text/csv")
    rows = rows_of(answer)
    addresses = [row["address"] for row in rows]
    assert addresses == ["ann@example.org", "\t=1+1@example.org", "o'hara@example.org"]
    assert list(rows[0])[:3] == ["address", "permit", "unsubscribe_url"]
    assert list(rows[0])[-3:] == ["subject_label", "statement_languages", "valid_until"]
    for row in rows:
        assert row["List-Unsubscribe"] == f"<{row['unsubscribe_url']}>"
        assert row["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
        assert row["valid_until"].endswith("Z")
        token = row["unsubscribe_url"].rpartition("/u/")[2]
        link = world.installation.tokens.read("unsubscribe", token)
        assert link is not None
        assert str(PermitId.from_bytes(link)) == row["permit"]
    assert all(line.startswith('"') for line in answer.text.split("\r\n")[:-1])
