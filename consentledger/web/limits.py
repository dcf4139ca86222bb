"""The limits that the web counts by; they live below it, in consentledger.limits."""

from __future__ import annotations

from consentledger.limits import rules
from consentledger.limits.rules import ip_of, network_of
from consentledger.limits.service import Limiter, Post

# What POST /stop counts; a page that everybody may post to, without a token.
STOP = {
    "ip": rules.IP,
    "network": rules.NETWORK,
    "address": rules.ADDRESS,
    "organisation": rules.STOP_ORGANISATION,
}

__all__ = ["STOP", "Limiter", "Post", "ip_of", "network_of"]
