"""Verbs of consents: request, decide, handle, confirm, decline; each takes an open unit of work and a command."""

from __future__ import annotations

from consentledger.consents.confirming import confirm
from consentledger.consents.deciding import (
    SEND,
    SETTLE,
    as_late_as_a_mail,
    decide_confirmation,
    handle_confirmation,
    prepare_confirmation,
)
from consentledger.consents.declining import decline
from consentledger.consents.requesting import DECIDE, request
from consentledger.consents.weighing import weigh_confirmation

__all__ = [
    "DECIDE",
    "SEND",
    "SETTLE",
    "as_late_as_a_mail",
    "confirm",
    "decide_confirmation",
    "decline",
    "handle_confirmation",
    "prepare_confirmation",
    "request",
    "weigh_confirmation",
]
