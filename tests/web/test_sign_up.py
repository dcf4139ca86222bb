"""POST of a form: what is accepted, what is refused, and that no answer tells who is known."""

from __future__ import annotations

import json
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select, text

from consentledger.app import create_app
from consentledger.consents.models import ConsentRequest
from consentledger.contacts.models import Contact
from consentledger.db.installation import Installation
from tests.support.consents import entries_of
from tests.web.acts import fields, size_of, statements
from tests.web.town import ORIGIN, Shop, open_shop


def test_a_sign_up_is_in_the_log_when_the_page_says_so(
    client: FlaskClient, shop: Shop, installation: Installation
) -> None:
    before = size_of(installation, shop)
    answer = client.post(shop.form, data=fields(shop, version="1", source="hosted"))
    assert answer.status_code == 200
    assert "Please look into your mailbox" in answer.text
    assert "maria" not in answer.text
    assert "Set-Cookie" not in answer.headers
    assert size_of(installation, shop) == before + 1


def test_a_script_gets_json_and_the_same_record(
    client: FlaskClient, shop: Shop, installation: Installation
) -> None:
    before = size_of(installation, shop)
    body = fields(shop, origin=ORIGIN, purpose=[str(shop.offers), str(shop.tips)])
    answer = client.post(shop.form, json=body, headers={"Origin": ORIGIN})
    assert answer.status_code == 202
    assert answer.json == {"status": "check_mail", "expires_in_days": 7}
    assert answer.headers["Access-Control-Allow-Origin"] == ORIGIN
    assert size_of(installation, shop) == before + 1


def test_how_the_form_was_shown_is_recorded_as_our_pages_and_our_script_say_it(
    client: FlaskClient, shop: Shop, installation: Installation
) -> None:
    def post(source: str, **more: Any) -> str:
        origin = more.pop("origin", None)
        data = fields(shop, origin=origin, source=source)
        headers = {"Origin": origin} if origin else {}
        kind = more.pop("kind", "data")
        assert client.post(shop.form, headers=headers, **{kind: data}).status_code in (200, 202)
        with installation.database.read() as session:
            (contact,) = session.scalars(
                select(Contact).where(Contact.organisation_id == shop.organisation_id)
            ).all()
        entry = entries_of(installation.database, shop.organisation_id, contact)[-1]
        assert entry.kind == "consent.requested"
        return str(entry.values["source"])

    assert post("hosted") == "hosted"
    assert post("iframe") == "iframe"
    assert post("element", kind="json", origin=ORIGIN) == "element"
    assert post("hosted", kind="json", origin=ORIGIN) == "post"
    assert post("element") == "post"


def test_a_shops_own_form_may_post_multipart_and_name_the_way_back(
    client: FlaskClient, shop: Shop
) -> None:
    data = fields(shop, origin=ORIGIN, **{"return": f"{ORIGIN}/thanks"})
    kind = "multipart/form-data"
    answer = client.post(shop.form, data=data, content_type=kind, headers={"Origin": ORIGIN})
    assert answer.status_code == 200
    assert f'href="{ORIGIN}/thanks"' in answer.text
    for elsewhere in ("https://evil.example/", "javascript:alert(1)", f"{ORIGIN}/other"):
        answer = client.post(shop.form, data=fields(shop, **{"return": elsewhere}))
        assert answer.status_code == 200
        assert elsewhere not in answer.text


def test_the_answer_to_a_frame_may_be_framed_and_no_other(client: FlaskClient, shop: Shop) -> None:
    framed = client.post(shop.form, data=fields(shop, source="iframe"))
    assert f"frame-ancestors {ORIGIN}" in framed.headers["Content-Security-Policy"]
    data = fields(shop, origin=ORIGIN, source="iframe")
    lying = client.post(shop.form, data=data, headers={"Origin": ORIGIN})
    assert "frame-ancestors 'none'" in lying.headers["Content-Security-Policy"]


BAD_ADDRESSES = {
    "none": "",
    "blank": "   ",
    "255": "a@" + "b" * 63 + "." + "c" * 63 + "." + "d" * 63 + "." + "e" * 57 + ".org",
    "two_at": "maria@@example.org",
    "two_at_apart": "maria@home@example.org",
    "cr": "maria@example.org\rBcc: x@example.org",
    "lf": "maria@example.org\nBcc: x@example.org",
    "nul": "maria\0@example.org",
    "quoted": '"maria smith"@example.org',
    "no_at": "maria.example.org",
    "no_domain": "maria@",
    "homograph": "maria@pаypal.example",
    "literal": "maria@[127.0.0.1]",
    "display": "Maria <maria@example.org>",
}


@pytest.mark.parametrize("name", sorted(BAD_ADDRESSES))
def test_a_bad_address_is_named_and_nothing_is_written(
    client: FlaskClient, shop: Shop, installation: Installation, name: str
) -> None:
    before = size_of(installation, shop)
    page = client.post(shop.form, data=fields(shop, BAD_ADDRESSES[name]))
    assert page.status_code == 422
    assert 'id="email-error"' in page.text
    assert f'value="{shop.offers}"\n' in page.text.replace("                   ", "")
    problem = client.post(shop.form, json=fields(shop, BAD_ADDRESSES[name]))
    assert problem.status_code == 422
    assert problem.mimetype == "application/problem+json"
    assert json.loads(problem.data)["errors"][0]["field"] == "email"
    assert size_of(installation, shop) == before
    with installation.database.read() as session:
        assert session.execute(select(ConsentRequest.request_id)).all() == []


@pytest.mark.parametrize(
    "email", ["maria@münchen.example", "jürgen@example.org", "用户@例子.example", "a+b@example.org"]
)
def test_addresses_in_other_scripts_are_taken(client: FlaskClient, shop: Shop, email: str) -> None:
    assert client.post(shop.form, data=fields(shop, email)).status_code == 200


def test_boxes_must_be_ticked_and_known(
    client: FlaskClient, shop: Shop, installation: Installation
) -> None:
    other = open_shop(installation, "Charlie")
    before = size_of(installation, shop)
    for purposes in ([], ["x"], [str(other.offers)], [str(shop.offers), str(other.offers)]):
        page = client.post(shop.form, data=fields(shop, purpose=purposes))
        assert page.status_code == 422
        assert 'id="purpose-error"' in page.text
        assert 'value="maria@example.org"' in page.text
        problem = client.post(shop.form, json=fields(shop, purpose=purposes))
        assert problem.status_code == 422
        assert problem.json["errors"][0]["field"] == "purpose"
    assert size_of(installation, shop) == before


@pytest.mark.parametrize(
    ("content", "kind", "status", "field"),
    [
        (b"{", "application/json", 400, "body"),
        (b"[]", "application/json", 400, "body"),
        (b'{"email":"a@b.example","email":"c@d.example"}', "application/json", 400, "email"),
        (b'{"email":["a@b.example"]}', "application/json", 422, "email"),
        (b'{"email":"a@b.example","purpose":[1]}', "application/json", 422, "purpose"),
        (
            b"email=a%40b.example&email=c%40d.example",
            "application/x-www-form-urlencoded",
            400,
            "email",
        ),
        (b"email=a@b.example", "text/plain", 415, "Content-Type"),
        (b"<email/>", "application/xml", 415, "Content-Type"),
        (b"", None, 415, "Content-Type"),
    ],
)
def test_a_body_that_could_mean_two_things_is_refused(
    client: FlaskClient,
    shop: Shop,
    installation: Installation,
    content: bytes,
    kind: str | None,
    status: int,
    field: str,
) -> None:
    before = size_of(installation, shop)
    headers = {"Accept": "application/json"}
    answer = client.post(shop.form, data=content, content_type=kind, headers=headers)
    assert answer.status_code == status
    assert answer.json["errors"][0]["field"] == field
    assert size_of(installation, shop) == before


def test_an_origin_that_is_not_listed_is_refused(
    client: FlaskClient, shop: Shop, installation: Installation
) -> None:
    before = size_of(installation, shop)
    for origin in (
        "https://evil.example",
        "http://shop.example",
        "https://shop.example.evil.example",
    ):
        data = fields(shop, origin=origin)
        answer = client.post(shop.form, data=data, headers={"Origin": origin})
        assert answer.status_code == 403
        assert "Access-Control-Allow-Origin" not in answer.headers
    assert size_of(installation, shop) == before


def test_a_page_of_an_older_version_is_not_taken_for_the_newest(
    client: FlaskClient, shop: Shop, installation: Installation
) -> None:
    before = size_of(installation, shop)
    assert client.post(shop.form, data=fields(shop, version="0")).status_code == 409
    assert client.post(shop.form, data=fields(shop, version="x")).status_code == 409
    assert size_of(installation, shop) == before


def test_the_same_address_may_ask_only_so_often(
    client: FlaskClient, shop: Shop, installation: Installation
) -> None:
    answers = [
        client.post(shop.form, data=fields(shop, f"Maria+{n}@gmail.com")).status_code
        for n in range(8)
    ]
    assert answers == [200] * 6 + [429] * 2
    before = size_of(installation, shop)
    late = client.post(shop.form, data=fields(shop, "m.a.r.i.a@googlemail.com"))
    assert late.status_code == 429
    assert int(late.headers["Retry-After"]) > 0
    assert size_of(installation, shop) == before


def test_a_network_may_ask_only_so_often(client: FlaskClient, shop: Shop) -> None:
    def post(n: int, remote: str) -> int:
        over = {"REMOTE_ADDR": remote}
        data = fields(shop, f"p{n}@example.org")
        return client.post(shop.form, data=data, environ_overrides=over).status_code

    first = [post(n, f"2001:db8:1:2::{n:x}") for n in range(31)]
    assert first == [200] * 30 + [429]
    assert post(99, "2001:db8:1:3::1") == 200


def test_known_and_unknown_addresses_get_the_same_bytes_by_the_same_statements(
    installation: Installation, app: Flask, shop: Shop
) -> None:
    client = app.test_client(use_cookies=False)
    client.post(shop.form, data=fields(shop, "warm@example.org"))
    client.post(shop.form, data=fields(shop, "known@example.org"))
    answers, ran = {}, {}
    for email in ("known@example.org", "never@example.org"):
        with statements(installation) as seen:
            answers[email] = client.post(shop.form, data=fields(shop, email))
        ran[email] = list(seen)
    one, other = answers.values()
    assert (one.status_code, one.data, dict(one.headers)) == (
        other.status_code,
        other.data,
        dict(other.headers),
    )
    first, second = ran.values()
    assert first == second


def test_get_and_head_write_nothing(
    client: FlaskClient, shop: Shop, installation: Installation
) -> None:
    before = size_of(installation, shop)
    with statements(installation) as seen:
        for path in (shop.form, f"{shop.form}/embed"):
            assert client.get(path).status_code == 200
            assert client.head(path).status_code == 200
    assert not [s for s in seen if not s.lstrip().upper().startswith(("SELECT", "PRAGMA", "BEGIN"))]
    assert size_of(installation, shop) == before


def test_a_log_that_cannot_be_written_is_503_and_nothing_is_promised(
    installation: Installation, shop: Shop
) -> None:
    app = create_app(installation.settings, installation)
    client = app.test_client(use_cookies=False)
    name = installation.database.name
    with installation.database.begin() as tx:
        if name == "sqlite":
            tx.connection.exec_driver_sql(
                "CREATE TRIGGER full BEFORE INSERT ON log_leaf BEGIN SELECT RAISE(ABORT, 'disk'); END"
            )
        else:
            tx.connection.execute(text("ALTER TABLE log_leaf RENAME TO elsewhere"))
    answer = client.post(shop.form, data=fields(shop))
    assert answer.status_code >= 500
    assert "mailbox" not in answer.text
    with installation.database.read() as session:
        assert session.execute(select(ConsentRequest.request_id)).all() == []
