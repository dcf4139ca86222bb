"""Existing customers in a bundle: evidence that stands in the story, and what can't have happened."""

from __future__ import annotations

from typing import Any

from tests.unit.verify.bundles import BundledLog, check, wrong
from tests.unit.verify.memory import Contact, instant


def sold(log: BundledLog, contact: Contact, customer: str = "c-1", **more: Any) -> int:
    """Records a sale."""
    values = {
        "customer": customer,
        "channel": "email",
        "trigger": "sale_paid",
        "on": instant(0)[:10],
        "ended_on": None,
        "reference": "A-1",
        "categories": ["garden"],
        "seller": "Shop GmbH",
        "obtained_from": "customer",
        "offered_at_collection": True,
        "wording": log.blob(b"You may object at any time", "text/plain"),
        "refused_at_collection": False,
        "told_use_for_advertising": False,
        "country": "DE",
        "person": "natural",
        "capacity": "private",
        "method": "api",
        "source": None,
        "row": 0,
    }
    return log.add("customer.recorded", values | more, contact)


def lapse(log: BundledLog, contact: Contact, customer: str = "c-1") -> int:
    """Takes a record back."""
    values = {"customer": customer, "channel": "email", "reason": "taken_back", "ended_on": None}
    return log.add("customer.lapsed", values, contact)


def failures(log: BundledLog) -> set[str | None]:
    """The rules that a bundle of this log breaks."""
    return {rule for _, rule in wrong(check(log.bundle(), log))}


def test_a_record_is_told_and_may_be_taken_back() -> None:
    log, anna = BundledLog(), Contact("anna")
    sold(log, anna)
    sold(log, anna, "c-2", reference="A-2", categories=["books"])
    log.add("customer.objected", {"channel": "email", "method": "page", "permit": None}, anna)
    lapse(log, anna)
    assert failures(log) == set()


def test_what_can_not_have_happened() -> None:
    log, anna = BundledLog(), Contact("anna")
    sold(log, anna)
    sold(log, anna)
    assert "story" in failures(log)
    log = BundledLog()
    sold(log, Contact("anna"), on="2026-12-24")
    assert "story" in failures(log)
    log = BundledLog()
    lapse(log, Contact("anna"))
    assert "story" in failures(log)


def test_the_record_is_held_against_the_entries() -> None:
    log, anna = BundledLog(), Contact("anna")
    sold(log, anna)
    path = "records/customer-c-1.jsonld"
    told = log.records()[path]
    assert b'"@type": "cl:CustomerExceptionRecord"' in told
    assert b'"cl:claimedState": "established"' in told

    def found(content: bytes | None) -> set[str | None]:
        def change(members: dict[str, bytes]) -> None:
            del members[path]
            if content is not None:
                members[path] = content

        return {rule for _, rule in wrong(check(log.bundle(change=change), log))}

    assert found(told) == set()
    for changed in (
        told.replace(b"established", b"lapsed"),
        told.replace(b'"cl:person": "natural"', b'"cl:person": "legal"'),
        told.replace(b'"cl:person"', b'"cl:persons"'),
        b"{}",
        None,
    ):
        assert changed != told
        assert found(changed) == {"record"}
