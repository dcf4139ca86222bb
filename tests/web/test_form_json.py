"""GET /f/<form>/form.json: what a script of a listed origin is given, and that nobody else can use it."""

from __future__ import annotations

import pytest
from flask.testing import FlaskClient

from consentledger.db.installation import Installation
from consentledger.kernel.clock import now
from consentledger.limits.form_tokens import FIRST, FormTokens
from consentledger.organisations import queries, service
from tests import factories
from tests.integration.test_translations import german, translate
from tests.web.acts import statements
from tests.web.town import ORIGIN, Shop


def test_a_script_gets_everything_that_a_person_must_see(
    client: FlaskClient, shop: Shop, installation: Installation
) -> None:
    answer = client.get(f"{shop.form}/form.json", headers={"Origin": ORIGIN})
    assert answer.status_code == 200
    assert answer.mimetype == "application/json"
    given = answer.json
    with installation.database.read() as session:
        form = queries.published_form(session, shop.form_id)
    assert given["hash"] == form.text[1]
    assert (given["form"], given["version"]) == (str(shop.form_id), 1)
    assert given["action"] == given["hosted"] == f"https://consent.test{shop.form}"
    assert (given["language"], given["direction"]) == ("en", "ltr")
    assert [box["purpose"] for box in given["boxes"]] == [str(shop.offers), str(shop.tips)]
    hosted = client.get(shop.form).text.replace("&#39;", "'")
    for box in given["boxes"]:
        for said in (box["title"], box["statement"], box["withdrawal"], box["notice_text"]):
            assert said in hosted
        assert box["controllers"] == ["Alpenkraut Ltd"]
        assert "ticked" not in box
    assert given["sender"]["legal_name"] in hosted
    assert [(f["name"], f["required"]) for f in given["fields"]] == [
        ("email", True),
        ("name", False),
    ]
    for name in ("legend", "lead", "button", "done_title", "notice", "stop", "optional"):
        assert given["words"][name] in hosted or name.startswith("done")
    assert all(given["words"].values())


def test_its_token_is_for_the_origin_that_asked_and_for_no_cache(
    client: FlaskClient, shop: Shop, installation: Installation
) -> None:
    tokens = FormTokens(installation.settings.secrets.secret_keys)
    for origin, bound in ((ORIGIN, ORIGIN), (None, None), ("https://consent.test", None)):
        headers = {"Origin": origin} if origin else {}
        answer = client.get(f"{shop.form}/form.json", headers=headers)
        read = tokens.read(answer.json["token"])
        assert read is not None
        assert read.is_for(shop.form_id, 1, bound)
        assert read.fresh(now())
        assert read.step == FIRST
        assert answer.headers["Cache-Control"] == "no-store"
        assert "Origin" in answer.headers["Vary"]
        assert "Access-Control-Allow-Credentials" not in answer.headers
        listed = ORIGIN if origin == ORIGIN else None
        assert answer.headers.get("Access-Control-Allow-Origin") == listed


@pytest.mark.parametrize(
    "origin", ["https://evil.example", f"{ORIGIN}:444", f"{ORIGIN}.evil.example", "null"]
)
def test_an_origin_that_is_not_listed_gets_none(
    client: FlaskClient, shop: Shop, origin: str
) -> None:
    headers = {"Origin": origin, "Accept": "application/json"}
    answer = client.get(f"{shop.form}/form.json", headers=headers)
    assert answer.status_code == 403
    assert answer.json["type"] == "urn:consentledger:problem:forbidden"
    assert "Access-Control-Allow-Origin" not in answer.headers


def test_a_form_that_never_was_is_said_to_be_missing_so_that_a_page_can_read_it(
    client: FlaskClient, shop: Shop
) -> None:
    path = "/f/0193f1c2-7b4e-7c11-9a52-0d4f6b1e2a30"
    headers = {"Origin": ORIGIN, "Accept": "application/json"}
    answer = client.get(f"{path}/form.json", headers=headers)
    assert answer.status_code == 404
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    asked = client.options(path, headers={"Origin": ORIGIN})
    assert asked.status_code == 204


def test_it_costs_no_more_than_the_page_and_writes_nothing(
    client: FlaskClient, shop: Shop, installation: Installation
) -> None:
    client.get(f"{shop.form}/form.json")
    with statements(installation) as seen:
        client.get(f"{shop.form}/form.json")
    assert len([one for one in seen if one.lstrip().upper().startswith("SELECT")]) == 1
    assert not [one for one in seen if "INSERT" in one.upper()]


def test_a_language_leads_to_the_translation_with_its_own_id_and_token(
    client: FlaskClient, installation: Installation
) -> None:
    database = installation.database
    made = factories.create_published_form(database, installation.settings)
    path = f"/f/{made.form_id}/form.json"
    assert client.get(f"{path}?lang=de").json["form"] == str(made.form_id)
    other = translate(database, made, german(database, made))
    tokens = FormTokens(installation.settings.secrets.secret_keys)
    for lang, served in (
        ("de", other),
        ("de-AT", other),
        ("DE", other),
        ("en", made.form_id),
        ("fr", made.form_id),
        ("", made.form_id),
        ("x" * 5000, made.form_id),
        ("de\0", made.form_id),
    ):
        given = client.get(path, query_string={"lang": lang}).json
        assert given["form"] == str(served), lang
        assert given["action"].endswith(f"/f/{served}")
        read = tokens.read(given["token"])
        assert read is not None
        assert read.form_id == served
    given = client.get(f"{path}?lang=de").json
    assert (given["language"], given["words"]["language"]) == ("de", "de")
    assert given["words"]["legend"] == "Was dürfen wir Ihnen schicken?"
    assert given["boxes"][0]["statement"].startswith("Ja, ")
    with database.begin() as tx:
        service.unpublish_form(tx, service.PublishForm(made.organisation_id, other, "test"))
    assert client.get(f"{path}?lang=de").json["form"] == str(made.form_id)
