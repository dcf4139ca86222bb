"""Every way to say stop. Each locks the contact, appends one entry, and moves rows and standing with it."""

from __future__ import annotations

from base64 import urlsafe_b64encode
from collections.abc import Sequence
from uuid import UUID

from consentledger.consents.commands import Receipt, receipt_disclosures
from consentledger.consents.queries import receipts_of
from consentledger.consents.rows import consent_writes
from consentledger.contacts import address as addresses
from consentledger.contacts import service as contacts
from consentledger.contacts.service import LockedContact
from consentledger.contacts.together import write_together
from consentledger.db.log.append import Appended
from consentledger.db.log.entries import Draft
from consentledger.db.unit_of_work import Tx
from consentledger.kernel.clock import to_text
from consentledger.kernel.errors import InputError
from consentledger.ledger.disclosure import Value
from consentledger.organisations.queries import organisation
from consentledger.organisations.queries import purpose as purpose_facts
from consentledger.organisations.queries import sender as sender_facts
from consentledger.stops import queries, rules
from consentledger.stops.asking import DECIDE, SEND, decide_stop, stop_by_address
from consentledger.stops.commands import Scope, StopLink, Stopped, Unsubscribe, Withdraw
from consentledger.stops.links import lock_target
from consentledger.stops.queries import Target

__all__ = [
    "DECIDE",
    "SEND",
    "decide_stop",
    "stop_by_address",
    "stop_link",
    "unsubscribe",
    "withdraw",
]


def unsubscribe(tx: Tx, command: Unsubscribe) -> Stopped:
    """Withdraws what a permit's link is about, or records an objection when no such consent is alive.

    If the message came on the existing-customer exception, a second entry objects to all such marketing here.
    A repeat gives the first receipt and appends nothing, unless a later confirmed act opened it again. After
    an erasure the first press appends an entry without contact. NotFoundError for an unknown organisation.
    """
    target, contact = lock_target(tx, command.link_id)
    permit = urlsafe_b64encode(command.link_id).decode()
    consent = None
    again = False
    if contact and command.scope == "purpose" and target.sender_id and target.purpose_id:
        consent = rules.alive(contact.standing, target.sender_id, target.purpose_id, target.channel)
        again = consent is not None
    elif contact:
        again = rules.alive_under(contact.standing, None)
    drafts = [_draft(target, command, contact, consent, permit)]
    if contact and target.as_customer:
        again = again or rules.carries(contact.standing, target.channel)
        drafts.append(_customer_objection(target, command, contact, permit))
    entry, repeated = _act(
        tx,
        target.organisation_id,
        contact,
        drafts,
        ("unsubscribe", command.link_id[4:], command.scope),
        again=again,
    )
    return Stopped(
        organisation_id=target.organisation_id,
        organisation_number=target.organisation_number,
        sender_id=target.sender_id,
        purpose_id=target.purpose_id,
        channel=target.channel,
        scope=command.scope,
        receipt=entry,
        repeated=repeated,
        as_customer=target.as_customer,
    )


def stop_link(tx: Tx, command: StopLink) -> Stopped:
    """Makes a stop by address final; repeats give the first receipt, unless something was opened again."""
    asked = queries.asked(tx.session, command.link_id)
    contact = _lock(tx, asked.organisation_id, asked.contact_id)
    scope: Scope = "sender" if asked.sender_id else "organisation"
    values = rules.objection(scope, asked.sender_id, None, "email", method="stop_link")
    entry, repeated = _act(
        tx,
        asked.organisation_id,
        contact,
        [_objection(values, command.actor, contact)],
        ("stop", command.link_id[4:], scope),
        again=contact is not None
        and (
            rules.alive_under(contact.standing, asked.sender_id)
            or rules.carries(contact.standing, "email")
        ),
    )
    return Stopped(
        organisation_id=asked.organisation_id,
        organisation_number=asked.organisation_number,
        sender_id=asked.sender_id,
        purpose_id=None,
        channel="email",
        scope=scope,
        receipt=entry,
        repeated=repeated,
    )


def withdraw(tx: Tx, command: Withdraw) -> Stopped:
    """Records a withdrawal on a person's behalf (API); for an unknown address too, so that no import undoes it.

    InputError names a bad address, NotFoundError a sender or purpose that is not the organisation's.
    """
    address = addresses.parse(command.address, "address")
    number = _check_names(tx, command)
    contact = contacts.upsert(tx, command.organisation_id, address)
    sender, purpose, channel = command.sender_id, command.purpose_id, command.channel
    consent = None
    if sender and purpose:
        consent = rules.alive(contact.standing, sender, purpose, channel)
    if consent and sender and purpose:
        values = rules.withdrawal(consent, sender, purpose, channel, method="api", permit=None)
        draft = Draft("consent.withdrawn", values, actor=command.actor, chain=contact.chain)
    else:
        values = rules.objection(_scope(command), sender, purpose, channel, method="api")
        draft = _objection(values, command.actor, contact)
    save_stop(tx, contact, draft)
    [entry] = tx.log.append(tx, command.organisation_id, [draft])
    return Stopped(
        organisation_id=command.organisation_id,
        organisation_number=number,
        sender_id=sender,
        purpose_id=purpose,
        channel=channel,
        scope=_scope(command),
        receipt=_receipt(_scope(command), entry, tx),
    )


def _check_names(tx: Tx, command: Withdraw) -> int:
    """Returns the organisation's number; sender and purpose must be its own, a purpose needs its sender."""
    org = command.organisation_id
    if command.purpose_id is not None:
        if command.sender_id is None:
            raise InputError(
                "sender: a purpose is withdrawn from a sender", field="sender", reason="missing"
            )
        purpose_facts(tx.session, org, command.purpose_id)
    if command.sender_id is not None:
        sender_facts(tx.session, org, command.sender_id)
    return organisation(tx.session, org).number


def _scope(command: Withdraw) -> Scope:
    if command.sender_id is None:
        return "organisation"
    return "purpose" if command.purpose_id else "sender"


def _lock(tx: Tx, organisation_id: UUID, contact_id: UUID | None) -> LockedContact | None:
    return contacts.lock(tx, organisation_id, [contact_id]).get(contact_id) if contact_id else None


def _draft(
    target: Target,
    command: Unsubscribe,
    contact: LockedContact | None,
    consent: str | None,
    permit: str,
) -> Draft:
    if consent and contact and target.sender_id and target.purpose_id:
        values = rules.withdrawal(
            consent,
            target.sender_id,
            target.purpose_id,
            target.channel,
            method=command.method,
            permit=permit,
        )
        return Draft("consent.withdrawn", values, actor=command.actor, chain=contact.chain)
    values = rules.objection(
        command.scope,
        target.sender_id,
        target.purpose_id,
        target.channel,
        method=command.method,
        permit=permit,
    )
    return _objection(values, command.actor, contact)


def _objection(values: dict[str, Value], actor: str, contact: LockedContact | None) -> Draft:
    chain = contact.chain if contact else None
    return Draft("objection.recorded", values, actor=actor, chain=chain)


def _customer_objection(
    target: Target, command: Unsubscribe, contact: LockedContact, permit: str
) -> Draft:
    values = rules.customer_objection(target.channel, method=command.method, permit=permit)
    return Draft("customer.objected", values, actor=command.actor, chain=contact.chain)


def _act(
    tx: Tx,
    organisation_id: UUID,
    contact: LockedContact | None,
    drafts: Sequence[Draft],
    link: tuple[str, bytes, Scope],
    *,
    again: bool,
) -> tuple[Receipt, bool]:
    """Appends the act of a link unless it was done before; returns its receipt, and whether it was.

    The first draft is the act itself, whose receipt the person gets.
    """
    # What is alive is stopped, whatever this link did before: only else its first act must be looked up.
    first = None if again else _first_receipt(tx, organisation_id, link)
    if first is not None:
        return first, True
    if contact is not None:
        save_stop(tx, contact, *drafts)
        entry = tx.log.append(tx, organisation_id, drafts)[0]
    else:
        sealed = tx.log.seal(tx, organisation_id, drafts)
        head = tx.log.lock_head(tx, organisation_id)
        # No contact's row orders two presses at once, the head's does: look again under it.
        first = _first_receipt(tx, organisation_id, link)
        if first is not None:
            return first, True
        entry = tx.log.append_sealed(tx, organisation_id, sealed, head)[0]
    capability, own, scope = link
    contacts.use_link(tx, organisation_id, capability, own, {scope: entry})
    return _receipt(scope, entry, tx), False


def _first_receipt(tx: Tx, organisation_id: UUID, link: tuple[str, bytes, Scope]) -> Receipt | None:
    capability, own, scope = link
    found = receipts_of(tx.connection, organisation_id, capability, own)
    return next((one for one in found if one.scope == scope), None)


def save_stop(tx: Tx, contact: LockedContact, *drafts: Draft) -> None:
    """Moves standing and consents' rows on by a stop; before its append."""
    number, *_ = contacts.record(contact, drafts, to_text(tx.now))
    consents = consent_writes(tx.database.name, contact, number, drafts)
    write_together(tx, contacts.standing_write(tx, contact), *consents)


def _receipt(scope: str, entry: Appended, tx: Tx) -> Receipt:
    shown = receipt_disclosures(entry.disclosures, rules.SHOWN)
    return Receipt(scope, entry.index, entry.leaf_hash, tx.now, entry.leaf, shown)
