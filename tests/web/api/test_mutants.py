"""Good bodies, bent at random: whatever comes, the API answers with a problem or an act, never with a crash."""

from __future__ import annotations

import json
import random
from typing import Any

import pytest

from consentledger.db.installation import Installation
from consentledger.kernel.settings import Settings
from tests.support.installations import settings_from
from tests.web.api.caller import IDENTITY, Caller
from tests.web.api.test_strangers import bodies

ROUNDS = 300
ODD: tuple[Any, ...] = (
    None, True, False, 0, -1, 1.5, 1e308, 2**53, 2**70, "", " ", "x", "\x00", "\u202e", "a\r\nb",
    "ß" * 300, "x" * 10_001, [], {}, [None], [[]], [{}], {"a": {}}, {"": ""}, {"en": None},
    {"en": "\x00"}, ["x"] * 60, "null", "https://[", "https://a.example:99999",
    "http://\u2100.example", "a@b", "é@é", "00000000-0000-0000-0000-000000000000", "٣", "xn--",
)  # fmt: skip


@pytest.fixture
def settings(environment: dict[str, str]) -> Settings:
    """Without the limits of sign-ups: most of these would be counted."""
    return settings_from({**environment, "CONSENTLEDGER_SIGNUP_LIMITS": "false"})


def bend(value: Any, dice: random.Random) -> Any:
    """Returns a copy of a JSON value with one thing taken away, added or replaced."""
    value = json.loads(json.dumps(value))
    if not isinstance(value, dict | list) or not value:
        return dice.choice(ODD)
    key = dice.choice(list(value)) if isinstance(value, dict) else dice.randrange(len(value))
    chance = dice.random()
    if chance < 0.15:
        del value[key]
    elif chance < 0.25 and isinstance(value, dict):
        value[dice.choice(("x", "__class__", "ticked", ""))] = dice.choice(ODD)
    elif chance < 0.5:
        value[key] = bend(value[key], dice)
    else:
        value[key] = dice.choice(ODD)
    return value


@pytest.mark.parametrize("seed", [1, 2])
def test_bent_bodies_crash_nothing(installation: Installation, alice: Caller, seed: int) -> None:
    made = alice.form()
    good = bodies(made)
    form = {"origins": ["https://a.example"], "returns": ["https://a.example/b"]}
    routes: dict[str, Any] = {
        "/senders": {
            **IDENTITY,
            "transport": {"server": "smtp.a.example"},
            "link_host": "a.example",
        },
        f"/senders/{made.sender}:publish": IDENTITY,
        "/purposes": {"titles": {"en": "a"}, "channels": ["email"], "categories": ["a"]},
        f"/purposes/{made.purpose}:publish": {"titles": {"en": "weekly offers"}},
        "/wordings": good["draft_wording"],
        "/forms": {**good["draft_form"], **form, "fields": [{"name": "email", "required": True}]},
        f"/forms/{made.form}:publish": {},
        "/consents": {
            **good["request_consent"],
            "page": "https://a.example",
            "ip": "192.0.2.1",
            "version": 1,
        },
        "/withdrawals": {**good["record_withdrawal"], "purpose": made.purpose},
        "/contacts:status": good["contact_status"],
        "/customers": {**good["record_customers"], "partial": True},
        "/customers:lapse": good["lapse_customers"],
        "/customers:find": good["find_customers"],
        "/evidence": {**good["export_evidence"], "since": 1},
        "/erasures": {"address": "eve@people.example", "ground": "child", "now": True},
        "/holds": good["place_hold"],
        "/permits": good["issue_permits"],
        "/permits:recheck": good["recheck_permits"],
        "/webhooks": {"url": "https://a.example/hook", "events": ["contact.erased"]},
    }
    dice = random.Random(seed)  # the same mutants each time
    for _ in range(ROUNDS):
        path = dice.choice(list(routes))
        body = bend(routes[path], dice)
        answer = alice.call("POST", path, body)
        assert answer.status_code < 500, (path, body)
        if answer.status_code >= 400:
            assert answer.mimetype == "application/problem+json", (path, body)
            if answer.status_code in (400, 422):
                assert answer.get_json()["errors"], (path, body)


@pytest.mark.parametrize(
    "body",
    [
        b'{"address": "\\ud800@people.example"}',
        b'{"address": "ada\\udfff@people.example"}',
        b'{"address": "\xff"}',
        '{"address": "ada@people.example"}'.encode("utf-16"),
        b'\xef\xbb\xbf{"address": "ada@people.example"}',
        b'{"address": 1e400}',
        b'{"address": ' + b"1" * 5000 + b"}",
    ],
)
def test_text_that_is_none_is_malformed(alice: Caller, body: bytes) -> None:
    answer = alice.raw("POST", "/contacts:status", body)
    assert answer.status_code == 400
    assert answer.get_json()["errors"][0]["reason"] == "malformed"
