"""The person's own acts on a confirm link: confirm what is kept, decline what is dropped (promises 3, 7, 8)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from uuid import UUID

from consentledger.consents import queries, rules
from consentledger.consents.commands import (
    AskedItem,
    ConfirmConsents,
    Confirmed,
    LinkState,
    Receipt,
    receipt_disclosures,
)
from consentledger.consents.frozen import form_of, wording_blobs
from consentledger.consents.links import lock_link, state_under_lock
from consentledger.consents.queries import Mail, Request
from consentledger.consents.rows import consent_writes, mail_write, request_write
from consentledger.contacts import service as contacts
from consentledger.contacts import standing as standings
from consentledger.contacts.lifting import lift_erasure
from consentledger.contacts.rules import ip_by_policy, user_agent_family
from consentledger.contacts.service import LockedContact
from consentledger.contacts.together import Write, write_together
from consentledger.db.log.append import Appended
from consentledger.db.log.entries import Draft
from consentledger.db.unit_of_work import Tx
from consentledger.kernel.clock import to_text
from consentledger.kernel.ids import uuid7
from consentledger.ledger.disclosure import Value
from consentledger.organisations.facts import BlobValue

CAPABILITY = "confirm"


@dataclass(slots=True)
class _Press:
    """One press being worked out: what is appended, and what each draft was about."""

    mail: Mail
    contact: LockedContact
    requests: dict[UUID, Request]
    drafts: list[Draft] = field(default_factory=list)
    scopes: list[str] = field(default_factory=list)
    titles: list[str] = field(default_factory=list)
    stopped: list[str] = field(default_factory=list)
    consent_ids: dict[str, str] = field(default_factory=dict)


def confirm(tx: Tx, command: ConfirmConsents) -> Confirmed:
    """Confirms what the page showed and the person kept, declines what was shown and dropped.

    An item that was done before is not done again: its receipt is given. What was asked before a later stop
    is not confirmed. NotFoundError for a link that is not known any more, InputError for items that are none.
    """
    rules.check_choice(command.shown, command.kept)
    for item in command.shown:
        rules.parse_item(item)
    mail, contact = lock_link(tx, command.link_id)
    if contact is None:
        return _nothing(tx, mail, command.link_id, "expired")
    requests = queries.requests_of_link(tx.connection, mail.organisation_id, mail.link_id)
    items = queries.open_items(partial(form_of, tx), mail.organisation_id, requests, tx.now)
    shown = [item for item in items if item.item_id in command.shown]
    if not shown:
        return _nothing(tx, mail, command.link_id, None)
    press = _Press(mail, contact, {request.request_id: request for request in requests})
    _work_out(tx, press, shown, command)
    if not press.drafts:
        return _nothing(tx, mail, command.link_id, "stopped", tuple(press.stopped))
    still_open = len(items) > len(press.drafts)
    appended = _write(tx, press, still_open=still_open)
    return _answer(press, appended, tx.now)


def _work_out(tx: Tx, press: _Press, shown: Sequence[AskedItem], command: ConfirmConsents) -> None:
    kept = [item for item in shown if item.item_id in command.kept]
    blobs = wording_blobs(tx, press.contact.organisation_id, (item.wording_id for item in kept))
    for item in shown:
        request = press.requests[item.request_id]
        args = (item.form.sender_id, item.purpose_id, item.form.channel)
        if item.item_id not in command.kept:
            draft = _dropped(press.contact, item, command.actor)
        elif standings.stopped_since(
            press.contact.standing, *args, request.entry_numbers[0], tx.now
        ):
            press.stopped.append(item.item_id)
            continue
        else:
            draft = _confirmed(tx, press, item, command, blobs[item.wording_id])
        press.drafts.append(draft)
        press.scopes.append(item.item_id)
        title = item.form.purpose(item.purpose_id)
        press.titles.append(title.title if title else "")


def _confirmed(
    tx: Tx,
    press: _Press,
    item: AskedItem,
    command: ConfirmConsents,
    blobs: tuple[BlobValue, BlobValue],
) -> Draft:
    sender, purpose, channel = item.form.sender_id, item.purpose_id, item.form.channel
    standing = press.contact.standing
    key = standings.key_of(sender, purpose, channel)
    before = standing["consents"].get(key)
    # Two joined requests may ask for the same thing: it stays one consent.
    consent_id = press.consent_ids.setdefault(key, before["id"] if before else str(uuid7()))
    closed = standings.stopped_since(standing, sender, purpose, channel, -1, tx.now)
    mailed_at = press.mail.sent_at or press.mail.made_at
    values: dict[str, Value] = {
        "consent": consent_id,
        "request": str(item.request_id),
        "sender": str(sender),
        "purpose": str(purpose),
        "channel": channel,
        "wording_id": str(item.wording_id),
        "wording": blobs[0],
        "notice": blobs[1],
        "form": str(item.form.form_id),
        "form_version": item.form.version,
        "language": item.form.language,
        "method": "press",
        "ip": ip_by_policy(command.came.ip, press.mail.ip_policy),
        "user_agent": user_agent_family(command.came.user_agent),
        "delay": max(0, int((tx.now - mailed_at).total_seconds())),
        "reopens": closed,
    }
    return Draft("consent.confirmed", values, actor=command.actor, chain=press.contact.chain)


def _dropped(contact: LockedContact, item: AskedItem, actor: str) -> Draft:
    values: dict[str, Value] = {
        "request": str(item.request_id),
        "purpose": str(item.purpose_id),
        "sender": str(item.form.sender_id),
        "channel": item.form.channel,
        "reason": "dropped",
    }
    return Draft("consent.declined", values, actor=actor, chain=contact.chain)


def _write(tx: Tx, press: _Press, *, still_open: bool) -> list[Appended]:
    mail, contact = press.mail, press.contact
    numbers = contacts.record(contact, press.drafts, to_text(tx.now))
    engine = tx.database.name
    writes = [
        contacts.standing_write(tx, contact),
        *consent_writes(engine, contact, numbers[0], press.drafts, mail.link_id),
        *_request_writes(press, numbers),
    ]
    if not still_open:
        writes.append(mail_write(mail.organisation_id, mail.link_id, "used"))
    write_together(tx, *writes)
    if any(draft.kind == "consent.confirmed" for draft in press.drafts):
        lift_erasure(tx, mail.organisation_id, contact.address)
    appended = tx.log.append(tx, mail.organisation_id, press.drafts)
    uses = dict(zip(press.scopes, appended, strict=True))
    contacts.use_link(tx, mail.organisation_id, CAPABILITY, mail.link_id, uses)
    return appended


def _request_writes(press: _Press, numbers: Sequence[int]) -> list[Write]:
    made: dict[str, dict[str, tuple[str, int]]] = {}
    for draft, number in zip(press.drafts, numbers, strict=True):
        states = made.setdefault(str(draft.values["request"]), {})
        states[str(draft.values["purpose"])] = (draft.kind.partition(".")[2], number)
    writes = []
    for n, request_id in enumerate(sorted(made)):
        request, states = press.requests[UUID(request_id)], made[request_id]
        boxes = [
            {**box, "state": states.get(box["purpose"], (box["state"], 0))[0]}
            for box in request.purposes
        ]
        left = [box for box in boxes if box["state"] == rules.OPEN]
        confirmed = any(box["state"] == "confirmed" for box in boxes)
        values = {
            "purposes": boxes,
            "state": rules.OPEN if left else "confirmed" if confirmed else "declined",
            "entry_numbers": [*request.entry_numbers, *sorted(n for _, n in states.values())],
        }
        org = press.contact.organisation_id
        writes.append(request_write(n, org, request.request_id, values))
    return writes


def receipt(scope: str, entry: Appended, at: datetime, title: str = "") -> Receipt:
    """Returns the receipt of an act with everything that opens it, for the press itself only."""
    shown = receipt_disclosures(entry.disclosures)
    return Receipt(scope, entry.index, entry.leaf_hash, at, entry.leaf, shown, title)


def _answer(press: _Press, appended: Sequence[Appended], at: datetime) -> Confirmed:
    made = [
        receipt(scope, entry, at, title)
        for scope, entry, title in zip(press.scopes, appended, press.titles, strict=True)
    ]
    kinds = [draft.kind for draft in press.drafts]
    pairs = list(zip(kinds, made, strict=True))
    return Confirmed(
        state="open",
        organisation_id=press.mail.organisation_id,
        sender_id=press.mail.sender_id,
        language=press.mail.language,
        confirmed=tuple(one for kind, one in pairs if kind == "consent.confirmed"),
        dropped=tuple(one for kind, one in pairs if kind == "consent.declined"),
        stopped=tuple(press.stopped),
    )


def _nothing(
    tx: Tx, mail: Mail, link_id: bytes, state: LinkState | None, stopped: tuple[str, ...] = ()
) -> Confirmed:
    receipts: tuple[Receipt, ...] = ()
    if state_under_lock(tx, mail, link_id).state == "declined":
        state = "declined"
    if state is None:
        found = queries.receipts_of(tx.connection, mail.organisation_id, CAPABILITY, mail.link_id)
        receipts = tuple(found)
        state = "used" if receipts else "expired"
    return Confirmed(
        state=state,
        organisation_id=mail.organisation_id,
        sender_id=mail.sender_id,
        language=mail.language,
        confirmed=receipts,
        stopped=stopped,
        repeated=True,
    )


__all__ = ["CAPABILITY", "confirm", "receipt"]
