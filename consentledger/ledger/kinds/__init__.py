"""Every kind of entry, by (name, version)."""

from __future__ import annotations

from consentledger.ledger.kinds.consents import CONSENT_KINDS
from consentledger.ledger.kinds.customers import CUSTOMER_KINDS
from consentledger.ledger.kinds.erasure import ERASURE_KINDS
from consentledger.ledger.kinds.log import LOG_KINDS
from consentledger.ledger.kinds.model import Field, Kind
from consentledger.ledger.kinds.organisations import ORGANISATION_KINDS
from consentledger.ledger.kinds.permits import PERMIT_KINDS
from consentledger.ledger.kinds.stops import STOP_KINDS

__all__ = ["KINDS", "Field", "Kind", "kind"]

KINDS: dict[tuple[str, int], Kind] = {
    (kind.name, kind.version): kind
    for kind in (
        *ORGANISATION_KINDS,
        *CONSENT_KINDS,
        *CUSTOMER_KINDS,
        *STOP_KINDS,
        *PERMIT_KINDS,
        *ERASURE_KINDS,
        *LOG_KINDS,
    )
}
_NEWEST: dict[str, Kind] = {name: KINDS[name, version] for name, version in sorted(KINDS)}


def kind(name: str) -> Kind:
    """Returns the newest version of a kind; an unknown name raises KeyError (a slip of ours)."""
    return _NEWEST[name]
