"""Registers by API: a file is the body, and it is taken whole or not at all."""

from __future__ import annotations

from typing import Any

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tests.web.api.caller import Caller

AS_OF = "2026-11-01T00:00:00Z"


def send(who: Caller, body: bytes, code: str = "AT-NEW", **query: str) -> TestResponse:
    client: FlaskClient = who._client
    return client.open(
        f"/api/v1/registers/{code}:import",
        method="POST",
        query_string={"as_of": AS_OF, "source": "a test", **query},
        data=body,
        headers={**who.member.headers, "Content-Type": "text/plain"},
    )


def test_a_register_from_first_to_last(alice: Caller, charlie: Caller) -> None:
    assert send(charlie, b"noise@other.example\n").status_code == 200
    made = send(alice, b"a@b.example\nc@d.example\na@b.example\n")
    assert made.status_code == 200, made.get_data(as_text=True)
    told: dict[str, Any] = made.get_json()
    assert (told["count"], told["added"], told["repeated"]) == (2, 2, False)
    again = send(alice, b"a@b.example\nc@d.example\na@b.example\n").get_json()
    assert (again["repeated"], again["entry_index"]) == (True, told["entry_index"])
    (item,) = [one for one in alice.get("/registers")["items"] if one["register"] == "AT-NEW"]
    assert (item["count"], item["state"]) == (2, "not_demanded")
    assert item["as_of"] == "2026-11-01T00:00:00.000000Z"


def test_a_long_body_is_read_line_by_line(alice: Caller) -> None:
    lines = b"".join(b'{"mail":"p%d@long.example"}\n' % n for n in range(20_000))
    made = send(alice, lines, format="ndjson", column="mail").get_json()
    assert made["count"] == 20_000


def test_what_is_wrong_is_named(alice: Caller, bob: Caller) -> None:
    for answer, field in (
        (send(alice, b"a@b.example\nnonsense\n"), "file"),
        (send(alice, b""), "file"),
        (send(alice, b"a@b.example\n", code="nonsense"), "register"),
        (send(alice, b"a@b.example\n", as_of="2099-01-01T00:00:00Z"), "as_of"),
        (send(alice, b"a@b.example\n", as_of="today"), "as_of"),
        (send(alice, b"a@b.example\n", format="xml"), "format"),
        (send(alice, b"a@b.example\n", colour="red"), "colour"),
    ):
        assert answer.status_code in (400, 422), answer.get_data(as_text=True)
        assert field in answer.get_data(as_text=True)
    assert send(bob, b"a@b.example\n").status_code == 403
    assert bob.call("GET", "/registers").status_code == 403
