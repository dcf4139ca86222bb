"""The confirm link: GET shows, POST acts, `not me` declines, and nothing else does anything."""

from __future__ import annotations

import re

import pytest
from flask.testing import FlaskClient

from consentledger.db.installation import Installation
from tests.web import acts
from tests.web.town import ORIGIN, Shop, open_shop

WRITING = ("INSERT", "DELETE", "WITH")


def test_the_page_shows_the_full_wording_who_asked_and_when(
    installation: Installation, client: FlaskClient, shop: Shop
) -> None:
    token = acts.confirm_token(installation, client, shop, source="hosted")
    page = client.get(f"/c/{token}")
    assert page.status_code == 200
    for words in (
        "Yes, Alpenkraut Ltd may send me Weekly offers by e-mail.",
        "I can withdraw at any time",
        "keeps the address to send what was asked for",
        "Asked by",
        "UTC",
        f"https://consent.test{shop.form}",
        "This was not me",
    ):
        assert words in page.text
    assert "Gardening" not in page.text
    assert acts.MARIA not in page.text
    assert page.headers["Referrer-Policy"] == "no-referrer"
    assert page.headers["Cache-Control"] == "no-store"
    assert page.headers["X-Robots-Tag"] == "noindex, nofollow"


def test_whatever_a_script_showed_the_confirm_page_shows_each_wording_in_full(
    installation: Installation, client: FlaskClient, shop: Shop
) -> None:
    served = client.get(f"{shop.form}/form.json", headers={"Origin": ORIGIN}).json
    body = acts.fields(shop, origin=ORIGIN, source="element", hash=served["hash"])
    body["purpose"] = [box["purpose"] for box in served["boxes"]]
    assert client.post(shop.form, json=body, headers={"Origin": ORIGIN}).status_code == 202
    (request_id,) = acts.undecided(installation, shop)
    (link,) = acts.decide(installation, shop, request_id)
    page = client.get(f"/c/{installation.tokens.make('confirm', link)}").text
    assert len(served["boxes"]) == 2
    for box in served["boxes"]:
        for name in ("title", "statement", "withdrawal", "notice_text", "notice_url"):
            assert box[name] in page
        assert all(controller in page for controller in box["controllers"])
    assert page.count("I can withdraw at any time") == 2


def test_opening_the_link_however_often_confirms_nothing(
    installation: Installation, client: FlaskClient, shop: Shop
) -> None:
    token = acts.confirm_token(installation, client, shop)
    before = acts.size_of(installation, shop)
    for _ in range(3):
        assert client.get(f"/c/{token}").status_code == 200
        assert client.head(f"/c/{token}").status_code == 200
        assert client.get(f"/c/{token}/not-me").status_code == 405
        for method in (client.put, client.delete, client.patch):
            assert method(f"/c/{token}").status_code == 405
    assert acts.size_of(installation, shop) == before
    assert not acts.allowed(installation, shop)


def test_a_press_confirms_and_shows_its_proof_once(
    installation: Installation, client: FlaskClient, shop: Shop
) -> None:
    token = acts.confirm_token(installation, client, shop)
    before = acts.size_of(installation, shop)
    done = acts.press(client, token)
    assert done.status_code == 200
    assert "Thank you, it is recorded" in done.text
    assert "kind consent.confirmed/1" in done.text
    assert acts.last_kinds(installation, shop, 1) == ["consent.confirmed/1"]
    assert acts.size_of(installation, shop) == before + 1
    assert acts.allowed(installation, shop)
    again = client.get(f"/c/{token}")
    assert "This link has been used" in again.text
    assert "kind consent.confirmed" not in again.text
    assert re.search(r'href="/r/[\w.-]{33}"', again.text)


def test_the_disclosures_on_the_page_open_the_leaf_on_the_page(
    installation: Installation, client: FlaskClient, shop: Shop
) -> None:
    from html import unescape

    from consentledger.ledger.leaf import check_disclosures, parse_leaf
    from consentledger.ledger.merkle import leaf_hash

    token = acts.confirm_token(installation, client, shop)
    done = acts.press(client, token).text
    copied = unescape(re.search(r"<pre[^>]*>(.*?)</pre>", done, re.S)[1]).strip("\n").split("\n")
    cut = next(n for n, line in enumerate(copied) if n and re.fullmatch(r"[\w-]+", line))
    leaf = ("\n".join(copied[:cut]) + "\n").encode()
    values = check_disclosures(parse_leaf(leaf), copied[cut:])
    assert values["address"] == acts.MARIA
    assert leaf_hash(leaf).hex() in done


def test_pressing_again_appends_nothing(
    installation: Installation, client: FlaskClient, shop: Shop
) -> None:
    token = acts.confirm_token(installation, client, shop)
    page = client.get(f"/c/{token}").text
    (item,) = re.findall(r'name="shown"\s+value="([^"]+)"', page)
    data = {"shown": item, f"choice.{item}": "keep"}
    assert client.post(f"/c/{token}", data=data).status_code == 200
    before = acts.size_of(installation, shop)
    again = client.post(f"/c/{token}", data=data)
    assert again.status_code == 200
    assert "This link has been used" in again.text
    assert acts.size_of(installation, shop) == before


def test_several_purposes_need_an_answer_each(
    installation: Installation, client: FlaskClient, shop: Shop
) -> None:
    both = [str(shop.offers), str(shop.tips)]
    token = acts.confirm_token(installation, client, shop, purpose=both)
    page = client.get(f"/c/{token}").text
    assert "checked" not in page
    one, two = re.findall(r'name="shown"\s+value="([^"]+)"', page)
    before = acts.size_of(installation, shop)
    partial = client.post(f"/c/{token}", data={"shown": [one, two], f"choice.{one}": "keep"})
    assert partial.status_code == 422
    assert "Please say yes or no to: Gardening tips" in partial.text
    assert partial.text.count("checked") == 1
    for junk in ({}, {"shown": [one, two]}, {f"choice.{one}": "keep"}):
        assert client.post(f"/c/{token}", data=junk).status_code == 422
    assert acts.size_of(installation, shop) == before
    data = {"shown": [one, two], f"choice.{one}": "keep", f"choice.{two}": "drop"}
    done = client.post(f"/c/{token}", data=data)
    assert done.status_code == 200
    assert acts.last_kinds(installation, shop, 2) == ["consent.confirmed/1", "consent.declined/1"]


def test_a_press_confirms_only_what_its_page_showed(
    installation: Installation, client: FlaskClient, shop: Shop
) -> None:
    token = acts.confirm_token(installation, client, shop)
    page = client.get(f"/c/{token}").text
    (shown,) = re.findall(r'name="shown"\s+value="([^"]+)"', page)
    before = acts.size_of(installation, shop)
    # Joined behind the page's back: a second request for the other purpose.
    client.post(shop.form, data=acts.fields(shop, purpose=str(shop.tips)))
    (later,) = acts.undecided(installation, shop)
    assert acts.decide(installation, shop, later) == []
    client.post(f"/c/{token}", data={"shown": shown, f"choice.{shown}": "keep"})
    kinds = acts.last_kinds(installation, shop, acts.size_of(installation, shop) - before)
    assert kinds.count("consent.confirmed/1") == 1
    page = client.get(f"/c/{token}").text
    assert "Gardening tips" in page
    assert "Weekly offers" not in page


@pytest.mark.parametrize("item", ["x", "0" * 32 + "-" + "0" * 32, "ü", "a" * 5000])
def test_items_that_are_none_are_refused(
    installation: Installation, client: FlaskClient, shop: Shop, item: str
) -> None:
    token = acts.confirm_token(installation, client, shop)
    before = acts.size_of(installation, shop)
    answer = client.post(f"/c/{token}", data={"shown": item, f"choice.{item}": "keep"})
    assert answer.status_code in (200, 422)
    assert acts.size_of(installation, shop) == before


def test_not_me_declines_blocks_and_works_once(
    installation: Installation, client: FlaskClient, shop: Shop
) -> None:
    token = acts.confirm_token(installation, client, shop)
    first = client.post(f"/c/{token}/not-me")
    assert first.status_code == 200
    assert "Thank you for telling us" in first.text
    assert acts.last_kinds(installation, shop, 1) == ["consent.declined/1"]
    before = acts.size_of(installation, shop)
    assert client.post(f"/c/{token}/not-me").status_code == 200
    assert "Thank you for telling us" in client.get(f"/c/{token}").text
    assert "Thank you for telling us" in acts.press(client, token).text
    assert acts.size_of(installation, shop) == before
    client.post(shop.form, data=acts.fields(shop))
    (later,) = acts.undecided(installation, shop)
    assert acts.decide(installation, shop, later) == []


def test_not_me_after_confirming_takes_it_back(
    installation: Installation, client: FlaskClient, shop: Shop
) -> None:
    token = acts.confirm_token(installation, client, shop)
    acts.press(client, token)
    assert acts.allowed(installation, shop)
    assert client.post(f"/c/{token}/not-me").status_code == 200
    assert not acts.allowed(installation, shop)


def broken(installation: Installation, token: str) -> dict[str, str]:
    """What may become of a link on its way, and what somebody may try."""
    link = installation.tokens.read("confirm", token)
    assert link is not None
    return {
        "cut": token[:-1],
        "longer": token + "A",
        "one letter": token[:-1] + ("A" if token[-1] != "A" else "B"),
        "upper": token.swapcase(),
        "other capability": installation.tokens.make("unsubscribe", link),
        "receipt": installation.tokens.make("receipt", link),
        "stop": installation.tokens.make("stop", link),
        "no mac": token[:17] + "A" * 16,
        "nonsense": "x",
        "percent": token[:16] + "%2e" + token[17:],
    }


NAMES = [
    "cut", "longer", "one letter", "upper", "other capability", "receipt", "stop", "no mac", "nonsense",
]  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_a_broken_link_leads_to_the_way_to_stop_without_it(
    installation: Installation, client: FlaskClient, shop: Shop, name: str
) -> None:
    token = acts.confirm_token(installation, client, shop)
    before = acts.size_of(installation, shop)
    path = f"/c/{broken(installation, token)[name]}"
    for answer in (client.get(path), client.post(path), client.post(f"{path}/not-me")):
        assert answer.status_code == 404
        assert "This link is broken" in answer.text
        assert 'href="/stop"' in answer.text
        assert answer.headers["Cache-Control"] == "no-store"
    assert acts.size_of(installation, shop) == before


def test_a_link_of_another_organisation_is_none_of_ours(
    installation: Installation, client: FlaskClient, shop: Shop
) -> None:
    other = open_shop(installation, "Charlie")
    token = acts.confirm_token(installation, client, shop)
    link = installation.tokens.read("confirm", token)
    assert link is not None
    moved = other.number.to_bytes(4, "big") + link[4:]
    swapped = installation.tokens.make("confirm", moved)
    before = acts.size_of(installation, shop), acts.size_of(installation, other)
    for answer in (
        client.get(f"/c/{swapped}"),
        acts.press(client, swapped),
        client.post(f"/c/{swapped}/not-me"),
    ):
        assert answer.status_code == 410
    assert before == (acts.size_of(installation, shop), acts.size_of(installation, other))
