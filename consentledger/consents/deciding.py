"""What the worker does about a request: decide, mail once, tell the outcome (promise 8).

Every request gets the same two entries, confirmation.prepared and confirmation.handled, whatever was decided;
an unsent one is handled after a usual SMTP delay. So not even the log's growth tells who is known here.
"""

from __future__ import annotations

import os
import random
from base64 import urlsafe_b64encode
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial

from sqlalchemy import insert, select, update

from consentledger.consents import queries, rules
from consentledger.consents.commands import (
    DecideConfirmation,
    Decision,
    HandleConfirmation,
    MailFacts,
    Render,
    RenderedMail,
)
from consentledger.consents.models import ConfirmationMail, ConsentRequest
from consentledger.consents.queries import Request
from consentledger.consents.weighing import Weighed, latest_mail, mailbox_of, weigh_confirmation
from consentledger.contacts import service as contacts
from consentledger.contacts.address import fold
from consentledger.contacts.service import LockedContact
from consentledger.db.log.append import Appended
from consentledger.db.log.entries import Draft
from consentledger.db.unit_of_work import Tx
from consentledger.kernel.tokens import pack_link
from consentledger.ledger.disclosure import Value
from consentledger.ledger.leaf import blob_value
from consentledger.limits import caps
from consentledger.organisations.queries import form_version, organisation
from consentledger.outbox import service as outbox

SEND = "confirmation.send"
SETTLE = "confirmation.settle"
# How long an SMTP peer usually takes: an unsent mail is handled as late as a sent one.
_SETTLE_SECONDS = (0.2, 1.5)
_CHANCE = random.SystemRandom()
_SALT = 32


def decide_confirmation(tx: Tx, command: DecideConfirmation, render: Render) -> Decision:
    """Decides a request and appends confirmation.prepared, before anything is sent.

    `render` is called under the contact's lock when a mail must go out, and enqueued as `confirmation.send`
    with the contact's key; else `confirmation.settle` is enqueued, payload {request, contact, link, outcome}.
    Decided twice, or gone, it changes nothing and says `gone`; nor does it when it says `later`.
    """
    return prepare_confirmation(tx, weigh_confirmation(tx, command), render)


def prepare_confirmation(tx: Tx, weighed: Weighed, render: Render) -> Decision:
    """Does what was decided, in the same transaction, and appends confirmation.prepared."""
    decision, request, contact = weighed.decision, weighed.request, weighed.contact
    if request is None or contact is None:
        return Decision("gone")
    if decision == "later":
        return Decision("later", contact.contact_id, run_at=weighed.run_at)
    own: bytes | None
    values: dict[str, Value]
    if decision == "send":
        own = os.urandom(8)
        mail = _render(tx, request, contact, own, render)
        _keep_mail(tx, request, contact, own, mail)
        salt = os.urandom(_SALT)
        copy = blob_value(salt, mail.copy, "message/rfc822")
        _prepare(tx, request, contact, own, SEND, {**mail.payload, **_payload(request, own)})
        values = {
            "requests": [str(request.request_id)],
            "mail": copy,
            "link": _shown(tx, contact, own),
        }
        drafts = _draft("confirmation.prepared", values, contact, (salt + mail.copy,))
    else:
        pending = latest_mail(tx, contact)
        own = pending[0] if decision == "capped" and pending else None
        payload = _payload(request, own) | {"outcome": decision}
        _prepare(tx, request, contact, own, SETTLE, payload)
        link = _shown(tx, contact, own) if own else None
        values = {"requests": [str(request.request_id)], "mail": None, "link": link}
        drafts = _draft("confirmation.prepared", values, contact)
    tx.log.append(tx, contact.organisation_id, drafts)
    return Decision(decision, contact.contact_id, own)  # type: ignore[arg-type]


def handle_confirmation(tx: Tx, command: HandleConfirmation) -> Appended | None:
    """Appends confirmation.handled; None when the contact or the request is gone.

    A person may press before the peer's answer is told, so the request may be decided already. That this is
    told once is held by the outbox: its row goes in the same transaction.
    """
    org = command.organisation_id
    contact = contacts.lock(tx, org, [command.contact_id]).get(command.contact_id)
    request = queries.request_by_id(tx.session, org, command.request_id)
    if contact is None or request is None or len(request.entry_numbers) < 2:
        return None
    _own_entry(tx, request, contact)
    if command.link_id is not None and command.outcome in ("sent", "refused", "given_up"):
        tx.session.execute(
            update(ConfirmationMail)
            .where(
                ConfirmationMail.organisation_id == org, ConfirmationMail.link_id == command.link_id
            )
            .values(outcome=command.outcome, sent_at=tx.now if command.outcome == "sent" else None)
        )
    if command.link_id is not None and command.outcome == "refused":
        _reached_nobody(tx, contact, command.link_id)
    values: dict[str, Value] = {
        "requests": [str(command.request_id)],
        "outcome": command.outcome,
        "smtp_code": command.smtp_code,
        "smtp_answer": command.smtp_answer,
        "message_id": command.message_id,
        "attempts": command.attempts,
    }
    [entry] = tx.log.append(tx, org, _draft("confirmation.handled", values, contact))
    return entry


def _reached_nobody(tx: Tx, contact: LockedContact, link_id: bytes) -> None:
    made_at = tx.session.scalar(
        select(ConfirmationMail.made_at).where(
            ConfirmationMail.organisation_id == contact.organisation_id,
            ConfirmationMail.link_id == link_id,
        )
    )
    if made_at is not None:
        caps.give_back(tx, mailbox_of(contact), made_at)


def _render(
    tx: Tx, request: Request, contact: LockedContact, own: bytes, render: Render
) -> RenderedMail:
    items = queries.open_items(
        partial(form_version, tx.session), contact.organisation_id, [request], tx.now
    )
    form = items[0].form
    facts = MailFacts(
        organisation_id=contact.organisation_id,
        contact_id=contact.contact_id,
        address=contact.address,
        link_id=pack_link(form.organisation_number, own),
        form=form,
        items=tuple(items),
        at=tx.now,
    )
    return render(facts)


def _keep_mail(
    tx: Tx,
    request: Request,
    contact: LockedContact,
    own: bytes,
    mail: RenderedMail,
) -> None:
    keys = contacts.hold_suppression(tx, contact.organisation_id)
    tx.session.execute(
        insert(ConfirmationMail).values(
            organisation_id=contact.organisation_id,
            link_id=own,
            contact_id=contact.contact_id,
            address_hash=contacts.suppression_hash(keys, fold(contact.address)),
            sender_id=request.sender_id,
            language=request.language,
            message_id=mail.message_id,
            state="open",
            outcome=None,
            made_at=tx.now,
            sent_at=None,
            closes_at=tx.now + rules.NOT_ME_WORKS,
            fetches=0,
            first_fetch_at=None,
        )
    )


def _prepare(
    tx: Tx,
    request: Request,
    contact: LockedContact,
    own: bytes | None,
    kind: str,
    payload: dict[str, object],
) -> None:
    _own_entry(tx, request, contact, link_id=own)
    delay = None if kind == SEND else as_late_as_a_mail(tx.now)
    content = payload | {"contact": str(contact.contact_id)}
    outbox.enqueue(
        tx, contact.organisation_id, kind, content, keys=contact.chain.keys, run_at=delay
    )


def as_late_as_a_mail(now: datetime) -> datetime:
    """Returns when the outcome of a mail that is not sent may be told: no sooner than that of one that is."""
    return now + timedelta(seconds=_CHANCE.uniform(*_SETTLE_SECONDS))


def _own_entry(
    tx: Tx, request: Request, contact: LockedContact, *, link_id: bytes | None = None
) -> None:
    numbers = [*request.entry_numbers, contact.chain.entries]
    values: dict[str, object] = {"entry_numbers": numbers}
    if link_id is not None:
        values["link_id"] = link_id
    tx.session.execute(
        update(ConsentRequest)
        .where(
            ConsentRequest.organisation_id == contact.organisation_id,
            ConsentRequest.request_id == request.request_id,
        )
        .values(values)
    )


def _payload(request: Request, own: bytes | None) -> dict[str, object]:
    return {"request": str(request.request_id), "link": own.hex() if own else None}


def _shown(tx: Tx, contact: LockedContact, own: bytes) -> str:
    number = organisation(tx.session, contact.organisation_id).number
    return urlsafe_b64encode(pack_link(number, own)).decode()


def _draft(
    kind: str, values: Mapping[str, Value], contact: LockedContact, blobs: Sequence[bytes] = ()
) -> list[Draft]:
    return [Draft(kind, values, actor="worker", chain=contact.chain, blobs=tuple(blobs))]
