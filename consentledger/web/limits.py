"""How often one network, form or address may ask: counted in the database, keyed hashes only.

One multi-row upsert with sorted keys in its own short transaction: a round trip, and no deadlocks.
A window is a fixed slice of time, so a caller may get at most twice the number around its edge.
"""

from __future__ import annotations

import hmac
import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy.dialects import postgresql, sqlite

from consentledger.db.engine import Database
from consentledger.kernel.clock import now
from consentledger.kernel.errors import LimitError
from consentledger.limits.models import RateLimit


@dataclass(frozen=True, slots=True)
class Rule:
    """At most `count` in each window of `seconds`."""

    count: int
    seconds: int


# Sign-up and /stop share these: a stranger must not bomb a mailbox through either (law notes, 5.1).
SIGN_UP = {
    "network": Rule(30, 600),
    "address": Rule(6, 3600),
    "form": Rule(6000, 600),
}


def network_of(remote: str | None) -> str:
    """The network that shares a count: an IPv4 address, an IPv6 /64, or `unknown`."""
    try:
        parsed = ipaddress.ip_address(remote or "")
    except ValueError:
        return "unknown"
    if isinstance(parsed, ipaddress.IPv6Address):
        if parsed.ipv4_mapped is not None:
            return str(parsed.ipv4_mapped)
        return str(ipaddress.ip_network((int(parsed) >> 64 << 64, 64)))
    return str(parsed)


class Limiter:
    """Counts against rules; `key` hides who was counted from whoever reads the table."""

    def __init__(self, database: Database, key: bytes, *, enabled: bool = True) -> None:
        self._database = database
        self._key = hmac.digest(key, b"consentledger/rate-limit/v1", "sha256")
        self._enabled = enabled

    def count(self, scope: str, keys: Mapping[str, str], rules: Mapping[str, Rule]) -> None:
        """Count one request under every key; LimitError (429) when any of them is over its rule.

        `keys` maps a rule's name to what is counted; `scope` keeps kinds of requests apart.
        """
        if not self._enabled or not keys:
            return
        at = now()
        rows = {
            self._hash(scope, name, text): (rules[name], _window(at, rules[name]))
            for name, text in keys.items()
        }
        counts = self._upsert(rows)
        over = [
            _remaining(at, rule)
            for key, (rule, _) in rows.items()
            if counts.get(key, 0) > rule.count
        ]
        if over:
            raise LimitError("too many requests from here", retry_after=max(over))

    def _upsert(self, rows: Mapping[bytes, tuple[Rule, int]]) -> dict[bytes, int]:
        insert = sqlite.insert if self._database.name == "sqlite" else postgresql.insert
        statement = insert(RateLimit).values(
            [
                {
                    "key_hash": key,
                    "window": window,
                    "count": 1,
                    "ends_at": datetime.fromtimestamp((window + 1) * rule.seconds, UTC),
                }
                for key, (rule, window) in sorted(rows.items())
            ]
        )
        counted = statement.on_conflict_do_update(
            index_elements=["key_hash", "window"], set_={"count": RateLimit.count + 1}
        ).returning(RateLimit.key_hash, RateLimit.count)
        with self._database.autocommit() as connection:
            return {bytes(key): count for key, count in connection.execute(counted)}

    def _hash(self, scope: str, name: str, text: str) -> bytes:
        message = "\n".join((scope, name, text)).encode("utf-8", "surrogatepass")
        return hmac.digest(self._key, message, "sha256")[:16]


def _window(at: datetime, rule: Rule) -> int:
    return int(at.timestamp()) // rule.seconds


def _remaining(at: datetime, rule: Rule) -> int:
    return rule.seconds - int(at.timestamp()) % rule.seconds
