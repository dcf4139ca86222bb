"""Every kind of work the outbox may hold, and who does it; each is described in docs/mail.md."""

from __future__ import annotations

from types import MappingProxyType

from consentledger.worker.context import Handler
from consentledger.worker.jobs import confirmation, erasure, pausing, stop, webhooks

_ALL: tuple[Handler, ...] = (
    *confirmation.HANDLERS,
    *stop.HANDLERS,
    *erasure.HANDLERS,
    *webhooks.HANDLERS,
    *pausing.HANDLERS,
)

HANDLERS = MappingProxyType({handler.kind: handler for handler in _ALL})
