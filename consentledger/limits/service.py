"""How often one network, address, form or organisation may ask: counted in the database, keyed hashes only.

One multi-row upsert with sorted keys in its own short transaction: one round trip, and no deadlocks. A window
is a fixed slice of time, so a caller may get at most twice the number around its edge. What is over its limit is
counted too, so that trying on does not help.
"""

from __future__ import annotations

import hmac
import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import TextClause, bindparam, text

from consentledger.db.base import Instant
from consentledger.db.engine import Database
from consentledger.kernel.clock import now
from consentledger.kernel.errors import LimitError

HASH_BYTES = 16


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
    "organisation": Rule(30_000, 600),
}


def network_of(remote: str | None) -> str:
    """Returns the network that shares a count: an IPv4 address, an IPv6 /64, or `unknown`."""
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
        """Counts one request under every key; LimitError when any is over its rule, naming the longest wait.

        `keys` maps a rule's name to what is counted; `scope` keeps kinds of requests apart.
        """
        if not self._enabled or not keys:
            return
        at = now()
        rows = {
            self._hash(scope, name, value, rules[name]): rules[name] for name, value in keys.items()
        }
        counts = self._upsert(rows, at)
        over = [
            rule.seconds - int(at.timestamp()) % rule.seconds
            for key, rule in rows.items()
            if counts[key] > rule.count
        ]
        if over:
            raise LimitError("too many requests from here", retry_after=max(over))

    def _upsert(self, rows: Mapping[bytes, Rule], at: datetime) -> dict[bytes, int]:
        values: dict[str, object] = {}
        for n, (key, rule) in enumerate(sorted(rows.items(), key=lambda row: row[0])):
            window = int(at.timestamp()) // rule.seconds
            values[f"key{n}"], values[f"window{n}"] = key, window
            values[f"ends{n}"] = datetime.fromtimestamp((window + 1) * rule.seconds, UTC)
        with self._database.autocommit() as connection:
            counted = connection.execute(_STATEMENTS[len(rows)], values)
            return {bytes(key): count for key, count in counted}

    def _hash(self, scope: str, name: str, value: str, rule: Rule) -> bytes:
        message = "\n".join((scope, name, str(rule.seconds), value))
        encoded = message.encode("utf-8", "surrogatepass")
        return hmac.digest(self._key, encoded, "sha256")[:HASH_BYTES]


def _statement(rows: int) -> TextClause:
    lines = ", ".join(f"(:key{n}, :window{n}, 1, :ends{n})" for n in range(rows))
    return text(
        f'INSERT INTO rate_limit (key_hash, "window", count, ends_at) VALUES {lines}'  # noqa: S608
        ' ON CONFLICT (key_hash, "window") DO UPDATE SET count = rate_limit.count + 1'
        " RETURNING key_hash, count"
    ).bindparams(*(bindparam(f"ends{n}", type_=Instant()) for n in range(rows)))


# Written once for each number of keys: a statement built anew costs more than its round trip.
_STATEMENTS = {rows: _statement(rows) for rows in range(1, 9)}
