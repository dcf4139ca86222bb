"""A log of a million entries, as people make them: four entries per contact, permits and settings between them.

`build_log` is what other benches stand on. It goes through our own append: leaves built, openings sealed under each
contact's own key, subtrees, head and its MAC. What it leaves out are the blobs (mails and wordings as they were
shown) and the state's rows besides contacts, which `log rebuild-state` makes from the log.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterator, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import insert

from bench.engines import ENGINES
from bench.figures import Figure
from bench.world import World, on_each
from consentledger.contacts import standing
from consentledger.contacts.models import Contact
from consentledger.contacts.queries import address_context, lookup_hash
from consentledger.db.engine import Database
from consentledger.db.keystore.store import OrganisationKeys, PreparedKeys
from consentledger.db.log.entries import Chain, Draft
from consentledger.db.log.tree import TreeReader
from consentledger.db.models import LogHead
from consentledger.db.unit_of_work import Tx
from consentledger.kernel.clock import to_text
from consentledger.kernel.ids import uuid7

ENTRIES = 1_000_000
STORIES = 400  # contacts in a batch, four entries each
LIMIT_SECONDS = 300
_BLOB = ["sha256", hashlib.sha256(b"bench").hexdigest(), 640, "text/plain"]
AGENT = "Firefox 131"


def run(engines: Sequence[str] = ENGINES, entries: int = ENTRIES) -> list[Figure]:
    """Builds the log on each engine, and checks that it is whole and can be signed."""
    return on_each(engines, lambda made: grown(made, entries))


def grown(made: World, entries: int, first_person: int = 0) -> list[Figure]:
    """Lets the log grow to `entries`, checks and signs it; the limit is that of a million, for as many as came."""
    database, organisation_id = made.installation.database, made.made.organisation_id
    before = _size(database, organisation_id)
    started = time.perf_counter()
    came = build_log(database, organisation_id, entries, first_person=first_person) - before
    taken = time.perf_counter() - started
    check(database, organisation_id, entries)
    if made.installation.signer.sign(organisation_id) is None:
        raise SystemExit("the log was not signed")
    name = f"a log grown to {entries:,} entries"
    limit = LIMIT_SECONDS * came / ENTRIES
    return [
        Figure(made.engine, name, taken, "s", limit, ceiling=True),
        Figure(made.engine, f"{name}, rate", came / taken, "entries/s"),
    ]


def _size(database: Database, organisation_id: UUID) -> int:
    with database.read() as session:
        return session.get_one(LogHead, organisation_id).size


def check(database: Database, organisation_id: UUID, entries: int) -> None:
    """Holds size and root of the head against the stored tree."""
    with database.read() as session:
        head = session.get_one(LogHead, organisation_id)
        if head.size < entries or TreeReader(session, organisation_id).root(head.size) != head.root:
            raise SystemExit(f"the log has {head.size} entries, or another root")


def build_log(
    database: Database, organisation_id: UUID, entries: int, *, first_person: int = 0
) -> int:
    """Appends whole batches until the log has `entries` entries or a few more; returns its size.

    People are person0@people.example and so on, from `first_person`; the organisation must have its keys and log.
    """
    keystore = database.log.keystore
    with database.read() as session:
        keys = keystore.organisation(session, organisation_id)
        size = session.get_one(LogHead, organisation_id).size
    person = first_person
    sender, purpose, form = (str(uuid7()) for _ in range(3))
    while size < entries:
        prepared = [keystore.prepare_contact(organisation_id) for _ in range(STORIES)]
        with database.begin() as tx:
            keystore.store_many(tx, organisation_id, prepared)
            chains = make_people(tx, organisation_id, keys, prepared, person)
            at = to_text(tx.now)
            drafts = [draft for one in chains for draft in story(one, sender, purpose, form, at)]
            drafts += between(sender, purpose, at, person)
            size = tx.log.append(tx, organisation_id, drafts)[-1].index + 1
        person += STORIES
    return size


def make_people(
    tx: Tx,
    organisation_id: UUID,
    keys: OrganisationKeys,
    prepared: Sequence[PreparedKeys],
    person: int,
) -> list[Chain]:
    """Writes the rows of contacts who come for the first time; returns their empty chains."""
    chains = [
        Chain(uuid7(), one.keys, f"person{person + n}@people.example", 0, None)
        for n, one in enumerate(prepared)
    ]
    rows = [
        {
            "organisation_id": organisation_id, "contact_id": chain.contact_id,
            "lookup": lookup_hash(keys, str(chain.address)), "key_id": chain.keys.key_id,
            "sealed_address": chain.keys.sealer.seal(
                str(chain.address).encode(), address_context(organisation_id, chain.contact_id)
            ),
            "standing": standing.empty(), "entries": 0, "last_leaf_hash": None,
            "created_at": tx.now, "touched_at": tx.now,
        }
        for chain in chains
    ]  # fmt: skip
    tx.session.execute(insert(Contact), rows)
    return chains


def story(chain: Chain, sender: str, purpose: str, form: str, at: str) -> Iterator[Draft]:
    """One person's way: asked, mailed, told what became of it, confirmed; 25, 9, 12 and 22 committed fields."""
    request, consent, link = str(uuid7()), str(uuid7()), uuid7().hex[:16]
    shown: dict[str, Any] = {"wording": _BLOB, "notice": _BLOB, "form": form, "form_version": 1}
    asked: dict[str, Any] = {
        **shown, "request": request, "method": "form", "source": "hosted", "sender": sender,
        "purposes": [purpose], "channel": "email", "wordings": [purpose], "boxes_before": [],
        "boxes_after": [purpose], "controllers": ["Alpenkraut Versand GmbH"],
        "collected_by": "Alpenkraut Versand GmbH", "condition": None, "age_band": None,
        "page": "https://shop.example/offers", "origin": "https://shop.example",
        "ip": "203.0.113.0", "user_agent": AGENT, "language": "en", "expires_at": at,
    }  # fmt: skip
    pressed: dict[str, Any] = {
        **shown, "consent": consent, "request": request, "sender": sender, "purpose": purpose,
        "channel": "email", "wording_id": purpose, "language": "en", "method": "press",
        "ip": "203.0.113.77", "user_agent": AGENT, "delay": 60, "reopens": False,
    }  # fmt: skip
    told: dict[str, Any] = {
        "requests": [request], "outcome": "sent", "smtp_code": 250, "smtp_answer": "2.0.0 ok",
        "message_id": f"<{link}.confirm@shop.example>", "attempts": 1,
    }  # fmt: skip
    prepared: dict[str, Any] = {"requests": [request], "mail": _BLOB, "link": link}
    yield Draft("consent.requested", asked, actor="person", chain=chain)
    yield Draft("confirmation.prepared", prepared, actor="worker", chain=chain)
    yield Draft("confirmation.handled", told, actor="worker", chain=chain)
    yield Draft("consent.confirmed", pressed, actor="person", chain=chain)


def between(sender: str, purpose: str, at: str, n: int) -> Iterator[Draft]:
    """What stands between people's entries: a batch of permits, and a setting."""
    batch = {
        "batch": f"{n:012x}", "sender": sender, "purpose": purpose, "channel": "email",
        "class": "marketing", "campaign": "bench", "pack": "de", "pack_hash": "00" * 32,
        "valid_until": at,
    }  # fmt: skip
    root = hashlib.sha256(b"%d" % n).hexdigest()
    yield Draft("permits.issued", batch, actor="key:bench", plain={"count": "1000", "root": root})
    values = {"setting": "bench", "value": str(n)}
    yield Draft("configuration.changed", values, actor="operator")
