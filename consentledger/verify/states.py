"""A consent's states as the log alone gives them: the verifier's own reading, apart from the service's.

An act beats every older one. An objection without end withdraws what it covers; one with an end
pauses it. Only a newer confirmed act opens again what was closed (product.md, objection).
"""

from __future__ import annotations

from dataclasses import dataclass, field

from consentledger.law.grounds import Ground
from consentledger.verify.customers import Customers

Key = tuple[str, str, str]
"""(sender, purpose, channel)"""


@dataclass(slots=True)
class Act:
    """One thing that happened to a consent: index and time of its entry, the word, and who did it."""

    index: int
    at: str
    word: str
    by: str


@dataclass(slots=True)
class Consent:
    """One consent: its id once confirmed, when it was opened or closed last, and its history."""

    consent: str | None = None
    decided: str = "none"
    """none, confirmed or withdrawn: what decisions are made from."""
    opened: int = -1
    closed: int = -1
    told: str = "none"
    """Also requested, declined and expired: what a record claims."""
    history: list[Act] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Objection:
    """One stop, by the index of its entry; `until` is None when it is final."""

    index: int
    scope: str
    sender: str | None
    purpose: str | None
    channel: str
    until: str | None

    def covers(self, key: Key) -> bool:
        """Tells whether it covers a consent; one against the whole organisation covers every channel."""
        sender, purpose, channel = key
        if self.scope == "organisation":
            return True
        if self.channel != channel or self.sender not in (None, sender):
            return False
        return self.scope == "sender" or self.purpose in (None, purpose)

    def holds(self, at: str) -> bool:
        """Tells whether it is in force at an instant (texts of one form sort as times)."""
        return self.until is None or at < self.until


@dataclass(slots=True)
class Standing:
    """Where one contact stands after the entries told so far."""

    consents: dict[Key, Consent] = field(default_factory=dict)
    objections: list[Objection] = field(default_factory=list)
    customers: Customers = field(default_factory=Customers)

    def of(self, key: Key) -> Consent:
        """Returns a consent, a blank one when nothing was told of it."""
        return self.consents.setdefault(key, Consent())

    def confirm(self, key: Key, consent: str, act: Act) -> None:
        """A person confirmed: whatever closed this consent before is opened again."""
        found = self.of(key)
        found.consent, found.decided, found.told, found.opened = (
            consent,
            "confirmed",
            act.word,
            act.index,
        )
        found.history.append(act)
        self.customers.reopen(key[2], act.at)

    def close(self, key: Key, act: Act) -> None:
        """A person took this consent back."""
        found = self.of(key)
        found.decided = found.told = "withdrawn"
        found.closed = act.index
        found.history.append(act)

    def tell(self, key: Key, act: Act) -> None:
        """Something that decides nothing: a request, a refusal or an end of a request."""
        found = self.of(key)
        if found.decided != "confirmed":
            found.told = act.word
        found.history.append(act)

    def object(self, objection: Objection, act: Act) -> None:
        """A person said stop."""
        self.objections.append(objection)
        if objection.until is None:
            self.customers.close(objection.channel, act.at)
            for key, consent in self.consents.items():
                if consent.decided == "confirmed" and objection.covers(key):
                    self.close(key, act)

    def objected(self, key: Key, at: str) -> bool:
        """Tells whether an objection covers a consent at an instant, and no newer act opened it again."""
        found = self.consents.get(key)
        opened = found.opened if found and found.decided == "confirmed" else -1
        return any(o.index > opened and o.covers(key) and o.holds(at) for o in self.objections)

    def stopped_since(self, key: Key, index: int, at: str) -> bool:
        """Tells whether a stop behind an entry covers a consent: what was asked before it is void."""
        found = self.consents.get(key)
        if found and found.decided == "withdrawn" and found.closed > index:
            return True
        return any(o.index > index and o.covers(key) and o.holds(at) for o in self.objections)

    def state(self, key: Key, at: str) -> str:
        """Returns the word that a decision at an instant starts from: none, confirmed, paused, withdrawn."""
        found = self.consents.get(key)
        if found is None:
            return "none"
        if found.decided == "confirmed" and self.objected(key, at):
            return "paused"
        return found.decided

    def grounds(self, channel: str) -> tuple[Ground, ...]:
        """Returns the grounds of the existing-customer exception on a channel, by their entries.

        Their `n` counts the entries that the story tells, which are all of a whole story.
        """
        found = self.customers.records.values()
        return tuple(one for one in found if one.channel == channel)

    def closed(self, channel: str) -> bool:
        """Tells whether the person closed the exception on a channel, and no newer act opened it."""
        return channel in self.customers.shut

    def claim(self, key: Key) -> str:
        """Returns the word that a record must claim."""
        return self.of(key).told
