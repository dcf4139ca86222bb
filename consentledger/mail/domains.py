"""Whether a domain takes mail at all, asked of the DNS before a mail is handed over.

Sources: RFC 5321 section 5.1 (MX, else the address itself), RFC 7505 (null MX), RFC 3463 (status codes). Only a
clear no refuses: trouble of the DNS, ours or theirs, loses nobody's mail.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

from dns.exception import DNSException, Timeout
from dns.name import Name, from_text, root
from dns.nameserver import Do53Nameserver, Nameserver
from dns.resolver import NXDOMAIN, Answer, CacheKey, LRUCache, NoResolverConfiguration, Resolver

from consentledger.mail.result import Delivery

MOST_DOMAINS = 20_000
# However long a zone allows: a domain that gets its mail server today gets its mail today.
LONGEST_YES = 3600.0
LONGEST_NO = 300.0
_NULL_MX = (556, "5.1.10 not sent: by our own look-up this domain takes no mail (RFC 7505)")
_NO_DOMAIN = (550, "5.1.2 not sent: by our own look-up this domain does not exist")
_NO_SERVER = (
    550,
    "5.1.2 not sent: by our own look-up this domain has no mail server and no address",
)


@dataclass(frozen=True, slots=True)
class Looked:
    """What a look-up says: `refused` when mail can't be delivered there, else None; `slow`: nobody answered in time."""

    refused: Delivery | None = None
    slow: bool = False


class _Cache(LRUCache):
    """Answers by their TTL, but none for ever."""

    def put(self, key: CacheKey, value: Answer) -> None:
        """Keeps an answer for an hour at most, a no for five minutes."""
        longest = LONGEST_NO if value.rrset is None else LONGEST_YES
        value.expiration = min(value.expiration, time.time() + longest)
        super().put(key, value)


class Domains:
    """Looks domains up, with a cache that all threads share; `look` takes `seconds` at most and never raises."""

    def __init__(self, servers: Sequence[tuple[str, int]], seconds: float) -> None:
        self._seconds = seconds
        self._resolver = _resolver(servers)
        if self._resolver is not None:
            self._resolver.cache = _Cache(MOST_DOMAINS)
            self._resolver.timeout = seconds / min(2, len(self._resolver.nameservers) or 1)

    def look(self, domain: str) -> Looked:
        """Says whether mail for a domain can't be delivered; anything but a clear no lets it go."""
        if self._resolver is None:
            return Looked()
        until = time.monotonic() + self._seconds
        try:
            found = self._look(from_text(domain), until)
            # A server that does not know the root is no way into the DNS: its no is not believed.
            if found is None or not self._has(root, "NS", until):
                return Looked()
        except Timeout:
            return Looked(slow=True)
        except (DNSException, OSError, ValueError):
            return Looked()
        return Looked(Delivery("refused", "lookup", *found))

    def _look(self, name: Name, until: float) -> tuple[int, str] | None:
        try:
            servers = self._ask(name, "MX", until).rrset
            if servers is not None:
                null = len(servers) == 1 and servers[0].exchange == root
                return _NULL_MX if null else None
            if self._has(name, "A", until) or self._has(name, "AAAA", until):
                return None
        except NXDOMAIN:
            return _NO_DOMAIN
        return _NO_SERVER

    def _has(self, name: Name, kind: str, until: float) -> bool:
        return self._ask(name, kind, until).rrset is not None

    def _ask(self, name: Name, kind: str, until: float) -> Answer:
        left = until - time.monotonic()
        if left <= 0:
            raise Timeout
        assert self._resolver is not None  # noqa: S101 - looked at by `look`
        return self._resolver.resolve(
            name, kind, raise_on_no_answer=False, search=False, lifetime=left
        )


def _resolver(servers: Sequence[tuple[str, int]]) -> Resolver | None:
    if not servers:
        try:
            return Resolver()
        except NoResolverConfiguration:
            return None
    resolver = Resolver(configure=False)
    own: list[str | Nameserver] = [Do53Nameserver(address, port) for address, port in servers]
    resolver.nameservers = own
    return resolver
