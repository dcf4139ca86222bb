"""The limits that the web counts by; they live below it, in consentledger.limits."""

from __future__ import annotations

from consentledger.limits.service import SIGN_UP, Limiter, Rule, network_of

__all__ = ["SIGN_UP", "Limiter", "Rule", "network_of"]
