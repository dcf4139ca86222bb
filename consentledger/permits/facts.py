"""From addresses and standings to the facts that the law decides on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Any, NamedTuple
from uuid import UUID

import orjson

from consentledger.contacts import standing as standings
from consentledger.contacts.address import fold
from consentledger.kernel.clock import from_text
from consentledger.kernel.errors import InputError
from consentledger.law.grounds import Ground
from consentledger.law.model import Facts

Said = tuple[str | None, str | None, str | None]
"""(country, person, capacity) as the caller said them of a recipient."""
NOTHING_SAID: Said = (None, None, None)
Days = tuple[date | None, date | None]
"""When a contact was last written to: on any basis, and under the existing-customer exception."""
NEVER: Days = (None, None)
UNKNOWN = "unknown"


def folded_addresses(recipients: Sequence[str]) -> list[str | None]:
    """Returns each recipient's address as it is compared, None for what is no address."""
    found: list[str | None] = []
    for recipient in recipients:
        try:
            found.append(fold(recipient))
        except InputError:
            found.append(None)
    return found


class Read(NamedTuple):
    """What a standing says of one (sender, purpose, channel), in words; `grounds` of all channels, oldest first."""

    consent: str
    consented_on: str | None
    objection: str
    closed: bool
    tracking: str
    grounds: tuple[Ground, ...]


class StateReader:
    """Reads the states of one (sender, purpose, channel) out of stored standings, as they are at `now`.

    `tracking` is the purpose whose consent individual tracking needs, None where nothing tracks.
    """

    def __init__(
        self,
        sender_id: UUID,
        purpose_id: UUID,
        channel: str,
        now: datetime,
        tracking: UUID | None = None,
    ) -> None:
        self._sender, self._purpose = str(sender_id), str(purpose_id)
        self._channel, self._now = channel, now
        self._key = standings.key_of(self._sender, self._purpose, channel)
        self._tracking = str(tracking) if tracking else None
        self.pause_ends_at: datetime | None = None
        """The first end of a pause among all that was read: from then on the same standing says something else."""

    def read(self, stored: str) -> Read:
        """Returns what a contact's standing, given as its JSON text, says of this."""
        standing = orjson.loads(stored)
        consent = standing["consents"].get(self._key)
        if standing["objections"]:
            state, objection = self._objected(standing)
        else:  # nearly all: nothing can cover the consent
            state, objection = (consent["state"] if consent else "none"), "none"
        customers = standing.get("customers")
        return Read(
            state,
            consent["at"][:10] if state == "confirmed" else None,
            objection,
            self._channel in standing["closed"],
            self._tracked(standing) if self._tracking else "none",
            tuple([ground_of(one) for one in customers]) if customers else (),
        )

    def states(self, stored: str) -> tuple[str, str]:
        """Returns (state of consent, objection) of a contact's standing, given as its JSON text."""
        found = self.read(stored)
        return found.consent, found.objection

    def stopped_since(self, stored: str, number: int) -> bool:
        """Says whether a stop behind the contact's entry `number` ended what this depends on.

        For a contact that did say stop since, to this or to something else. The person may have come back: a
        consent that is younger than the entry stands for another one that was ended.
        """
        standing = orjson.loads(stored)
        consent = standing["consents"].get(self._key)
        if consent is not None and consent["n"] > number:
            return True
        asked = (standing, self._sender, self._purpose, self._channel)
        return standings.stopped_since(*asked, number, self._now)

    def _objected(self, standing: Mapping[str, Any]) -> tuple[str, str]:
        for item in standing["objections"]:
            if item["until"] is not None and (ends := from_text(item["until"])) > self._now:
                self.pause_ends_at = min(ends, self.pause_ends_at or ends)
        asked = (standing, self._sender, self._purpose, self._channel, self._now)
        objection = "active" if standings.objection(*asked) else "none"
        return standings.consent_state(*asked), objection

    def _tracked(self, standing: Mapping[str, Any]) -> str:
        asked = (standing, self._sender, self._tracking, self._channel, self._now)
        return standings.consent_state(*asked)


def ground_of(item: Mapping[str, Any]) -> Ground:
    """Returns a ground as a standing keeps it (contacts.grounds)."""
    return Ground(
        n=item["n"],
        channel=item["channel"],
        trigger=item["trigger"],
        on=item["on"],
        ended_on=item["ended_on"],
        categories=tuple(item["categories"]),
        flags=tuple(item["flags"]),
        country=item["country"],
        person=item["person"],
        capacity=item["capacity"],
    )


def facts_of(
    found: Read,
    said: Said,
    sent_on: date | None,
    listed: tuple[str, ...],
    also: Iterable[str] = (),
) -> Facts:
    """Returns the facts about a contact, but for the ground: which one decides is for the law to say.

    `also`: countries that were known of it before.
    """
    country, person, capacity = said
    grounds = found.grounds
    countries = {one for one in (country, *also, *(ground.country for ground in grounds)) if one}
    return Facts(
        countries=tuple(sorted(countries)),
        person=one_word(person, (one.person for one in grounds)),
        capacity=one_word(capacity, (one.capacity for one in grounds)),
        consent=found.consent,
        # Only double opt-in leads to a confirmed consent so far (consents.confirming).
        grade="double_opt_in" if found.consent == "confirmed" else "none",
        consented_on=found.consented_on,
        sent_on=str(sent_on) if sent_on else None,
        objection=found.objection,
        closed=found.closed,
        listed=listed,
        tracking=found.tracking,
    )


def one_word(said: str | None, recorded: Iterable[str | None]) -> str:
    """Returns the one word on which all agree who say any; those who contradict each other leave it unknown."""
    words = {said, *recorded} - {None, "", UNKNOWN}
    return str(words.pop()) if len(words) == 1 else UNKNOWN
