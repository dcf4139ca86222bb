"""One organisation never sees another's data: every route with an id or an address, asked by an outsider.

What charlie gets for alice's things is byte for byte what he gets for things that never were.
"""

from __future__ import annotations

import re
from typing import Any
from uuid import uuid4

from flask import Flask

from consentledger.db.installation import Installation
from consentledger.web.access import policy_of
from tests.support.customers import sale
from tests.web.api.caller import IDENTITY, Caller, Made, wording

ADA = "ada@people.example"


def bodies(made: Made) -> dict[str, Any]:
    """A good body for every route that acts on something, by endpoint's view name."""
    draft = wording(made.sender, made.purpose)
    form = {"sender": made.sender, "language": "en", "wordings": [made.wording]}
    message = {"sender": made.sender, "purpose": made.purpose, "channel": "email"}
    return {
        "change_sender": IDENTITY,
        "change_purpose": {"titles": {"en": "weekly offers"}},
        "draft_wording": draft,
        "replace_wording": draft,
        "draft_form": form,
        "replace_form": form,
        "request_consent": {"form": made.form, "address": ADA, "purposes": [made.purpose]},
        "record_withdrawal": {"address": ADA, "sender": made.sender},
        "issue_permits": {**message, "recipients": [ADA]},
        "recheck_permits": {"permits": ["A" * 16]},
        "contact_status": {"address": ADA},
        "record_customers": {"rows": [sale(ADA)]},
        "lapse_customers": {"rows": [{"address": ADA, "reference": "A-1", "reason": "taken_back"}]},
        "find_customers": {"address": ADA},
        "export_evidence": {"address": ADA},
        "rotate_webhook": {"overlap_hours": 1},
        "place_hold": {"address": ADA, "person": "a judge", "reason": "case 1"},
        "release_hold": {"person": "a judge"},
    }


WEBHOOK = {"url": "https://crm.example/hook", "events": ["contact.erased"]}


# These make something new of one's own, or list one's own: nothing foreign can be named in them.
OWN = {"create_sender", "create_purpose", "create_webhook"}
OWN |= {"record_customers", "request_erasure", "get_policy", "put_policy"}
OWN |= {"read_configuration", "change_configuration"}
OWN |= {"list_registers"}
OWN |= {"adopt", "diff_pack", "list_packs", "read_pack", "publish_categories", "read_categories"}
LISTS = {"list_senders", "list_purposes", "list_wordings", "list_forms", "list_webhooks"}
# A stranger's permit, address or evidence is not there at all: what is told is told of one's own.
ALIKE = {"contact_status", "export_evidence", "recheck_permits", "get_permit", "list_holds"}
ALIKE |= {"find_customers"}
ALIKE |= {"get_proof"}  # charlie's log is shorter than alice's


def test_every_route_tells_a_stranger_nothing(
    installation: Installation, app: Flask, alice: Caller, charlie: Caller
) -> None:
    made, own = alice.form(), charlie.form()
    alice.post("/consents", bodies(made)["request_consent"], 202)
    alice.post("/customers", bodies(made)["record_customers"])
    issued = alice.post("/permits", bodies(made)["issue_permits"])
    webhook, _ = (each.post("/webhooks", WEBHOOK, 201)["id"] for each in (alice, charlie))
    held = alice.post("/holds", bodies(made)["place_hold"], 201)
    erased = alice.post("/erasures", {"address": "eve@people.example"}, 202)
    nothing = Made(*(str(uuid4()) for _ in range(4)))
    ids = {
        "sender_id": (made.sender, nothing.sender),
        "purpose_id": (made.purpose, nothing.purpose),
        "wording_id": (made.wording, nothing.wording),
        "form_id": (made.form, nothing.form),
        "webhook_id": (webhook, str(uuid4())),
        "hold_id": (held["id"], nothing.sender),
        "erasure_id": (erased["id"], nothing.sender),
        "permit": (issued["permits"][0]["permit"], "A" * 16),
        "name": ("EU", "EU"),
        "register": ("AT-ECG", "AT-ECG"),
        "index": (str(issued["entry_index"]), str(10**12)),
    }
    asked = set()
    for rule in app.url_map.iter_rules():
        policy = policy_of(app.view_functions[rule.endpoint])
        if not rule.rule.startswith("/api/v1/") or policy is None or policy.kind != "api":
            continue
        name = rule.endpoint.rpartition(".")[2]
        [method] = rule.methods - {"HEAD", "OPTIONS"}
        answers = []
        for which, subject in enumerate((made, nothing)):
            path = rule.rule.removeprefix("/api/v1")
            for argument in rule.arguments:
                path = path.replace(f"<uuid:{argument}>", ids[argument][which])
                path = path.replace(f"<{argument}>", ids[argument][which])
            body = None if method == "GET" else bodies(subject).get(name)
            if name in OWN:
                continue
            answers.append(charlie.call(method, path, body))
        asked.add(name)
        if name in LISTS:
            [items] = {len(each.get_json()["items"]) for each in answers}
            assert items == 1, name
            assert made.form not in answers[0].get_data(as_text=True)
            continue
        if name in OWN:
            continue
        theirs, nobodys = (_told(answer) for answer in answers)
        assert theirs == nobodys, (name, theirs, nobodys)
        if name not in ALIKE:
            assert answers[0].status_code in (404, 422), name
    assert {"read_sender", "publish_form_draft", "issue_permits", "export_evidence"} <= asked
    assert alice.get(f"/forms/{made.form}")["version"] == 1
    assert charlie.get(f"/forms/{own.form}")["version"] == 1


def _told(answer: Any) -> tuple[int, str]:
    # An id that the caller wrote himself may be said again, nothing else may differ.
    text = answer.get_data(as_text=True)
    return answer.status_code, _without_ids(text)


def _without_ids(text: str) -> str:
    return re.sub(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|\b[A-Za-z0-9_-]{16}\b", "…", text)
