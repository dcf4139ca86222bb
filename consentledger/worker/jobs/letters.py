"""A finished mail on its way through the outbox: into a payload, out of it, and to its peer.

A payload holds the bytes with the link's MAC starred out; the MAC is computed again at delivery, so
that no live token rests in the database, its backups or its write-ahead log.
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from consentledger.db.installation import Installation
from consentledger.db.unit_of_work import Tx
from consentledger.kernel.errors import NotFoundError
from consentledger.kernel.tokens import Tokens
from consentledger.mail.confirmation import SenderIdentity, star, with_token
from consentledger.mail.message import WireMail
from consentledger.mail.result import Delivery
from consentledger.mail.transport import TransportSettings
from consentledger.organisations.facts import SenderIdentity as Published
from consentledger.outbox import service
from consentledger.outbox.service import Job
from consentledger.worker.context import Context


def opened(tx: Tx, job: Job) -> dict[str, Any] | None:
    """Returns what a job says; None when the contact was erased since, and then the job is done."""
    try:
        return service.open_job(tx, job)
    except NotFoundError:
        service.complete(tx, job)
        return None


def pack(mail: WireMail, *, sender_id: UUID, link_id: bytes, message_id: str) -> dict[str, Any]:
    """Returns a mail as a payload; `link_id` are the 12 bytes that its token is made of."""
    return {
        "sender": str(sender_id),
        "from": mail.envelope_from,
        "to": mail.recipient,
        "mail": b64encode(mail.data).decode(),
        "smtputf8": mail.smtputf8,
        "link_id": link_id.hex(),
        "message_id": message_id,
    }


def unpack(payload: Mapping[str, Any], tokens: Tokens, capability: str) -> WireMail:
    """Returns the mail with its live token; IntegrityError when it carries another link."""
    token = tokens.make(capability, bytes.fromhex(payload["link_id"]))
    data = with_token(b64decode(payload["mail"]), token)
    return WireMail(payload["from"], payload["to"], data, payload["smtputf8"])


def way_out(context: Context, tx: Tx, job: Job, payload: Mapping[str, Any]) -> TransportSettings:
    """Returns how the sender's mail leaves."""
    return context.mailer.way_of(tx.session, job.organisation_id, UUID(payload["sender"]))


def hand_over(
    context: Context, way: TransportSettings, payload: Mapping[str, Any], capability: str
) -> Delivery:
    """Sends a payload's mail with its live link; outside any transaction."""
    return context.mailer.send(way, unpack(payload, context.installation.tokens, capability))


def starred(tokens: Tokens, capability: str, link_id: bytes) -> str:
    """Returns a link's token with its MAC starred out."""
    return star(tokens.make(capability, link_id))


def identity(published: Published) -> SenderIdentity:
    """Returns a published sender as a mail shows it."""
    return SenderIdentity.of(published.as_json())


def base_url(installation: Installation, link_host: str | None) -> str:
    """Returns where links lead: the sender's own host, or the installation's."""
    return f"https://{link_host}" if link_host else installation.settings.base_url


def domain_of(address: str) -> str:
    """Returns the domain of a sender's address, for Message-IDs."""
    return address.rpartition("@")[2]
