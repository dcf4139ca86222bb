"""Looking a recipient's domain up before a mail is handed over: outside any transaction, and never at mail's cost."""

from __future__ import annotations

from consentledger.kernel.settings import Settings
from consentledger.mail.domains import Domains
from consentledger.mail.result import Delivery
from consentledger.worker.context import Context
from consentledger.worker.peers import RestingError

# All look-ups are one peer's: slow domains, perhaps of an attacker's making, never hold all threads.
_DNS = "dns"
SECONDS = 3.0  # of one look-up


def domains_of(settings: Settings) -> Domains | None:
    """Returns what looks domains up; None when the installation does not (MX_CHECK)."""
    return Domains(settings.dns_servers, SECONDS) if settings.mx_check else None


def refusal(context: Context, address: str) -> Delivery | None:
    """Returns the refusal of a mail that can't be delivered, or None: it may go.

    While the DNS rests, because nobody answered in time, mail goes without a look-up.
    """
    if context.domains is None:
        return None
    try:
        # Others' look-ups are waited for, each of SECONDS at most: a full house is no reason to send unchecked.
        context.peers.enter(_DNS, patience=SECONDS)
    except RestingError:
        return None
    slow = True
    try:
        looked = context.domains.look(address.rpartition("@")[2])
        slow = looked.slow
    finally:
        context.peers.leave(_DNS, ill=slow)
    return looked.refused
