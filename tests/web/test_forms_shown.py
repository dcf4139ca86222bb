"""A published form as people get to see it, hosted and framed, and what a browser may do with it."""

from __future__ import annotations

import pytest
from flask.testing import FlaskClient

from consentledger.db.installation import Installation
from consentledger.organisations import service
from tests.web.town import ORIGIN, OTHER_ORIGIN, Shop, open_shop


def test_the_hosted_form_shows_each_purpose_with_its_own_unticked_box(
    client: FlaskClient, shop: Shop
) -> None:
    page = client.get(shop.form)
    assert page.status_code == 200
    assert page.text.count('type="checkbox"') == 2
    assert "checked" not in page.text
    for words in (
        "Weekly offers",
        "Alpenkraut Ltd may send me Gardening tips by e-mail",
        "1 Main Street",
    ):
        assert words in page.text
    assert page.text.count("required") == 1
    assert page.headers["X-Frame-Options"] == "DENY"
    assert "frame-ancestors 'none'" in page.headers["Content-Security-Policy"]
    # Under no-referrer a browser would send `Origin: null` with our own form.
    assert page.headers["Referrer-Policy"] == "same-origin"
    assert "Set-Cookie" not in page.headers


def test_the_frame_is_for_the_listed_origins_only(client: FlaskClient, shop: Shop) -> None:
    page = client.get(f"{shop.form}/embed")
    policy = page.headers["Content-Security-Policy"]
    assert policy.endswith(f"frame-ancestors {ORIGIN} {OTHER_ORIGIN}")
    assert "X-Frame-Options" not in page.headers
    assert 'name="source" value="iframe"' in page.text


def test_the_sender_colour_comes_by_stylesheet(client: FlaskClient, shop: Shop) -> None:
    path = f"/brand/{shop.number}/{shop.sender_id}-1.css"
    assert f'href="{path}"' in client.get(shop.form).text
    sheet = client.get(path)
    assert sheet.mimetype == "text/css"
    assert "--brand:#2f6b3f" in sheet.text
    assert "immutable" in sheet.headers["Cache-Control"]


def test_one_organisations_sender_is_not_found_under_anothers_number(
    client: FlaskClient, shop: Shop, installation: Installation
) -> None:
    other = open_shop(installation, "Charlie")
    assert client.get(f"/brand/{other.number}/{shop.sender_id}-1.css").status_code == 404
    assert client.get("/brand/99999999999999/x-1.css").status_code == 404
    assert client.get(f"/brand/99999999999999/{shop.sender_id}-1.css").status_code == 404


def test_a_form_that_is_not_served_does_not_exist(
    client: FlaskClient, shop: Shop, installation: Installation
) -> None:
    with installation.database.begin() as tx:
        command = service.PublishForm(shop.organisation_id, shop.form_id, "test")
        service.unpublish_form(tx, command)
    never = "/f/0193f1c2-7b4e-7c11-9a52-0d4f6b1e2a30"
    for path in (shop.form, f"{shop.form}/embed", never, "/f/x"):
        assert client.get(path).status_code == 404
    for path in (shop.form, never):
        answer = client.post(path, data={"email": "maria@example.org", "purpose": str(shop.offers)})
        assert answer.status_code == 404
    assert client.get(shop.form).data == client.get(never).data


@pytest.mark.parametrize(
    ("origin", "status"),
    [
        (ORIGIN, 204),
        (OTHER_ORIGIN, 204),
        ("https://consent.test", 204),
        ("https://evil.example", 403),
        (f"{ORIGIN}.evil.example", 403),
        ("http://shop.example", 403),
        (f"{ORIGIN}:444", 403),
        ("null", 403),
    ],
)
def test_a_browser_may_ask_whether_it_may_post(
    client: FlaskClient, shop: Shop, origin: str, status: int
) -> None:
    headers = {"Origin": origin, "Access-Control-Request-Method": "POST"}
    answer = client.options(shop.form, headers=headers)
    assert answer.status_code == status
    assert "Origin" in answer.headers["Vary"]
    assert "Access-Control-Allow-Credentials" not in answer.headers
    listed = origin in (ORIGIN, OTHER_ORIGIN)
    assert answer.headers.get("Access-Control-Allow-Origin") == (origin if listed else None)


def test_the_service_names_its_logs_and_keys(client: FlaskClient, shop: Shop) -> None:
    answer = client.get("/.well-known/consentledger.json")
    (log,) = answer.json["logs"]
    assert log["origin"] == shop.origin
    assert log["verifier_key"].startswith(f"{shop.origin}+")
    assert answer.json["policy"] == f"log {log['verifier_key']}\nquorum none\n"
