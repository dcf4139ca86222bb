"""Verbs about existing customers; each takes an open unit of work and a command."""

from __future__ import annotations

from consentledger.customers.lapsing import lapse_customers
from consentledger.customers.recording import record_customers

__all__ = ["lapse_customers", "record_customers"]
