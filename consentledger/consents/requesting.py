"""The sign-up: the same statements for every address, whoever it belongs to (promises 1 and 4).

On PostgreSQL, counted with the limits' upsert, BEGIN and COMMIT, it takes eight round trips.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from consentledger.consents import rules
from consentledger.consents.commands import Accepted, RequestConsent
from consentledger.consents.flagging import flags_of
from consentledger.consents.models import ConsentRequest
from consentledger.contacts import address as addresses
from consentledger.contacts import service as contacts
from consentledger.contacts.rules import page_of, truncated, user_agent_family
from consentledger.contacts.service import LockedContact
from consentledger.contacts.together import InsertInto, write_together
from consentledger.db.log.entries import Draft
from consentledger.db.unit_of_work import Tx
from consentledger.kernel.clock import to_text
from consentledger.kernel.ids import uuid7
from consentledger.ledger.disclosure import Value
from consentledger.organisations.facts import FormPurpose
from consentledger.outbox import service as outbox
from consentledger.outbox.models import OutboxRow

DECIDE = "confirmation.decide"
_REQUEST = InsertInto(ConsentRequest.__table__, "request")
_WORK = InsertInto(OutboxRow.__table__, "work")


def request(tx: Tx, command: RequestConsent) -> Accepted:
    """Records an accepted post; the worker decides later what becomes of it.

    InputError names the address or the box that is amiss, or the kind of address that the organisation refuses,
    before anything is written.
    """
    form = command.form
    address = addresses.parse(command.address)
    boxes = rules.boxes_ticked(form, command.ticked)
    flags = flags_of(address, form.address_policy)
    contact = contacts.upsert(tx, form.organisation_id, address)
    request_id = uuid7()
    expires_at = tx.now + timedelta(days=form.request_days)
    row = _row(command, boxes, contact) | {
        "request_id": request_id,
        "requested_at": tx.now,
        "expires_at": expires_at,
        "flags": list(flags) or None,
    }
    work = outbox.outbox_row(
        tx, form.organisation_id, DECIDE, {"request": str(request_id)}, keys=contact.chain.keys
    )
    write_together(tx, _REQUEST.write(row), _WORK.write(work))
    values = _values(command, boxes) | {
        "request": str(request_id),
        "expires_at": to_text(expires_at),
    }
    draft = Draft("consent.requested", values, actor=command.actor, chain=contact.chain)
    [entry] = tx.log.append(tx, form.organisation_id, [draft])
    return Accepted(request_id, expires_at, entry.index, entry.leaf_hash)


def _row(
    command: RequestConsent, boxes: tuple[FormPurpose, ...], contact: LockedContact
) -> dict[str, Any]:
    form = command.form
    return {
        "organisation_id": form.organisation_id,
        "contact_id": contact.contact_id,
        "state": rules.OPEN,
        "sender_id": form.sender_id,
        "channel": form.channel,
        "language": form.language,
        "form_id": form.form_id,
        "form_version": form.version,
        "purposes": [
            {"purpose": str(box.purpose_id), "wording": str(box.wording_id), "state": rules.OPEN}
            for box in boxes
        ],
        "page": page_of(command.page),
        "link_id": None,
        "entry_numbers": [contact.chain.entries],
    }


def _values(command: RequestConsent, boxes: tuple[FormPurpose, ...]) -> dict[str, Value]:
    form = command.form
    keeps_ip = form.ip_policy != "none"
    return {
        "method": command.method,
        "source": command.source,
        "form": str(form.form_id),
        "form_version": form.version,
        "sender": str(form.sender_id),
        "purposes": [str(box.purpose_id) for box in boxes],
        "channel": form.channel,
        "wordings": [str(box.wording_id) for box in boxes],
        "wording": form.text,
        "notice": form.notice,
        "boxes_before": rules.box_states(form, ()),
        "boxes_after": rules.box_states(form, command.ticked),
        "controllers": form.controllers,
        "collected_by": command.collected_by or form.sender.legal_name,
        "condition": command.condition,
        "age_band": command.age_band,
        "page": page_of(command.page),
        "origin": command.origin,
        "ip": truncated(command.came.ip) if keeps_ip else None,
        "user_agent": user_agent_family(command.came.user_agent),
        "language": form.language,
    }
