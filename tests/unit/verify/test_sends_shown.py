"""What a bundle shows of reports: in their batches, fitting their permits, and every way to cheat is named."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from consentledger.ledger import merkle
from consentledger.ledger.bundle import to_json
from consentledger.ledger.sent import Sent, sent_disclosure, sent_line_hash
from consentledger.verify.bundle import verify_bundle
from consentledger.verify.report import Report
from consentledger.verify.sends import Reports, sent_file
from tests.unit.verify.bundles import BundledLog
from tests.unit.verify.memory import Contact, instant

PERMIT = "AAAAAQIDBAUGBwAA"
SENT = Sent(PERMIT, 0, "anna", "email", "consent", "sent", instant(15), "ab" * 32, None, "")


class Reported(BundledLog):
    """A log with one person, anna, and a batch of reports of which the first is about her."""

    def __init__(self, sent: Sent = SENT) -> None:
        super().__init__()
        self.anna = Contact("anna")
        self.confirmed(self.anna)
        while len(self.built) < 20:
            self.add("configuration.changed", {"setting": "x", "value": None})
        lines = [sent, replace(sent, row=1, contact=None, permit="AAAAAQIDBAUGBwAB")]
        self.lines = [sent_disclosure(bytes([n] * 16), line) for n, line in enumerate(lines)]
        hashes = [sent_line_hash(line) for line in self.lines]
        plain = {"count": "2", "root": merkle.root_of(hashes).hex()}
        self.reported = self.add("message.sent", {"batch": "AAAAAAAA"}, plain=plain)
        self.file = sent_file(
            batch=self.reported,
            row=0,
            disclosure=self.lines[0],
            path=merkle.inclusion_proof(0, 2, merkle.nodes_of(hashes)),
        )

    def confirmed(self, contact: Contact) -> None:
        """The person's own entry, so that the bundle is about somebody."""
        self.request(contact)

    def report(self, change: Callable[[dict[str, Any]], None] = lambda _: None) -> Report:
        value = json.loads(to_json(self.file))
        change(value)

        def add(members: dict[str, bytes]) -> None:
            members[f"sent/{self.reported}-0.json"] = to_json(value)

        data = self.bundle([self.anna], change=add)
        return verify_bundle(io.BytesIO(data), policy=self.policy())


def test_a_report_in_its_batch_is_told_as_the_organisations_word() -> None:
    report = Reported().report()
    assert report.exit_code == 0, report.text()
    assert "by the organisation's own word 1 messages were sent" in report.text()


CHEATS: tuple[tuple[Callable[[dict[str, Any]], None], str], ...] = (
    (lambda value: value.__setitem__("disclosure", Reported().lines[1]), "another row"),
    (
        lambda value: value.__setitem__(
            "disclosure", sent_disclosure(bytes(16), replace(SENT, at=instant(14)))
        ),
        "does not lead to the root",
    ),
    (lambda value: value.__setitem__("row", 1), "named after another"),
    (lambda value: value.__setitem__("batch", 1), "named after another"),
    (lambda value: value.__setitem__("path", []), "too short"),
    (lambda value: value.__setitem__("path", [1]), "wrong type"),
    (lambda value: value.__setitem__("more", 1), "other members"),
)


@pytest.mark.parametrize(("cheat", "named"), CHEATS, ids=range(len(CHEATS)))
def test_every_cheat_is_named(cheat: Callable[[dict[str, Any]], None], named: str) -> None:
    report = Reported().report(cheat)
    assert report.exit_code == 1
    assert "sent/" in report.text()
    assert named in report.text()


def test_a_report_from_the_future_is_named() -> None:
    report = Reported(replace(SENT, at=instant(900))).report()
    assert "a time behind its own entry" in report.text()


@pytest.mark.parametrize(
    "sent",
    [
        replace(SENT, status="opened"),
        replace(SENT, flags="odd"),
        replace(SENT, flags="sent_before,late"),
        replace(SENT, message_id="abc"),
        replace(SENT, at="2026-11-01"),
        replace(SENT, permit="x"),
    ],
)
def test_a_line_that_no_batch_would_write_is_named(sent: Sent) -> None:
    report = Reported(sent).report()
    assert report.exit_code == 1
    assert "not of its form" in report.text()


def test_the_last_day_comes_from_what_was_sent_as_permitted() -> None:
    def at(day: int, **more: Any) -> Sent:
        return replace(SENT, at=f"2026-11-{day:02d}T00:00:00.000000Z", **more)

    reports = Reports(
        (
            (10, at(3)),
            (11, at(5, status="failed")),
            (11, at(5, flags="late")),
            (12, at(6, contact="berta")),
            (12, at(6, channel="sms")),
            (12, at(6, basis="service")),
            (13, at(2)),
            (14, at(8)),
        )
    )
    assert reports.last_sent("anna", "email", 14) == "2026-11-03"
    assert reports.last_sent("anna", "email", 15) == "2026-11-08"
    assert reports.last_sent("anna", "email", 10) is None
