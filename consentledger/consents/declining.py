"""`This was not me`: declines, blocks by keyed hash for 12 months, takes back what the link confirmed."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import select

from consentledger.consents import queries, rules
from consentledger.consents.commands import Declined, NotMe, Receipt, receipt_disclosures
from consentledger.consents.confirming import CAPABILITY
from consentledger.consents.links import lock_link, state_under_lock
from consentledger.consents.models import ConfirmationMail, Consent
from consentledger.consents.queries import Mail
from consentledger.consents.rows import consent_writes, mail_write, request_write
from consentledger.contacts import queries as contact_queries
from consentledger.contacts import service as contacts
from consentledger.contacts.service import LockedContact
from consentledger.contacts.together import Write, write_together
from consentledger.db.log.append import Appended
from consentledger.db.log.entries import Draft
from consentledger.db.unit_of_work import Tx
from consentledger.kernel.clock import to_text
from consentledger.kernel.errors import NotFoundError
from consentledger.ledger.disclosure import Value

NOT_ME = "not_me"
# A forwarded mail must tell nothing: the receipt opens when and why, not whose or what.
SHOWN = frozenset(("at", "reason"))


def decline(tx: Tx, command: NotMe) -> Declined:
    """Records `not me`; the same answer when repeated, and for 90 days even after the request expired.

    Every open request of the link is declined, every consent that the link confirmed is withdrawn, further
    confirmation mails are blocked for 12 months. NotFoundError when the 90 days are over.
    """
    mail, contact = lock_link(tx, command.link_id)
    if tx.now >= mail.closes_at:
        raise NotFoundError("this link is not known any more")
    mail = state_under_lock(tx, mail, command.link_id)
    if mail.state == "declined":
        return _repeated(tx, mail)
    if contact is None:
        return _without_contact(tx, mail, command)
    drafts = _drafts(tx, mail, contact, command.actor)
    _block(tx, mail)
    numbers = contacts.record(contact, drafts, to_text(tx.now))
    write_together(
        tx,
        contacts.standing_write(tx, contact),
        *consent_writes(tx.database.name, contact, numbers[0], drafts),
        *_request_writes(tx, mail, drafts, numbers),
        mail_write(mail.organisation_id, mail.link_id, "declined"),
    )
    return _append(tx, mail, drafts)


def _drafts(tx: Tx, mail: Mail, contact: LockedContact, actor: str) -> list[Draft]:
    org = mail.organisation_id
    drafts = [
        Draft(
            "consent.declined",
            _declined(str(request.request_id), str(request.sender_id), request.channel),
            actor=actor,
            chain=contact.chain,
        )
        for request in queries.requests_of_link(tx.connection, org, mail.link_id)
        if request.state in (rules.OPEN, "confirmed", "declined")
    ]
    alive = tx.session.execute(
        select(Consent.consent_id, Consent.sender_id, Consent.purpose_id, Consent.channel)
        .where(
            Consent.organisation_id == org,
            Consent.contact_id == contact.contact_id,
            Consent.link_id == mail.link_id,
            Consent.state == "confirmed",
        )
        .order_by(Consent.consent_id)
    )
    for consent_id, sender_id, purpose_id, channel in alive:
        values: dict[str, Value] = {
            "consent": str(consent_id),
            "sender": str(sender_id),
            "purpose": str(purpose_id),
            "channel": channel,
            "method": NOT_ME,
            "permit": None,
        }
        drafts.append(Draft("consent.withdrawn", values, actor=actor, chain=contact.chain))
    if not drafts:  # every request of the link expired, the contact lives on for another reason
        values = _declined("", str(mail.sender_id), "email")
        drafts.append(Draft("consent.declined", values, actor=actor, chain=contact.chain))
    return drafts


def _declined(request: str, sender: str, channel: str) -> dict[str, Value]:
    return {
        "request": request,
        "purpose": None,
        "sender": sender,
        "channel": channel,
        "reason": NOT_ME,
    }


def _request_writes(tx: Tx, mail: Mail, drafts: list[Draft], numbers: list[int]) -> list[Write]:
    made = {
        UUID(str(draft.values["request"])): number
        for draft, number in zip(drafts, numbers, strict=True)
        if draft.kind == "consent.declined" and draft.values["request"]
    }
    requests = queries.requests_of_link(tx.connection, mail.organisation_id, mail.link_id)
    declined = [request for request in requests if request.request_id in made]
    return [
        request_write(
            n,
            mail.organisation_id,
            request.request_id,
            {
                "state": "declined",
                "purposes": [{**box, "state": "declined"} for box in request.purposes],
                "entry_numbers": [*request.entry_numbers, made[request.request_id]],
            },
        )
        for n, request in enumerate(sorted(declined, key=lambda request: request.request_id))
    ]


def _without_contact(tx: Tx, mail: Mail, command: NotMe) -> Declined:
    """After expiry only the keyed hash is left: an entry without contact, at the first press only."""
    _block(tx, mail)
    write_together(tx, mail_write(mail.organisation_id, mail.link_id, "declined"))
    values = _declined("", str(mail.sender_id), "email")
    drafts = [Draft("consent.declined", values, actor=command.actor)]
    sealed = tx.log.seal(tx, mail.organisation_id, drafts)
    head = tx.log.lock_head(tx, mail.organisation_id)
    # No contact's row orders two presses at once, the head's does: look again under it.
    uses = contact_queries.link_uses(tx.session, mail.organisation_id, CAPABILITY, mail.link_id)
    if any(scope.startswith(NOT_ME) for scope in uses):
        return _repeated(tx, mail)
    return _keep(tx, mail, tx.log.append_sealed(tx, mail.organisation_id, sealed, head))


def _append(tx: Tx, mail: Mail, drafts: list[Draft]) -> Declined:
    return _keep(tx, mail, tx.log.append(tx, mail.organisation_id, drafts))


def _keep(tx: Tx, mail: Mail, appended: list[Appended]) -> Declined:
    scopes = [f"{NOT_ME}.{n}" for n in range(len(appended))]
    uses = dict(zip(scopes, appended, strict=True))
    contacts.use_link(tx, mail.organisation_id, CAPABILITY, mail.link_id, uses)
    receipts = tuple(
        Receipt(
            scope,
            entry.index,
            entry.leaf_hash,
            tx.now,
            entry.leaf,
            receipt_disclosures(entry.disclosures, SHOWN),
        )
        for scope, entry in uses.items()
    )
    return _result(mail, receipts)


def _repeated(tx: Tx, mail: Mail) -> Declined:
    found = queries.receipts_of(tx.connection, mail.organisation_id, CAPABILITY, mail.link_id)
    receipts = tuple(one for one in found if one.scope.startswith(NOT_ME))
    return _result(mail, receipts, repeated=True)


def _result(mail: Mail, receipts: tuple[Receipt, ...], *, repeated: bool = False) -> Declined:
    return Declined(mail.organisation_id, mail.sender_id, mail.language, receipts, repeated)


def _block(tx: Tx, mail: Mail) -> None:
    contacts.hold_suppression(tx, mail.organisation_id)
    # Read again: a rotation may have wrapped it since the link was looked up.
    address_hash = tx.connection.execute(
        select(ConfirmationMail.address_hash).where(
            ConfirmationMail.organisation_id == mail.organisation_id,
            ConfirmationMail.link_id == mail.link_id,
        )
    ).scalar_one_or_none()
    if address_hash is None:
        raise NotFoundError("this link is not known any more")
    contacts.suppress(
        tx,
        mail.organisation_id,
        address_hash,
        scope=rules.CONFIRMATION,
        reason=NOT_ME,
        until_at=tx.now + rules.NOT_ME_BLOCKS,
    )
