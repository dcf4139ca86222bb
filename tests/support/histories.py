"""A rich history of one organisation: every act that an address can have behind it, in a fixed order."""

from __future__ import annotations

import json
from typing import Any

from consentledger.consents import service
from consentledger.consents.commands import (
    Accepted,
    Decision,
    HandleConfirmation,
    MailFacts,
    RenderedMail,
)
from consentledger.db.installation import Installation
from consentledger.erasure import service as erasure
from consentledger.kernel.tokens import pack_link
from consentledger.outbox.models import OutboxRow
from consentledger.permits import service as permits
from consentledger.permits.links import PermitId
from consentledger.permits.rules import IssuePermits
from consentledger.stops import service as stops
from consentledger.stops.commands import Withdraw
from tests.support.consents import People, people
from tests.support.customers import lapse, record, sale

HOUR = 3600


class Mailing(People):
    """People whose mails carry a Message-ID, as real ones do."""

    __slots__ = ()

    def render(self, facts: MailFacts) -> RenderedMail:
        """Remembers what it was given, and makes the bytes of a small mail."""
        self.mails.append(facts)
        message_id = f"<{facts.link_id.hex()}@example.com>"
        copy = f"Subject: yes?\r\nMessage-ID: {message_id}\r\n\r\npress here\r\n"
        return RenderedMail(copy.encode(), message_id, {"n": 1})

    def handle(self, accepted: Accepted, decision: Decision, outcome: Any = None) -> None:
        """Tells the outcome of a decision, with the mail's own Message-ID."""
        assert decision.contact_id is not None
        told: Any = outcome or ("sent" if decision.decision == "send" else decision.decision)
        sent = decision.decision == "send" and decision.link_id is not None
        link = pack_link(self.made.organisation.number, decision.link_id or b"")
        with self.database.begin() as tx:
            command = HandleConfirmation(
                self.org,
                decision.contact_id,
                accepted.request_id,
                told,
                decision.link_id,
                message_id=f"<{link.hex()}@example.com>" if sent else None,
                attempts=1,
            )
            service.handle_confirmation(tx, command)


def rich_history(installation: Installation, clock: Any) -> People:
    """Makes people who ask, confirm, drop, deny, stop, come back and are forgotten; `clock` is time_machine's."""
    made = people(installation, "weekly offers", "herb tips")
    shop = Mailing(made.database, made.made)
    one, two = shop.made.purpose_ids
    _confirmers(shop, clock)
    _stoppers(shop, clock)
    _customers(shop, clock)
    joined = _link(shop, "joined@example.com", one)
    shop.ask("joined@example.com", two)
    clock.shift(5)
    items = tuple(item.item_id for item in shop.page(joined).items)
    shop.press(joined, shown=items, keep=items)
    _link(shop, "forgotten@example.com", one)
    shop.subscribe("half@example.com", one)
    clock.shift(25 * HOUR)
    shop.ask("half@example.com", two)
    accepted = shop.sign_up("refused@example.com", one)
    shop.handle(accepted, shop.decide(accepted), "refused")
    clock.shift(8 * 24 * HOUR)
    forget(shop)
    shop.subscribe("back@example.com", one)
    shop.sign_up("undecided@example.com", one)
    unhandled = shop.sign_up("unhandled@example.com", two)
    shop.decide(unhandled)
    return shop


def _confirmers(shop: People, clock: Any) -> None:
    one, two = shop.made.purpose_ids
    shop.subscribe("all@example.com", one, two)
    clock.shift(1)
    link = _link(shop, "first@example.com", one, two)
    items = tuple(item.item_id for item in shop.page(link).items)
    shop.press(link, shown=items, keep=items[:1])
    shop.press(_link(shop, "none@example.com", one), keep=())
    shop.not_me(_link(shop, "denied@example.com", one, two))
    clock.shift(1)
    shop.ask("denied@example.com", one)
    regretted = shop.subscribe("regret@example.com", one, two)
    clock.shift(60)
    shop.not_me(regretted)
    again = shop.subscribe("again@example.com", one)
    clock.shift(25 * HOUR)
    shop.ask("again@example.com", one)
    assert again


def _stoppers(shop: People, clock: Any) -> None:
    one, two = shop.made.purpose_ids
    for name in ("left", "final", "told", "paused", "mixed"):
        shop.subscribe(f"{name}@example.com", one, two)
    clock.shift(1)
    links = issue(shop, "left@example.com", "mixed@example.com", "stranger@example.com", "no mail")
    shop.unsubscribe(links[0])
    shop.unsubscribe(links[1], "page", "organisation")
    clock.shift(1)
    shop.subscribe("mixed@example.com", one)
    clock.shift(1)
    shop.unsubscribe(links[1])
    shop.stop_link(shop.stop("final@example.com").link_id)
    shop.stop("paused@example.com")
    shop.stop("nobody@example.com")
    for purpose in (one, None):
        command = Withdraw(shop.org, "told@example.com", "key:test", shop.made.sender_id, purpose)
        with shop.database.begin() as tx:
            stops.withdraw(tx, command)


def _customers(shop: People, clock: Any) -> None:
    """Sales to people with and without consent: superseded, refused, taken back, ended, and stopped before."""
    running = {"trigger": "ongoing_relationship", "categories": ["herbs"]}
    rows = [
        sale("buyer@example.com"),
        sale("buyer@example.com", "A-2", on="2026-02-01"),
        sale("buyer@example.com", "A-3", **running),
        sale("all@example.com", "A-4", categories=["books"]),
        sale("left@example.com", "A-5"),
        sale("no@example.com", "A-6", refused_at_collection=True),
    ]
    record(shop.database, shop.org, *rows)
    clock.shift(1)
    named = {"address": "buyer@example.com"}
    ended = {**named, "reference": "A-3", "reason": "ended", "ended_on": "2026-02-03"}
    lapse(shop.database, shop.org, {**named, "reference": "A-1", "reason": "taken_back"}, ended)
    clock.shift(1)
    shop.subscribe("no@example.com", shop.made.purpose_ids[0])


def issue(shop: People, *recipients: str) -> list[bytes]:
    """Issues permits for the first purpose; returns the 12-byte ids of their links."""
    command = IssuePermits(
        organisation_id=shop.org,
        sender_id=shop.made.sender_id,
        purpose_id=shop.made.purpose_ids[0],
        channel="email",
        recipients=recipients,
        actor="key:test",
    )
    prepared = permits.prepare(shop.database, command)
    with shop.database.begin() as tx:
        issued = permits.issue(tx, prepared)
    number = shop.made.organisation.number
    return [PermitId(number, issued.batch, row).to_bytes() for row in range(len(recipients))]


def forget(shop: People) -> None:
    """Does what the worker does about everything that has ended."""
    erasure.expire_due(shop.database)
    erasure.erase_due(shop.database)
    with shop.database.begin() as tx:
        keys = tx.log.keystore.organisation(tx.session, shop.org)
        for row in tx.session.query(OutboxRow).filter_by(kind=erasure.DESTROY).all():
            context = b"consentledger/outbox/v1\n%b\n%b\n%b" % (
                row.organisation_id.bytes,
                row.outbox_id.bytes,
                row.kind.encode(),
            )
            erasure.destroy(tx, shop.org, json.loads(keys.sealer.open(row.sealed, context)))
            tx.session.delete(row)


def _link(shop: People, address: str, *purposes: Any) -> bytes:
    link = shop.ask(address, *purposes)
    assert link is not None
    return link
