"""Verbs of consents: request, decide, handle, confirm, decline; each takes an open unit of work and a command."""

from __future__ import annotations

from consentledger.consents.confirming import confirm
from consentledger.consents.deciding import SEND, SETTLE, decide_confirmation, handle_confirmation
from consentledger.consents.declining import decline
from consentledger.consents.requesting import DECIDE, request

__all__ = [
    "DECIDE",
    "SEND",
    "SETTLE",
    "confirm",
    "decide_confirmation",
    "decline",
    "handle_confirmation",
    "request",
]
