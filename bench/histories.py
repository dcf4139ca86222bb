"""A log of whole sign-ups without the rows that the verbs would write: what fsck and rebuild-state are measured on."""

from __future__ import annotations

import os
from base64 import urlsafe_b64encode
from collections.abc import Iterator
from datetime import timedelta
from itertools import islice
from typing import Any

from bench.world import World
from consentledger.db.log.entries import Chain, Draft
from consentledger.kernel.clock import now, to_text
from consentledger.kernel.ids import uuid7
from consentledger.kernel.tokens import pack_link
from consentledger.ledger.leaf import blob_value
from consentledger.organisations.facts import PublishedForm

CONTACTS = 400  # in one transaction: 2,000 entries
ENTRIES_EACH = 5
MAIL = b"Message-ID: <1@bench.example>\r\nSubject: Please confirm\r\n\r\n" + b"x" * 1_500


def build_histories(made: World, entries: int) -> None:
    """Appends five entries each for as many contacts as give `entries`: asked, mailed, confirmed, withdrawn."""
    people = iter(range(entries // ENTRIES_EACH))
    while batch := list(islice(people, CONTACTS)):
        _append(made, batch)
    made.installation.signer.sign(made.made.organisation_id)


def _append(made: World, batch: list[int]) -> None:
    org, keystore = made.made.organisation_id, made.installation.keystore
    prepared = [keystore.prepare_contact(org) for _ in batch]
    with made.installation.database.begin() as tx:
        keystore.store_many(tx, org, prepared)
        drafts = [
            draft
            for one, number in zip(prepared, batch, strict=True)
            for draft in _entries(
                made, Chain(uuid7(), one.keys, f"person{number}@bench.example", 0, None)
            )
        ]
        tx.log.append(tx, org, drafts)


def _entries(made: World, chain: Chain) -> Iterator[Draft]:
    form = made.made.form
    request, consent, own = str(uuid7()), str(uuid7()), os.urandom(8)
    purpose = str(form.purposes[0].purpose_id)
    key = {"sender": str(form.sender_id), "purpose": purpose, "channel": "email"}
    yield Draft("consent.requested", _requested(form, request), actor="person", chain=chain)
    salt = os.urandom(32)
    link = _shown(made, own)
    mail: dict[str, Any] = {
        "requests": [request],
        "mail": blob_value(salt, MAIL, "message/rfc822"),
        "link": link,
    }
    yield Draft("confirmation.prepared", mail, "worker", chain, blobs=(salt + MAIL,))
    handled = {
        "requests": [request], "outcome": "sent", "smtp_code": 250, "smtp_answer": "2.0.0 Ok",
        "message_id": "<1@bench.example>", "attempts": 1,
    }  # fmt: skip
    yield Draft("confirmation.handled", handled, actor="worker", chain=chain)
    confirmed = {
        **key, "consent": consent, "request": request,
        "wording_id": str(form.purposes[0].wording_id), "wording": form.text, "notice": form.notice,
        "form": str(form.form_id), "form_version": form.version, "language": "en",
        "method": "press", "ip": "203.0.113.7", "user_agent": "Firefox 131", "delay": 60,
        "reopens": False,
    }  # fmt: skip
    yield Draft("consent.confirmed", confirmed, actor="person", chain=chain)
    withdrawn = {**key, "consent": consent, "method": "page", "permit": None}
    yield Draft("consent.withdrawn", withdrawn, actor="person", chain=chain)


def _requested(form: PublishedForm, request: str) -> dict[str, Any]:
    box = form.purposes[0]
    return {
        "request": request, "method": "form", "source": "hosted", "form": str(form.form_id),
        "form_version": form.version, "sender": str(form.sender_id),
        "purposes": [str(box.purpose_id)], "channel": "email", "wordings": [str(box.wording_id)],
        "wording": form.text, "notice": form.notice,
        "boxes_before": [f"{box.purpose_id}=empty"], "boxes_after": [f"{box.purpose_id}=ticked"],
        "controllers": form.controllers, "collected_by": form.sender.legal_name,
        "condition": None, "age_band": None, "page": "https://shop.example/", "origin": None,
        "ip": "203.0.113.0/24", "user_agent": "Firefox 131", "language": "en",
        "expires_at": to_text(now() + timedelta(days=7)),
    }  # fmt: skip


def _shown(made: World, own: bytes) -> str:
    return urlsafe_b64encode(pack_link(made.made.organisation.number, own)).decode()
