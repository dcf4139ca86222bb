"""What shall become of a request: weighed under its contact's lock, and counted if it may have a mail (promise 8)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import func, select

from consentledger.consents import queries, rules
from consentledger.consents.commands import DecideConfirmation
from consentledger.consents.models import ConfirmationMail
from consentledger.consents.queries import Request
from consentledger.contacts import service as contacts
from consentledger.contacts.address import fold, fold_for_limits
from consentledger.contacts.service import LockedContact
from consentledger.contacts.suppression import refusals
from consentledger.db.unit_of_work import Tx
from consentledger.limits import caps


@dataclass(frozen=True, slots=True)
class Weighed:
    """A request under its contact's lock, and what shall become of it; `run_at` only with the decision `later`."""

    decision: str
    request: Request | None = None
    contact: LockedContact | None = None
    run_at: datetime | None = None


def weigh_confirmation(tx: Tx, command: DecideConfirmation) -> Weighed:
    """Says what shall become of a request; with `send` its mail is counted (limits.caps), all else is as it was."""
    found = queries.request_by_id(tx.session, command.organisation_id, command.request_id)
    locked = contacts.lock(tx, command.organisation_id, [found.contact_id] if found else [])
    contact = next(iter(locked.values()), None)
    request = queries.request_by_id(tx.session, command.organisation_id, command.request_id)
    if request is None or contact is None or len(request.entry_numbers) != 1:
        return Weighed("gone")
    decision = _decide(tx, request, contact)
    if decision == "send" and _mailed_before(tx, contact):
        decision = "capped"
    full = caps.claim(tx, mailbox_of(contact)) if decision == "send" else None
    if full is None:
        return Weighed(decision, request, contact)
    run_at = rules.later(full.free_at, request.expires_at)
    return Weighed("later" if run_at else "capped", request, contact, run_at)


def _mailed_before(tx: Tx, contact: LockedContact) -> bool:
    """Says whether this address had a mail within 24 hours whose contact has expired since, unconfirmed.

    A mail that waited for its turn may go out when its request has little time left.
    """
    keys = contacts.hold_suppression(tx, contact.organisation_id)
    query = select(ConfirmationMail.link_id).where(
        ConfirmationMail.organisation_id == contact.organisation_id,
        ConfirmationMail.address_hash == contacts.suppression_hash(keys, fold(contact.address)),
        ConfirmationMail.contact_id.is_(None),
        ConfirmationMail.state == "open",
        func.coalesce(ConfirmationMail.outcome, "") != "refused",
        ConfirmationMail.made_at > tx.now - rules.ONE_MAIL_IN,
    )
    return tx.session.execute(query.limit(1)).first() is not None


def latest_mail(tx: Tx, contact: LockedContact) -> tuple[bytes, datetime] | None:
    """Reads the newest mail to a contact that is still open: its link's 8 bytes, and when it was made."""
    # A mail that the peer refused for good reached nobody; every other one counts, sent or on its way.
    row = tx.session.execute(
        select(ConfirmationMail.link_id, ConfirmationMail.made_at)
        .where(
            ConfirmationMail.organisation_id == contact.organisation_id,
            ConfirmationMail.contact_id == contact.contact_id,
            ConfirmationMail.state == "open",
            func.coalesce(ConfirmationMail.outcome, "") != "refused",
        )
        .order_by(ConfirmationMail.made_at.desc())
        .limit(1)
    ).one_or_none()
    return (row.link_id, row.made_at) if row else None


def mailbox_of(contact: LockedContact) -> caps.Mailbox:
    """Returns what a mail to a contact counts against."""
    address = contact.address
    return caps.Mailbox(contact.organisation_id, fold_for_limits(address), fold(address))


def _decide(tx: Tx, request: Request, contact: LockedContact) -> str:
    folded = fold(contact.address)
    found = refusals(tx.connection, tx.log.keystore, contact.organisation_id, [folded])
    blocked = any(
        one.scope == rules.CONFIRMATION and one.in_force(tx.now) for one in found.get(folded, ())
    )
    pending = latest_mail(tx, contact)
    return rules.decide(
        now=tx.now,
        expires_at=request.expires_at,
        blocked=blocked,
        last_mail_at=pending[1] if pending else None,
        standing=contact.standing,
        sender=request.sender_id,
        purposes=[UUID(box["purpose"]) for box in request.purposes],
        channel=request.channel,
    )
