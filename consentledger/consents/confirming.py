"""The person's own acts on a confirm link: confirm what is kept, decline what is dropped (promises 3, 7, 8)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from sqlalchemy import select, update

from consentledger.consents import queries, rules
from consentledger.consents.commands import (
    AskedItem,
    ConfirmConsents,
    Confirmed,
    LinkState,
    Receipt,
    receipt_disclosures,
)
from consentledger.consents.models import ConfirmationMail, ConsentRequest
from consentledger.consents.queries import Mail, Request
from consentledger.consents.rows import save_consents
from consentledger.contacts import service as contacts
from consentledger.contacts import standing as standings
from consentledger.contacts.rules import ip_by_policy, user_agent_family
from consentledger.contacts.service import LockedContact
from consentledger.db.entries import Draft
from consentledger.db.log import Appended
from consentledger.db.unit_of_work import Tx
from consentledger.kernel.clock import to_text
from consentledger.kernel.ids import uuid7
from consentledger.ledger.disclosure import Value
from consentledger.organisations.facts import BlobValue
from consentledger.organisations.models import Wording
from consentledger.organisations.shown import value_of

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
    mail = queries.mail_by_link(tx.session, command.link_id)
    locked = contacts.lock(tx, mail.organisation_id, [mail.contact_id] if mail.contact_id else [])
    mail = queries.mail_by_link(tx.session, command.link_id)  # as it is under the contact's lock
    contact = next(iter(locked.values()), None)
    if contact is None:
        return _nothing(tx, mail, "declined" if mail.state == "declined" else "expired")
    requests = queries.requests_of_link(tx.session, mail.organisation_id, mail.link_id)
    items = queries.open_items(tx.session, mail.organisation_id, requests, tx.now)
    shown = [item for item in items if item.item_id in command.shown]
    if not shown:
        return _nothing(tx, mail, "declined" if mail.state == "declined" else None)
    press = _Press(mail, contact, {request.request_id: request for request in requests})
    _work_out(tx, press, shown, command)
    if not press.drafts:
        return _nothing(tx, mail, "stopped", tuple(press.stopped))
    still_open = len(items) > len(press.drafts)
    appended = _write(tx, press, still_open=still_open)
    return _answer(press, appended, tx.now)


def _work_out(tx: Tx, press: _Press, shown: Sequence[AskedItem], command: ConfirmConsents) -> None:
    kept = [item for item in shown if item.item_id in command.kept]
    blobs = _wording_blobs(tx, press.contact.organisation_id, [item.wording_id for item in kept])
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
    save_consents(tx, contact, numbers[0], press.drafts, mail.link_id)
    contacts.save(tx, contact)
    for request_id in sorted(press.requests):
        _settle_request(tx, press, press.requests[request_id], numbers)
    if not still_open:
        set_mail_state(tx, mail, "used")
    appended = tx.log.append(tx, mail.organisation_id, press.drafts)
    uses = dict(zip(press.scopes, appended, strict=True))
    contacts.use_link(tx, mail.organisation_id, CAPABILITY, mail.link_id, uses)
    return appended


def _settle_request(tx: Tx, press: _Press, request: Request, numbers: Sequence[int]) -> None:
    states = {
        draft.values.get("purpose"): (draft.kind.partition(".")[2], number)
        for draft, number in zip(press.drafts, numbers, strict=True)
        if draft.values["request"] == str(request.request_id)
    }
    if not states:
        return
    boxes = [
        {**box, "state": states[box["purpose"]][0] if box["purpose"] in states else box["state"]}
        for box in request.purposes
    ]
    open_boxes = [box for box in boxes if box["state"] == rules.OPEN]
    confirmed = any(box["state"] == "confirmed" for box in boxes)
    state = rules.OPEN if open_boxes else "confirmed" if confirmed else "declined"
    update_request(
        tx,
        press.contact.organisation_id,
        request.request_id,
        purposes=boxes,
        state=state,
        entry_numbers=[*request.entry_numbers, *sorted(n for _, n in states.values())],
    )


def update_request(tx: Tx, organisation_id: UUID, request_id: UUID, **values: object) -> None:
    """Writes some columns of one request."""
    tx.session.execute(
        update(ConsentRequest)
        .where(
            ConsentRequest.organisation_id == organisation_id,
            ConsentRequest.request_id == request_id,
        )
        .values(values)
    )


def set_mail_state(tx: Tx, mail: Mail, state: str) -> None:
    """Writes the state of a confirmation mail: open, used, declined or expired."""
    tx.session.execute(
        update(ConfirmationMail)
        .where(
            ConfirmationMail.organisation_id == mail.organisation_id,
            ConfirmationMail.link_id == mail.link_id,
        )
        .values(state=state)
    )


def _wording_blobs(
    tx: Tx, organisation_id: UUID, wording_ids: Sequence[UUID]
) -> dict[UUID, tuple[BlobValue, BlobValue]]:
    rows = tx.session.execute(
        select(Wording.wording_id, Wording.text_blob, Wording.notice_blob).where(
            Wording.organisation_id == organisation_id, Wording.wording_id.in_(wording_ids)
        )
    )
    return {
        wording_id: (value_of(text or b"", "text/plain"), value_of(notice or b"", "text/plain"))
        for wording_id, text, notice in rows
    }


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
    tx: Tx, mail: Mail, state: LinkState | None, stopped: tuple[str, ...] = ()
) -> Confirmed:
    receipts: tuple[Receipt, ...] = ()
    if state is None:
        found = queries.receipts_of(tx.session, mail.organisation_id, CAPABILITY, mail.link_id)
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


__all__ = ["CAPABILITY", "confirm", "receipt", "set_mail_state", "update_request"]
