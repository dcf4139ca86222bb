"""What a bundle shows of the exception's own clock: reports under permits that rested on it, and nothing else."""

from __future__ import annotations

import pytest

from consentledger.law.model import Customer, Facts
from consentledger.ledger import merkle
from consentledger.ledger.bundle import to_json
from consentledger.ledger.sent import Sent, sent_disclosure, sent_line_hash
from consentledger.verify.report import Report
from consentledger.verify.sends import Reports, sent_file
from tests.unit.verify.bundles import check
from tests.unit.verify.lawful import LawfulLog
from tests.unit.verify.memory import Contact, instant

SALE = Customer(
    "sale_paid", "2026-01-05", None, None, "similar", ("same_person", "directly", "offered", "told")
)
SPADES = {"categories": ["garden/spades"]}
SENT_ON = "2026-11-01"
ASSERTED = "when the last message was sent under the existing-customer exception (of 1)"


def irish(customer: Customer) -> Facts:
    """A customer in Ireland, who was last written to on that day."""
    sent_on = customer.renewed_on and SENT_ON
    return Facts("record", ("IE",), "natural", "private", sent_on=sent_on, customer=customer)


class Renewed(LawfulLog):
    """anna bought, was permitted to be written to as a customer, and that was reported as sent."""

    def start(self, basis: str = "existing_customer") -> Contact:
        anna = Contact("anna")
        for name in ("XX@1", "EU@1", "IE@1"):
            self.adopt(name)
        self.categories("garden", "garden/spades", "garden/tools", groups=("garden",))
        self.sale(anna, country="IE", on=SALE.on)
        self.first = self.permit(anna, irish(SALE), entry=0, message=SPADES)
        at = instant(len(self.built))
        told = Sent(self.first, 0, anna.name, "email", basis, "sent", at, None, None, "")
        self.line = sent_disclosure(bytes(16), told)
        root = merkle.root_of([sent_line_hash(self.line)]).hex()
        plain = {"count": "1", "root": root}
        self.reported = self.add("message.sent", {"batch": "AAAAAAAA"}, plain=plain)
        return anna

    def report(self, anna: Contact, *, sent: bool = True, first: bool = True) -> Report:
        """What verifying says of a bundle with the report and its permit, or without."""

        def change(members: dict[str, bytes]) -> None:
            if sent:
                file = sent_file(batch=self.reported, row=0, disclosure=self.line, path=[])
                members[f"sent/{self.reported}-0.json"] = to_json(file)
            if not first:
                del members[f"permits/{self.first}.json"]

        return check(self.bundle([anna], change=change), self)


def test_what_was_sent_under_the_exception_is_shown() -> None:
    log = Renewed()
    anna = log.start()
    log.permit(anna, irish(SALE._replace(renewed_on=SENT_ON)), entry=0, message=SPADES)
    report = log.report(anna)
    assert report.exit_code == 0, report.text()
    assert "2 permits and 0 denials" in report.text()
    assert "asserted" not in report.text()


@pytest.mark.parametrize(("sent", "first"), [(False, True), (True, False)])
def test_without_the_report_or_its_permit_it_is_asserted(sent: bool, first: bool) -> None:
    log = Renewed()
    anna = log.start()
    log.permit(anna, irish(SALE._replace(renewed_on=SENT_ON)), entry=0, message=SPADES)
    report = log.report(anna, sent=sent, first=first)
    assert report.exit_code == 0, report.text()
    assert ASSERTED in report.text()


@pytest.mark.parametrize("renewed_on", [None, "2020-01-01"])
def test_a_line_that_tells_of_another_renewal_is_named(renewed_on: str | None) -> None:
    log = Renewed()
    anna = log.start()
    told = irish(SALE._replace(renewed_on=renewed_on))._replace(sent_on=SENT_ON)
    log.permit(anna, told, entry=0, message=SPADES)
    report = log.report(anna)
    assert report.exit_code == 1
    assert "the entries before it say sale_paid current - current similar" in report.text()


def test_a_report_that_borrows_the_basis_is_named() -> None:
    log = Renewed()
    report = log.report(log.start("consent"))
    assert report.exit_code == 1
    assert "what it says of its permit is not so" in report.text()


def test_the_last_renewal_is_of_the_exception_alone() -> None:
    def at(day: int, basis: str, permit: str = "shown", flags: str = "") -> Sent:
        when = f"2026-11-{day:02d}T00:00:00.000000Z"
        return Sent(permit, 0, "anna", "email", basis, "sent", when, None, None, flags)

    reports = Reports(
        (
            (10, at(3, "existing_customer")),
            (11, at(5, "consent")),
            (12, at(6, "existing_customer", flags="late")),
            (13, at(7, "existing_customer", "hidden")),
        ),
        frozenset({"shown"}),
    )
    assert reports.last_renewed("anna", "email", 13) == ("2026-11-03", True)
    assert reports.last_renewed("anna", "email", 14) == ("2026-11-07", False)
    assert reports.last_renewed("anna", "email", 10) is None
    assert reports.last_renewed("anna", "sms", 14) is None
    assert reports.last_sent("anna", "email", 13) == "2026-11-05"
