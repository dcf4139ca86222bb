"""Which way a sender's mail leaves: its own SMTP peer or the installation's; connections are kept."""

from __future__ import annotations

from collections import OrderedDict
from urllib.parse import urlsplit
from uuid import UUID

from sqlalchemy.orm import Session

from consentledger.db.installation import Installation
from consentledger.kernel.settings import Settings
from consentledger.mail.message import WireMail
from consentledger.mail.peer import Patience
from consentledger.mail.result import Delivery
from consentledger.mail.transport import Transport, TransportSettings
from consentledger.organisations.queries import sender_transport
from consentledger.worker.peers import Peers, sick

MOST_OPEN = 8  # connections that one thread keeps; the one unused longest goes first


def patience(settings: Settings) -> Patience:
    """Returns the waits for MAIL_TIMEOUT: four times as long after DATA, six for a whole try."""
    answer = settings.mail.timeout
    return Patience(answer=answer, after_data=4 * answer, whole=6 * answer)


def default_transport(settings: Settings) -> TransportSettings:
    """Returns the installation's own way out (CONSENTLEDGER_MAIL_…)."""
    mail = settings.mail
    return TransportSettings(
        host=mail.server,
        port=mail.port,
        tls=mail.tls,
        username=mail.username,
        password=mail.password,
        helo=urlsplit(settings.base_url).hostname or "localhost",
        patience=patience(settings),
    )


class Mailer:
    """The ways out of one thread, kept open between messages."""

    def __init__(self, installation: Installation, peers: Peers) -> None:
        self._installation = installation
        self._peers = peers
        self._default = default_transport(installation.settings)
        self._open: OrderedDict[TransportSettings, Transport] = OrderedDict()

    def way_of(self, session: Session, organisation_id: UUID, sender_id: UUID) -> TransportSettings:
        """Returns the way out of one sender's mail: the same facts, the same connection."""
        own = sender_transport(session, self._installation.keystore, organisation_id, sender_id)
        if own is None:
            return self._default
        return TransportSettings(
            host=own.server,
            port=own.port,
            tls=own.tls,
            username=own.username,
            password=own.password,
            public_only=True,  # a marketer's choice must not reach into the operator's network
            helo=self._default.helo,
            patience=self._default.patience,
        )

    def send(self, way: TransportSettings, mail: WireMail) -> Delivery:
        """Hands over one message, never inside a transaction; RestingError when its peer rests."""
        self._peers.enter(way)
        delivery = None
        try:
            delivery = self._transport(way).send(mail)
        finally:
            self._peers.leave(way, ill=delivery is not None and sick(delivery))
        return delivery

    def _transport(self, way: TransportSettings) -> Transport:
        transport = self._open.pop(way, None) or Transport(way)
        self._open[way] = transport
        while len(self._open) > MOST_OPEN:
            self._open.popitem(last=False)[1].close()
        return transport

    def close(self) -> None:
        """Ends all connections."""
        while self._open:
            self._open.popitem()[1].close()
