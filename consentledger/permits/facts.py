"""From addresses and standings to the words that the law decides on."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import orjson

from consentledger.contacts import standing as standings
from consentledger.contacts.address import fold
from consentledger.contacts.queries import lookup_hash
from consentledger.db.keystore.store import OrganisationKeys
from consentledger.kernel.errors import InputError


def folded_addresses(recipients: Sequence[str]) -> list[str | None]:
    """Returns each recipient's address as it is compared, None for what is no address."""
    found: list[str | None] = []
    for recipient in recipients:
        try:
            found.append(fold(recipient))
        except InputError:
            found.append(None)
    return found


def lookup_hashes(keys: OrganisationKeys, folded: Sequence[str | None]) -> list[bytes | None]:
    """Returns each folded address's look-up hash; addresses are not kept."""
    return [None if one is None else lookup_hash(keys, one) for one in folded]


class StateReader:
    """Reads the states of one (sender, purpose, channel) out of stored standings, as they are at `now`."""

    def __init__(self, sender_id: UUID, purpose_id: UUID, channel: str, now: datetime) -> None:
        self._sender, self._purpose = str(sender_id), str(purpose_id)
        self._channel, self._now = channel, now
        self._key = standings.key_of(self._sender, self._purpose, channel)

    def states(self, stored: str) -> tuple[str, str]:
        """Returns (state of consent, objection) of a contact's standing, given as its JSON text."""
        standing = orjson.loads(stored)
        if not standing["objections"]:  # nearly all: nothing can cover the consent
            consent = standing["consents"].get(self._key)
            return (consent["state"] if consent else "none"), "none"
        asked = (standing, self._sender, self._purpose, self._channel, self._now)
        objection = "active" if standings.objection(*asked) else "none"
        return standings.consent_state(*asked), objection

    def stopped_since(self, stored: str, number: int) -> bool:
        """Says whether a stop behind the contact's entry `number` ended what this depends on.

        For a contact that did say stop since, to this or to something else. The person may have come back: a
        consent that is younger than the entry stands for another one that was ended.
        """
        standing = orjson.loads(stored)
        consent = standing["consents"].get(self._key)
        if consent is None or consent["n"] > number:
            return True
        asked = (standing, self._sender, self._purpose, self._channel)
        return standings.stopped_since(*asked, number, self._now)
