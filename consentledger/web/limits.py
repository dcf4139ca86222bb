"""The limits that the web counts by; they live below it, in consentledger.limits."""

from __future__ import annotations

from consentledger.limits import rules
from consentledger.limits.rules import Rule, ip_of, network_of, waiting_seconds
from consentledger.limits.service import Counted, Limiter, Post

# What POST /stop counts; a page that everybody may post to, without a token.
STOP = {
    "ip": rules.IP,
    "network": rules.NETWORK,
    "address": rules.ADDRESS,
    "organisation": rules.STOP_ORGANISATION,
}
# What a post of a form counted before it counted itself (Limiter.count_post).
SIGN_UP = {**STOP, "network": rules.IP, "form": rules.FORM_TAKEN}

__all__ = [
    "SIGN_UP",
    "STOP",
    "Counted",
    "Limiter",
    "Post",
    "Rule",
    "ip_of",
    "network_of",
    "waiting_seconds",
]
