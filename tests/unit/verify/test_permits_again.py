"""Permits are decided again by the packs of the bundle, and each fact of a line is held against the entries."""

from __future__ import annotations

from typing import Any

import pytest

from consentledger.law.model import Customer, Facts
from consentledger.verify.report import Report
from tests.unit.verify.bundles import check
from tests.unit.verify.lawful import LawfulLog, lied
from tests.unit.verify.memory import PURPOSE, SENDER, Contact, instant

CONFIRMED = Facts(consent="confirmed", grade="double_opt_in", consented_on="2026-11-01")
NO_ONE = Facts(recipient="stranger")
FLAGS = ("same_person", "directly", "offered", "told")
BOUGHT = Facts(
    countries=("DE",),
    person="natural",
    capacity="private",
    customer=Customer("sale_paid", "2026-10-01", None, None, "similar", FLAGS),
)
SPADES = {"categories": ["garden/spades"]}


def world(*names: str) -> tuple[LawfulLog, Contact]:
    """A log with the fallback and these packs, and anna, of whom nothing is known but a request."""
    log, anna = LawfulLog(), Contact("anna")
    for name in ("XX@1", *names):
        log.adopt(name)
    log.categories("garden", "garden/spades", "garden/tools", "toys", groups=("garden",))
    return log, anna


def subscriber(*names: str) -> tuple[LawfulLog, Contact]:
    """anna has confirmed."""
    log, anna = world(*names)
    log.request(anna)
    log.mail(anna)
    log.confirm(anna)
    return log, anna


def customer(*names: str) -> tuple[LawfulLog, Contact]:
    """anna has bought."""
    log, anna = world("EU@1", "DE@1", *names)
    log.sale(anna)
    return log, anna


def report(log: LawfulLog, anna: Contact) -> Report:
    """What verifying the whole log says."""
    return check(log.bundle([anna]), log)


def held(log: LawfulLog, anna: Contact) -> str:
    """The report of a log in which nothing is wrong."""
    found = report(log, anna)
    assert found.exit_code == 0, found.text()
    return found.text()


def wrong(log: LawfulLog, anna: Contact) -> list[tuple[str | None, str]]:
    """Rule and sentence of what fails, which must be permits or their batches and nothing else."""
    found = [one for one in report(log, anna).findings if one.kind == "failed"]
    assert all(one.step == 5 for one in found), found
    return [(one.rule, one.text) for one in found]


def names(packs: object) -> list[str]:
    """The packs that a batch names, without their hashes."""
    assert isinstance(packs, list)
    return [one.split()[0] for one in packs]


def test_consent_is_decided_again_by_the_fallback() -> None:
    log, anna = subscriber()
    log.permit(anna, CONFIRMED)
    log.withdraw(anna)
    log.permit(anna, Facts(consent="withdrawn", closed=True))
    assert "1 permits and 1 denials are in their batches" in held(log, anna)


def test_a_sale_is_decided_again_by_its_country_and_the_category_tree() -> None:
    log, anna = customer()
    log.permit(anna, BOUGHT, entry=0, message=SPADES)
    text = held(log, anna)
    assert "1 permits and 0 denials" in text
    assert "asserted" not in text


def test_a_sale_of_other_products_does_not_carry() -> None:
    log, anna = customer()
    other = BOUGHT._replace(
        customer=Customer("sale_paid", "2026-10-01", None, None, "other", FLAGS)
    )
    log.permit(anna, other, entry=0, message={"categories": ["toys"]})
    assert "0 permits and 1 denials" in held(log, anna)
    log.permit(anna, BOUGHT, entry=0, message={"categories": ["toys"]})  # it says they were similar
    ((rule, text),) = wrong(log, anna)
    assert rule == "permit.decision"
    assert "customer" in text
    assert "other" in text


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"consent": "withdrawn"}, "says consent withdrawn; the entries before it say confirmed"),
        ({"grade": "attested"}, "says grade attested"),
        ({"consented_on": "2020-01-01"}, "says consented_on 2020-01-01"),
        ({"objection": "active"}, "says objection active"),
        ({"closed": True}, "says closed True"),
        ({"tracking": "confirmed"}, "says tracking confirmed"),
        ({"customer": "sale_paid current - - similar", "entry": 0}, "says customer sale_paid"),
        ({"recipient": "stranger", "contact": None}, "the rules say deny"),
        ({"verdict": "deny", "basis": None, "valid_until": None}, "says deny (consent)"),
        ({"basis": "existing_customer"}, "the permit says allow"),
        ({"reasons": "existing_customer"}, "says allow (existing_customer)"),
        ({"packs": "DE@1"}, "by DE@1"),
        ({"valid_until": instant(500)}, "ends at another time"),
        ({"listed": "AT-ECG"}, "a register that its batch did not look into"),
        ({"customer": "sale_paid  - - similar", "entry": 0}, "ground is malformed|says customer"),
    ],
)
def test_each_fact_and_each_word_of_the_verdict_is_held(change: dict[str, Any], told: str) -> None:
    log, anna = subscriber()
    log.permit(anna, CONFIRMED, lie=lied(**change))
    ((_, text),) = wrong(log, anna)
    assert any(part in text for part in told.split("|")), text


def test_a_permit_behind_a_stop_is_named_however_honest_it_looks() -> None:
    log, anna = subscriber()
    log.object(anna)
    log.permit(anna, CONFIRMED)
    ((rule, text),) = wrong(log, anna)
    assert rule == "permit.decision"
    assert "confirmed; the entries before it say withdrawn" in text


@pytest.mark.parametrize(
    "act", ["customer.objected", "consent.declined", "objection.recorded", "refused", "lapsed"]
)
def test_what_ends_or_closes_the_exception_is_seen(act: str) -> None:
    log, anna = customer()
    if act == "customer.objected":
        log.add(act, {"channel": "email", "method": "page", "permit": None}, anna)
    elif act == "consent.declined":
        log.request(anna)
        log.add(
            act,
            {"request": "r-1", "purpose": None, "sender": SENDER, "channel": "email", "reason": "not_me"},
            anna,
        )  # fmt: skip
    elif act == "objection.recorded":
        log.object(anna, "sender", sender=SENDER)
    elif act == "refused":
        log.sale(anna, customer="k-2", on="2026-10-02", refused_at_collection=True)
    else:
        log.add(
            "customer.lapsed",
            {"customer": "k-1", "channel": "email", "reason": "taken_back", "ended_on": None}, anna,
        )  # fmt: skip
    log.permit(anna, BOUGHT, entry=0, message=SPADES)
    ((rule, _),) = wrong(log, anna)
    assert rule == "permit.decision"


def test_the_ground_is_the_entry_that_is_named() -> None:
    log, anna = customer()
    log.sale(anna, customer="k-2", on="2026-10-02", categories=["toys"])
    log.permit(anna, BOUGHT, entry=0, message=SPADES)
    held(log, anna)
    log.permit(anna, BOUGHT, entry=1, message=SPADES)
    ((_, text),) = wrong(log, anna)
    assert "another entry as its ground" in text


def test_a_country_that_a_ground_names_cannot_be_left_out() -> None:
    log, anna = customer()
    log.permit(anna, BOUGHT._replace(countries=("US",)), entry=0, message=SPADES)
    ((_, text),) = wrong(log, anna)
    assert "country" in text


def test_what_is_only_asserted_is_counted_by_kind() -> None:
    log, anna = subscriber("EU@1", "DE@1")
    told = CONFIRMED._replace(
        countries=("DE",), person="legal", capacity="impersonal", sent_on="2026-11-01"
    )
    log.permit(anna, told)
    log.permit(None, NO_ONE)
    text = held(log, anna)
    for words in (
        "a country that was given with the question (of 1)",
        "the kind of person that was given with the question (of 1)",
        "the capacity that was given with the question (of 1)",
        "when the last message was sent (of 1)",
        "that the recipient is none on record (of 1)",
    ):
        assert words in text


def test_an_erased_story_asserts_what_it_told() -> None:
    log, anna = subscriber()
    log.permit(anna, CONFIRMED)
    log.erase(str(len(log.built) - 5))  # the request
    assert "what erased entries would tell (of 1)" in held(log, anna)


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"packs": []}, "does not name the packs"),
        ({"packs": ["XX@1 " + "0" * 64]}, "was not adopted below it"),
        ({"categories_version": None}, "other categories than the newest"),
        ({"categories_version": 2}, "other categories than the newest"),
        ({"registers": ["AT-ECG 2026-11-01T00:00:00.000000Z 3"]}, "not the newest below"),
        ({"registers": ["AT-ECG"]}, "malformed"),
    ],
)
def test_what_the_batch_says_of_itself_is_held(changes: dict[str, Any], told: str) -> None:
    log, anna = subscriber()
    log.permit(anna, CONFIRMED, **changes)
    ((_, text),) = wrong(log, anna)
    assert any(part in text for part in told.split("|")), text


def test_a_pack_counts_from_its_adoption_on() -> None:
    log, anna = subscriber()
    de = CONFIRMED._replace(countries=("DE",))
    log.permit(anna, de)  # by the fallback: nobody took Germany's rules on
    log.adopt("EU@1")
    log.adopt("DE@1")
    log.permit(anna, de)
    assert "2 permits and 0 denials" in held(log, anna)
    assert [names(one["packs"]) for one in log.values if "packs" in one] == [
        ["XX@1"],
        ["DE@1", "XX@1"],
    ]


def test_a_batch_may_not_hide_a_register_that_its_rules_look_into() -> None:
    log, anna = subscriber("EU@1", "AT@1")
    plain = {
        "count": "0",
        "root": "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    }
    at = instant(len(log.built))
    values = {
        "register": "AT-ECG", "as_of": at, "source": "a test", "file": "sha256 00", "matched": "address",
        "salt": "00" * 32,
    }  # fmt: skip
    index = log.add("register.imported", values, plain=plain)
    here = CONFIRMED._replace(countries=("AT",))
    log.permit(anna, here, message={"registers": [f"AT-ECG {at} {index}"]})
    assert "whether a register lists the address (of 1)" in held(log, anna)
    log.permit(anna, here)
    ((rule, text),) = wrong(log, anna)
    assert rule == "register"
    assert "does not name the registers" in text


def test_a_message_that_tracks_needs_its_own_consent_or_a_duty() -> None:
    log, anna = subscriber()
    log.permit(anna, CONFIRMED, message={"tracking": "p-2"})
    held(log, anna)
    log.permit(anna, CONFIRMED._replace(tracking="confirmed"), message={"tracking": "p-2"})
    ((_, text),) = wrong(log, anna)
    assert "tracking" in text


def test_a_service_message_passes_a_stop_and_a_survey_makes_it_marketing() -> None:
    log, anna = subscriber()
    log.object(anna)
    stopped = Facts(consent="withdrawn", objection="active", closed=True)
    log.permit(anna, stopped, message={"class": "service"})
    log.permit(anna, stopped, message={"class": "service", "contains": ["survey"]})
    assert "1 permits and 1 denials" in held(log, anna)


def test_purpose_is_what_the_entry_says() -> None:
    log, anna = subscriber()
    log.permit(anna, CONFIRMED, purpose="p-2")  # confirmed for another one
    ((_, text),) = wrong(log, anna)
    assert PURPOSE != "p-2"
    assert "the entries before it say none" in text
