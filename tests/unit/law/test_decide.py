"""The decision's order and its codes, one by one, under one pack made for it; each country has its own table."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from consentledger.law.deciding.decide import decide
from consentledger.law.model import Customer, Facts, Message
from consentledger.law.pack import Hours, Label, Period, Register
from consentledger.law.rulebook import Adopted, Rulebook
from tests.support.judging import AGREED, AT, BOOK, PACK, SAID, SALE, judged, law


def test_consent_carries_with_its_rule_source_and_duties() -> None:
    verdict = judged(**AGREED)
    assert (verdict.verdict, verdict.basis, verdict.codes) == ("allow", "consent", "consent")
    assert verdict.packs == ("DE@1",)
    (reason,) = verdict.reasons
    assert (reason.rule, reason.source) == ("DE@1#consent", "The law, all of it")
    duties = [(duty.code, duty.value, duty.rule) for duty in verdict.duties]
    assert duties == [
        ("subject_label", "(AD)", "DE@1#labels[0]"),
        ("identify_sender", None, "DE@1#identity"),
        ("offer_opt_out", None, "DE@1#unsubscribe"),
        ("postal_address", None, "DE@1#identity"),
        ("contact_channel", None, "DE@1#identity"),
    ]


@pytest.mark.parametrize(
    ("facts", "code"),
    [
        ({}, "no_basis"),
        ({"consent": "requested"}, "not_confirmed"),
        ({"consent": "declined"}, "declined"),
        ({"consent": "expired"}, "expired"),
        ({"consent": "withdrawn"}, "withdrawn"),
        ({"consent": "paused"}, "paused"),
        ({"consent": "lapsed"}, "lapsed"),
        ({"recipient": "stranger"}, "no_basis"),
        ({"recipient": "stranger", "person": "legal"}, "no_basis"),
        ({"recipient": "invalid"}, "invalid_address"),
        ({"recipient": "duplicate"}, "duplicate"),
        (AGREED | {"objection": "active"}, "objected"),
        (AGREED | {"objection": "suppressed"}, "suppressed"),
        (AGREED | {"objection": "suppressed", "recipient": "stranger"}, "suppressed,no_basis"),
        (AGREED | {"consent": "paused", "objection": "active"}, "objected,paused"),
        (AGREED | {"grade": "none"}, "fact_unclear"),
        (AGREED | {"consented_on": "2026-11-26"}, "fact_unclear"),
        (AGREED | {"consented_on": "soon"}, "fact_unclear"),
        (AGREED | {"grade": "sworn"}, "fact_unclear"),
        ({"customer": SALE._replace(on="2026-11-26")}, "fact_unclear"),
        ({"customer": SALE._replace(flags=("likely",))}, "fact_unclear"),
    ],
)
def test_what_stands_against_a_message_is_named(facts: dict[str, Any], code: str) -> None:
    verdict = judged(**facts)
    assert (verdict.verdict, verdict.basis, verdict.codes) == ("deny", None, code)
    assert all(reason.rule.startswith("DE@1#") and reason.source for reason in verdict.reasons)


def test_tomorrow_is_today_somewhere() -> None:
    assert judged(**AGREED | {"consented_on": "2026-11-25"}).allowed


@pytest.mark.parametrize(
    ("keys", "customer", "codes"),
    [
        ({}, SALE._replace(flags=("directly", "offered")), "other_seller"),
        ({}, SALE._replace(flags=("same_person", "offered")), "not_collected_directly"),
        ({}, SALE._replace(flags=("same_person", "directly")), "no_opt_out_offered"),
        ({}, SALE._replace(flags=("same_person", "directly", "offered", "refused")), "refused_at_collection"),
        ({"told_use_for_advertising": True}, SALE._replace(flags=BOOK[:3]), "not_told"),
        ({}, SALE._replace(relation="other"), "products_not_similar"),
        ({}, SALE._replace(relation="unmapped"), "products_not_similar"),
        ({"products": "same_kind"}, SALE, "products_not_similar"),
        ({}, SALE._replace(trigger="negotiation"), "trigger_not_covered"),
        ({}, SALE._replace(trigger="inquiry"), "risk_not_accepted"),
        ({}, SALE._replace(on="2024-11-23"), "too_old"),
        ({"not_before": {"sale_paid": date(2026, 10, 2)}}, SALE, "too_old"),
        ({"ends_with_relationship": True}, SALE._replace(ended_on="2026-11-24"), "relationship_ended"),
        ({"available": False}, SALE, "exception_off"),
        ({"channels": ("sms",)}, SALE, "exception_off"),
        ({"persons": ("legal",)}, SALE, "exception_off"),
        ({"disclosed": ("sale_paid",)}, SALE, "exception_off"),
        ({"disclosed": ("sale_paid",), "disclosed_persons": ("natural",), "disclosed_role_relevant": True},
         SALE, "capacity_not_covered"),
    ],
)  # fmt: skip
def test_each_condition_of_the_exception_is_named(
    keys: dict[str, Any], customer: Customer, codes: str
) -> None:
    assert judged(customer=SALE).basis == "existing_customer"
    verdict = judged(law(exception=keys), customer=customer)
    assert (verdict.verdict, verdict.codes) == ("deny", f"no_basis,{codes}")


@pytest.mark.parametrize(
    ("keys", "customer"),
    [
        ({"same_legal_person": False}, SALE._replace(flags=("directly", "offered"))),
        ({"collected_directly": False}, SALE._replace(flags=("same_person", "offered"))),
        ({"opt_out_at_collection": False}, SALE._replace(flags=("same_person", "directly"))),
        ({"products": "any"}, SALE._replace(relation="unmapped")),
        ({}, SALE._replace(on="2024-11-24")),
        ({"not_before": {"sale_paid": date(2026, 10, 1)}}, SALE),
        ({"ends_with_relationship": True}, SALE._replace(ended_on="2026-11-25")),
        ({"disclosed": ("sale_paid",), "disclosed_persons": ("natural",)}, SALE._replace(flags=(), relation="other")),
    ],
)  # fmt: skip
def test_a_pack_may_ask_for_less(keys: dict[str, Any], customer: Customer) -> None:
    assert judged(law(exception=keys), customer=customer).basis == "existing_customer"


def test_a_refusal_closes_every_other_basis() -> None:
    assert judged(customer=SALE, closed=True).codes == "no_basis,exception_closed"
    assert judged(person="legal").basis == "opt_out"
    assert judged(person="legal", closed=True).codes == "no_basis,opt_out_closed"
    refused = SALE._replace(flags=("refused",))
    assert "refused_at_collection" in judged(person="legal", customer=refused).codes
    for state in ("withdrawn", "declined", "paused"):
        assert judged(consent=state, customer=SALE).codes == f"{state},exception_closed"
        assert judged(consent=state, person="legal").codes == f"{state},opt_out_closed"
    for state in ("requested", "expired", "lapsed"):  # no word was said
        assert judged(consent=state, customer=SALE).basis == "existing_customer"
        assert judged(consent=state, person="legal").basis == "opt_out"


def test_what_the_organisation_made_stricter_holds() -> None:
    for word in ("exception=off", "exception.email=off"):
        assert judged(stricter=(word,), customer=SALE).codes == "no_basis,exception_off"
    assert judged(stricter=("exception.sms=off",), customer=SALE).allowed
    assert judged(stricter=("exception.months=1",), customer=SALE).codes == "no_basis,too_old"
    assert judged(stricter=("exception.months=2",), customer=SALE).allowed
    assert judged(stricter=("opt_out=off",), person="legal").codes == "no_basis,opt_out_off"
    assert judged(stricter=("consent.months=5",), **AGREED).codes == "consent_expired"
    assert judged(stricter=("consent.months=6",), **AGREED).allowed
    attested = AGREED | {"grade": "attested"}
    assert judged(**attested).allowed
    assert judged(stricter=("double_opt_in=required",), **attested).codes == "double_opt_in_missing"


def test_a_risk_is_only_run_by_who_took_it_on() -> None:
    asked = SALE._replace(trigger="inquiry")
    assert not judged(customer=asked).allowed
    assert judged(accepts=("inquiry",), customer=asked).basis == "existing_customer"


def test_a_draft_grants_nothing_but_consent() -> None:
    draft = replace(PACK, status="draft")
    assert judged(draft, **AGREED).basis == "consent"
    assert judged(draft, customer=SALE).codes == "no_basis,exception_off"
    assert judged(draft, person="legal").codes == "no_basis,opt_out_off"


@pytest.mark.parametrize(
    ("level", "grade", "wanted"),
    [
        ("required", "double_opt_in", "allow"),
        ("required", "attested", "deny"),
        ("required", "single_opt_in", "deny"),
        ("regulator_minimum_measure", "attested", "review"),
        ("regulator_minimum_measure", "single_opt_in", "deny"),
        ("de_facto_required", "attested", "review"),
        ("recommended", "attested", "allow"),
        ("not_required", "single_opt_in", "allow"),
    ],
)
def test_consent_came_in_a_way_that_suffices(level: str, grade: str, wanted: str) -> None:
    pack = law(consent={"double_opt_in": level})
    verdict = judged(pack, **AGREED | {"grade": grade})
    assert verdict.verdict == wanted
    assert verdict.codes == ("consent" if wanted == "allow" else "double_opt_in_missing")
    # Another basis helps where consent came too lightly.
    assert judged(pack, **AGREED | {"grade": grade}, customer=SALE).allowed


def test_consent_ages() -> None:
    pack = law(consent={"expires_months": 36, "dormancy_review_months": 30, "dormancy_warning_months": 24})  # fmt: skip
    told = AGREED | {"consented_on": "2024-11-24"}
    assert "refresh_consent" not in {duty.code for duty in judged(pack, **told).duties}
    told["consented_on"] = "2024-11-23"
    assert "refresh_consent" in {duty.code for duty in judged(pack, **told).duties}
    told["consented_on"] = "2024-05-23"
    assert (judged(pack, **told).verdict, judged(pack, **told).codes) == ("review", "dormant")
    assert judged(pack, **told, sent_on="2026-11-01").allowed  # it was in use
    told["consented_on"] = "2023-11-23"
    assert judged(pack, **told, sent_on="2026-11-01").codes == "consent_expired"
    told["consented_on"] = None
    assert judged(pack, **told).codes == "consent_expired,dormant"


def test_a_contracts_end_takes_older_consent_along_where_the_law_says_so() -> None:
    pack = law(consent={"ends_with_relationship": True})
    ended = SALE._replace(ended_on="2026-06-01", trigger="inquiry")
    assert "relationship_ended" in judged(pack, **AGREED, customer=ended).codes
    later = AGREED | {"consented_on": "2026-06-02"}
    assert judged(pack, **later, customer=ended).allowed
    assert not judged(pack, **later, customer=ended._replace(ended_on="old")).allowed
    assert judged(**AGREED, customer=ended).allowed


def test_unknown_is_read_both_ways() -> None:
    assert judged(person="legal").basis == "opt_out"
    assert judged(person="unknown").codes == "no_basis"
    assert judged(person="unknown", **AGREED).basis == "consent"
    for persons, basis in (
        (("natural", "sole_trader", "legal"), "existing_customer"),
        (("natural", "legal"), None),
    ):
        assert (
            judged(law(exception={"persons": persons}), person="unknown", customer=SALE).basis
            == basis
        )
    # A firm may be written to anyway, a person only as a customer: the weaker basis is the message's.
    firm = judged(
        law(exception={"persons": ("natural", "sole_trader")}), person="unknown", customer=SALE
    )
    assert {reason.code for reason in firm.reasons} == {"existing_customer", "opt_out"}
    assert firm.basis == "opt_out"


def test_where_a_recipient_may_be_all_must_allow() -> None:
    verdict = judged(countries=("DE", "FR"), person="legal")
    assert (verdict.verdict, verdict.packs) == ("deny", ("DE@1", "XX@1"))
    assert {reason.rule for reason in verdict.reasons} == {"XX@1#regime.email"}
    assert judged(countries=("DE", "FR"), **AGREED).allowed
    assert judged(countries=(), person="legal").packs == ("XX@1",)


def test_without_a_pack_nothing_is_permitted() -> None:
    facts = Facts(countries=("FR",), person="natural", **AGREED)  # type: ignore[arg-type]
    verdict = decide(facts, Message("marketing", "email", AT), Rulebook((Adopted(PACK),)), AT)
    assert (verdict.verdict, verdict.codes, verdict.packs) == ("deny", "no_pack", ())


def test_service_passes_marketing_stops_and_nothing_else_in_it() -> None:
    service = Message("service", "email", AT)
    assert judged(message=service, objection="active", consent="withdrawn").basis == "service"
    assert judged(message=service, objection="suppressed").codes == "suppressed"
    assert judged(message=service, recipient="stranger").codes == "no_basis"
    for word in ("promotion", "survey", "review_request", "reconfirmation", "consent_request"):
        held = replace(service, contains=(word,))
        assert judged(message=held).codes == "no_basis"
        assert judged(message=held, **AGREED).basis == "consent"
    assert judged(message=replace(service, contains=("gift",))).codes == "fact_unclear"


def test_tracking_needs_its_own_consent() -> None:
    asks = Message("tracking", "email", AT)
    assert judged(message=asks, **AGREED).basis == "consent"
    assert judged(message=asks, customer=SALE).codes == "no_basis"
    assert judged(message=asks, person="legal").codes == "no_basis"
    tracked = Message("marketing", "email", AT, tracking=True)
    without = {duty.code for duty in judged(message=tracked, **AGREED).duties}
    assert "send_without_tracking" in without
    agreed = {duty.code for duty in judged(message=tracked, **AGREED, tracking="confirmed").duties}
    assert without - agreed == {"send_without_tracking"}


LIST = Register(
    **SAID, code="DE-LIST", name="x", url="x", channels=("email",), must_check=True, max_age_days=30
)


@pytest.mark.parametrize(
    ("register", "as_of", "listed", "code"),
    [
        (LIST, AT - timedelta(days=30), (), None),
        (LIST, AT - timedelta(days=30, seconds=1), (), "register_stale"),
        (LIST, None, (), "register_stale"),
        (LIST, AT + timedelta(seconds=1), (), "register_stale"),
        (LIST, AT, ("DE-LIST",), "register_listed"),
        (LIST, AT, ("DE-OTHER",), None),
        (LIST, None, ("DE-LIST",), "register_stale,register_listed"),
        (replace(LIST, blocks="absent"), AT, (), "register_absent"),
        (replace(LIST, blocks="absent"), AT, ("DE-LIST",), None),
        (replace(LIST, max_age_days=0), AT - timedelta(hours=10), (), None),
        (replace(LIST, max_age_days=0), AT - timedelta(hours=12), (), "register_stale"),
        (replace(LIST, must_check=False), None, ("DE-LIST",), None),
        (replace(LIST, channels=("sms",)), None, ("DE-LIST",), None),
        (replace(LIST, persons=("legal",)), None, ("DE-LIST",), None),
        (replace(LIST, applies_to=("opt_out",)), None, ("DE-LIST",), None),
    ],
)
def test_registers_are_fresh_and_say_nothing_against(
    register: Register, as_of: datetime | None, listed: tuple[str, ...], code: str | None
) -> None:
    imports = ((register.code, as_of),) if as_of else ()
    message = Message("marketing", "email", AT, registers=imports)
    verdict = judged(replace(PACK, registers=(register,)), message, **AGREED, listed=listed)
    assert verdict.codes == (code or "consent")


def test_two_labels_cannot_both_stand_first() -> None:
    other = Label(**SAID, value="AD", channels=("email",))
    two = replace(PACK, labels=(*PACK.labels, other))
    assert judged(two, **AGREED).codes == "label_conflict"
    shared = replace(PACK, labels=(*PACK.labels, replace(other, alternatives=("(AD)",))))
    assert judged(shared, **AGREED).duties[0].value == "(AD)"
    unsolicited = replace(PACK, labels=(*PACK.labels, replace(other, when="unsolicited")))
    assert judged(unsolicited, **AGREED).allowed
    assert judged(unsolicited, customer=SALE).codes == "label_conflict"


def test_hours_tell_when_they_open() -> None:
    day = Hours(**SAID, channels=("email",), days=("tue", "wed", "holiday"), opens="12:00", closes="20:00")  # fmt: skip
    pack = replace(PACK, hours=(day,))
    verdict = judged(pack, **AGREED)  # eleven o'clock in Berlin
    assert (verdict.verdict, verdict.codes) == ("deny", "outside_hours")
    assert verdict.until == datetime(2026, 11, 24, 11, tzinfo=UTC)
    assert verdict.reasons[0].source.endswith("; opens at 2026-11-24T11:00:00Z")
    noon = judged(pack, now=verdict.until, **AGREED)
    assert (noon.verdict, noon.until) == ("allow", datetime(2026, 11, 24, 19, tzinfo=UTC))
    assert judged(pack, consent="none").codes == "no_basis,outside_hours"
    assert judged(replace(PACK, hours=(replace(day, consent_overrides=True),)), **AGREED).allowed


def test_the_time_of_sending_counts_and_not_of_asking() -> None:
    later = Message("marketing", "email", AT + timedelta(hours=20))
    sale = SALE._replace(on="2024-11-24")
    assert judged(customer=sale).allowed
    assert judged(message=later, customer=sale).codes == "no_basis,too_old"
    past = Message("marketing", "email", AT - timedelta(days=400))
    assert judged(message=past, customer=SALE).allowed  # nothing goes out before it was asked


def test_a_message_in_time_renews_where_the_law_says_so() -> None:
    year = Period(**SAID, triggers=("sale_paid",), count=12, unit="months", renewed_by_message=True)
    old = SALE._replace(on="2020-01-01")
    pack = law(exception={"periods": (year,)})
    assert judged(pack, customer=old._replace(renewed_on="2025-11-24")).allowed
    late = old._replace(renewed_on="2025-11-23")
    assert judged(pack, customer=late).codes == "no_basis,too_old"
    assert judged(pack, customer=old).codes == "no_basis,too_old"
    # A message on another basis is none of the exception's: it revives nothing.
    assert judged(pack, customer=late, sent_on="2026-11-01").codes == "no_basis,too_old"
    fixed = law(exception={"periods": (replace(year, renewed_by_message=False),)})
    assert judged(fixed, customer=old._replace(renewed_on="2025-11-24")).codes == "no_basis,too_old"


def test_a_period_from_an_end_does_not_run_before_it() -> None:
    after = Period(**SAID, triggers=("sale_paid",), count=6, unit="months", starts="end")
    pack = law(exception={"periods": (after,)})
    old = SALE._replace(on="2020-01-01")
    assert judged(pack, customer=old).allowed
    assert judged(pack, customer=old._replace(ended_on="2027-01-01")).allowed
    assert judged(pack, customer=old._replace(ended_on="2026-05-24")).allowed
    assert judged(pack, customer=old._replace(ended_on="2026-05-23")).codes == "no_basis,too_old"
