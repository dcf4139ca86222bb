"""The unsubscribe link: one press or one POST ends it, every time and for ever, and tells nothing."""

from __future__ import annotations

import re

import pytest
from flask.testing import FlaskClient

from consentledger.db.installation import Installation
from tests.web import acts
from tests.web.town import Shop, open_shop

ONE_CLICK = "List-Unsubscribe=One-Click"
FORM = "application/x-www-form-urlencoded"
MULTIPART = (
    b'--x\r\nContent-Disposition: form-data; name="List-Unsubscribe"\r\n\r\nOne-Click\r\n--x--\r\n'
)


@pytest.fixture
def confirmed(installation: Installation, client: FlaskClient, shop: Shop) -> str:
    """Maria has confirmed; returns the token of a permit's unsubscribe link."""
    acts.press(client, acts.confirm_token(installation, client, shop))
    return acts.unsubscribe_token(installation, shop)


WAYS = {
    "urlencoded": {"data": ONE_CLICK, "content_type": FORM},
    "multipart": {"data": MULTIPART, "content_type": "multipart/form-data; boundary=x"},
    "empty": {},
    "empty form": {"data": "", "content_type": FORM},
    "broken multipart": {"data": b"--x", "content_type": "multipart/form-data; boundary=y"},
    "no boundary": {"data": MULTIPART, "content_type": "multipart/form-data"},
    "text": {"data": ONE_CLICK, "content_type": "text/plain"},
    "json": {"data": b"{}", "content_type": "application/json"},
}


@pytest.mark.parametrize("way", sorted(WAYS))
def test_a_mail_programs_post_unsubscribes_however_it_is_sent(
    installation: Installation, client: FlaskClient, shop: Shop, confirmed: str, way: str
) -> None:
    assert acts.allowed(installation, shop)
    for _ in range(2):
        answer = client.post(f"/u/{confirmed}", **WAYS[way])  # type: ignore[arg-type]
        assert answer.status_code == 200
        assert "Set-Cookie" not in answer.headers
        assert "Location" not in answer.headers
    assert acts.last_kinds(installation, shop, 1) == ["consent.withdrawn/1"]
    assert not acts.allowed(installation, shop)


def test_opening_the_link_changes_nothing(
    installation: Installation, client: FlaskClient, shop: Shop, confirmed: str
) -> None:
    before = acts.size_of(installation, shop)
    for _ in range(3):
        assert client.get(f"/u/{confirmed}").status_code == 200
        assert client.head(f"/u/{confirmed}").status_code == 200
    assert acts.size_of(installation, shop) == before
    assert acts.allowed(installation, shop)


def test_the_page_is_the_same_before_after_and_for_anyone(
    installation: Installation, client: FlaskClient, shop: Shop, confirmed: str
) -> None:
    stranger = acts.unsubscribe_token(installation, shop, "nobody@example.org")
    before = client.get(f"/u/{confirmed}")
    client.post(f"/u/{confirmed}", data=ONE_CLICK, content_type=FORM)
    after = client.get(f"/u/{confirmed}")
    other = client.get(f"/u/{stranger}")
    assert before.data == after.data
    assert before.text.replace(confirmed, "") == other.text.replace(stranger, "")
    assert acts.MARIA not in before.text
    assert "Weekly offers" in before.text


def test_a_press_is_recorded_as_one_and_shows_its_proof_once(
    installation: Installation, client: FlaskClient, shop: Shop, confirmed: str
) -> None:
    done = client.post(f"/u/{confirmed}", data={"act": "purpose"})
    assert done.status_code == 200
    assert "You are unsubscribed" in done.text
    assert "kind consent.withdrawn/1" in done.text
    again = client.post(f"/u/{confirmed}", data={"act": "purpose"})
    assert again.status_code == 200
    assert "kind consent.withdrawn" not in again.text
    one, two = (re.findall(r"[0-9a-f]{64}", page.text)[0] for page in (done, again))
    assert one == two
    assert acts.MARIA not in done.text


def test_everything_of_the_organisation_is_a_wider_stop(
    installation: Installation, client: FlaskClient, shop: Shop, confirmed: str
) -> None:
    done = client.post(f"/u/{confirmed}", data={"act": "organisation"})
    assert done.status_code == 200
    assert "Alpenkraut Ltd may no longer send you any marketing" in done.text
    assert acts.last_kinds(installation, shop, 1) == ["objection.recorded/1"]
    assert not acts.allowed(installation, shop)


def test_the_first_answer_is_alike_for_those_who_never_agreed(
    installation: Installation, client: FlaskClient, shop: Shop, confirmed: str
) -> None:
    stranger = acts.unsubscribe_token(installation, shop, "nobody@example.org")
    answers = [
        client.post(f"/u/{token}", data={"act": "purpose"}) for token in (confirmed, stranger)
    ]
    assert [answer.status_code for answer in answers] == [200, 200]
    heads = [re.sub(r"(?s)Your proof.*", "", answer.text) for answer in answers]
    heads[0] = heads[0].replace(confirmed, "")
    heads[1] = heads[1].replace(stranger, "")
    assert heads[0] == heads[1]


@pytest.mark.parametrize(
    "name", ["cut", "longer", "one letter", "upper", "confirm", "receipt", "stop", "nonsense"]
)
@pytest.mark.parametrize("method", ["get", "post"])
def test_a_broken_link_is_404_with_the_way_to_stop(
    installation: Installation,
    client: FlaskClient,
    shop: Shop,
    confirmed: str,
    name: str,
    method: str,
) -> None:
    link = installation.tokens.read("unsubscribe", confirmed)
    assert link is not None
    token = {
        "cut": confirmed[:-1],
        "longer": confirmed + "A",
        "one letter": confirmed[:-1] + ("A" if confirmed[-1] != "A" else "B"),
        "upper": confirmed.swapcase(),
        "confirm": installation.tokens.make("confirm", link),
        "receipt": installation.tokens.make("receipt", link),
        "stop": installation.tokens.make("stop", link),
        "nonsense": "x",
    }[name]
    before = acts.size_of(installation, shop)
    answer = getattr(client, method)(f"/u/{token}")
    assert answer.status_code == 404
    assert 'href="/stop"' in answer.text
    assert acts.size_of(installation, shop) == before
    assert acts.allowed(installation, shop)


def test_a_link_moved_to_another_organisation_stops_nothing_here(
    installation: Installation, client: FlaskClient, shop: Shop, confirmed: str
) -> None:
    other = open_shop(installation, "Charlie")
    link = installation.tokens.read("unsubscribe", confirmed)
    assert link is not None
    moved = installation.tokens.make("unsubscribe", other.number.to_bytes(4, "big") + link[4:])
    # Its MAC holds, so it is acknowledged; it is no link of a permit, and Maria's consent stands.
    assert client.post(f"/u/{moved}").status_code == 200
    assert acts.allowed(installation, shop)


def test_the_receipt_of_a_stop_has_a_proof_as_soon_as_the_log_is_signed(
    installation: Installation, client: FlaskClient, shop: Shop, confirmed: str
) -> None:
    from consentledger.ledger.checkpoint import open_checkpoint
    from consentledger.ledger.merkle import verify_inclusion
    from consentledger.ledger.note import Verifier
    from consentledger.ledger.proof import parse_tlog_proof

    done = client.post(f"/u/{confirmed}", data={"act": "purpose"}).text
    path = re.search(r'href="(/r/[^"]+)"', done)[1]  # type: ignore[index]
    early = client.get(path)
    assert "Not signed yet" in early.text
    assert client.get(f"{path}/proof").status_code == 404
    installation.signer.sign_due()
    page = client.get(path)
    assert "c2sp.org/tlog-proof@v1" in page.text
    assert "withdrawn" not in page.text
    assert acts.MARIA not in page.text
    proof = parse_tlog_proof(client.get(f"{path}/proof").data)
    (log,) = client.get("/.well-known/consentledger.json").json["logs"]  # type: ignore[index]
    head = open_checkpoint(proof.checkpoint, [Verifier.from_vkey(log["verifier_key"])])
    leaf = bytes.fromhex(re.findall(r"[0-9a-f]{64}", page.text)[0])
    verify_inclusion(leaf, proof.index, head.size, list(proof.hashes), head.root)


def test_a_one_click_answer_names_the_receipt(client: FlaskClient, confirmed: str) -> None:
    answer = client.post(f"/u/{confirmed}", data=ONE_CLICK, content_type=FORM)
    assert re.fullmatch(
        r"Unsubscribed\. Receipt: https://consent\.test/r/[\w.-]{33}\n", answer.text
    )


def test_a_customers_stop_says_what_else_it_ends(
    installation: Installation, client: FlaskClient, shop: Shop, confirmed: str
) -> None:
    told = "Your press objects to all such messages"
    body = {"act": "purpose"}
    assert told not in client.post(f"/u/{confirmed}", data=body).get_data(as_text=True)
    with installation.database.begin() as tx:
        tx.connection.exec_driver_sql(
            "UPDATE permit_batch SET verdicts ="
            """ replace(verdicts, '"basis":"consent"', '"basis":"existing_customer"')"""
        )
    repeated = client.post(f"/u/{confirmed}", data=body)
    assert told in repeated.get_data(as_text=True)
    with installation.database.begin() as tx:
        tx.connection.exec_driver_sql("UPDATE permit SET contact_id = NULL")
    assert client.post(f"/u/{confirmed}", data=body).data == repeated.data
