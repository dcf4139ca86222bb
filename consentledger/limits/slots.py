"""Which counter is meant: names and values under a keyed hash, so that no address and no network is kept anywhere."""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from functools import lru_cache
from uuid import UUID

from consentledger.db.counters import Slot
from consentledger.limits import rules
from consentledger.limits.form_tokens import FRESH, FormToken
from consentledger.limits.rules import Rule

HASH_BYTES = 16
SIGN_UP = "sign-up"


@dataclass(frozen=True, slots=True)
class Post:
    """One post of a form: from where, for which mailbox (folded for limits), of which form, with which token."""

    remote: str | None
    address: str
    form_id: UUID
    organisation_id: UUID
    token: FormToken | None = None


class Slots:
    """Names counters under `key`; `at` is always the present, in seconds."""

    def __init__(self, key: bytes) -> None:
        self._key = hmac.digest(key, b"consentledger/rate-limit/v1", "sha256")
        # Every post and every page of a form asks for these two.
        self._posts_keys = lru_cache(4_096)(self._hash_posts)

    def one(self, scope: str, name: str, value: str, rule: Rule, at: float) -> Slot:
        """Returns the counter of a value under a rule in the present window; scopes and names are kept apart."""
        window = int(at) // rule.seconds
        key = self._hash(scope, name, value, rule.seconds)
        return Slot(key, window, (window + 1) * rule.seconds)

    def asker(self, remote: str | None, at: float, scope: str = SIGN_UP) -> dict[Slot, Rule]:
        """Returns the counters of who asks and of its network, with what each may."""
        ip, network = rules.place_of(remote)
        return {
            self.one(scope, "ip", ip, rules.IP, at): rules.IP,
            self.one(scope, "network", network, rules.NETWORK, at): rules.NETWORK,
        }

    def named(self, post: Post, key_id: UUID, at: float) -> dict[Slot, Rule]:
        """Returns the counters of whom a marketer's server names, else of its key.

        They are the organisation's own: nobody can name strangers and so shut them out of others' forms.
        """
        if post.remote is None:
            return {self.one(SIGN_UP, "api-key", str(key_id), rules.API_KEY, at): rules.API_KEY}
        return self.asker(post.remote, at, f"api {post.organisation_id}")

    def mailbox(self, post: Post, at: float) -> dict[Slot, Rule]:
        """Returns the counter of the address that gets the mail."""
        return {self.one(SIGN_UP, "address", post.address, rules.ADDRESS, at): rules.ADDRESS}

    def posts(self, form_id: UUID, organisation_id: UUID, at: float) -> tuple[Slot, Slot]:
        """Returns the counters of posts to a form and to all forms of its organisation: they make the pressure."""
        window = int(at) // rules.WINDOW
        ends = (window + 1) * rules.WINDOW
        form, organisation = self._posts_keys(form_id, organisation_id)
        return Slot(form, window, ends), Slot(organisation, window, ends)

    def taken(self, post: Post, at: float) -> dict[Slot, Rule]:
        """Returns the counters of posts that a form and its organisation took while they were paid for."""
        form, organisation = rules.FORM_TAKEN, rules.ORGANISATION_TAKEN
        owner = str(post.organisation_id)
        return {
            self.one(SIGN_UP, "form-taken", str(post.form_id), form, at): form,
            self.one(SIGN_UP, "organisation-taken", owner, organisation, at): organisation,
        }

    def waiting(self, post: Post, at: float) -> dict[Slot, Rule]:
        """Returns the counters of who comes by waiting, and of its network."""
        ip, network = rules.place_of(post.remote)
        mine, near = rules.WAITING_IP, rules.WAITING_NETWORK
        return {
            self.one(SIGN_UP, "waiting-network", network, near, at): near,
            self.one(SIGN_UP, "waiting-ip", ip, mine, at): mine,
        }

    def turns(self, post: Post, at: float) -> dict[Slot, Rule]:
        """Returns the counter of a form's turns for those whose networks have had one already."""
        rule = rules.WAITING_FORM
        return {self.one(SIGN_UP, "waiting-form", str(post.form_id), rule, at): rule}

    def token(self, name: str, token: FormToken) -> Slot:
        """Returns a token's own counter: its window is its own life, for around an edge it would count twice."""
        issued = int(token.issued_at.timestamp())
        value = f"{token.form_id.hex}{issued}{token.nonce.hex()}"
        key = self._hash(SIGN_UP, name, value, 0)
        return Slot(key, 0, issued + int(FRESH.total_seconds()))

    def _hash_posts(self, form_id: UUID, organisation_id: UUID) -> tuple[bytes, bytes]:
        return (
            self._hash(SIGN_UP, "form", str(form_id), rules.WINDOW),
            self._hash(SIGN_UP, "organisation", str(organisation_id), rules.WINDOW),
        )

    def _hash(self, scope: str, name: str, value: str, seconds: int) -> bytes:
        # The value comes last: whatever it holds, it cannot be read as another name's.
        encoded = f"{scope}\n{name}\n{seconds}\n{value}".encode("utf-8", "surrogatepass")
        return hmac.digest(self._key, encoded, "sha256")[:HASH_BYTES]
