"""The sentences of each section of a pack; one sentence per key that says something, none for what is not there."""

from __future__ import annotations

from collections.abc import Iterator

from consentledger.law.pack import (
    Consent,
    DutyRule,
    Hours,
    Identity,
    Label,
    Pack,
    Period,
    Record,
    Register,
    Unsubscribe,
)
from consentledger.law.telling.words import (
    BASES,
    DOUBLE_OPT_IN,
    IN_A_SENTENCE,
    PERSONS,
    PRODUCTS,
    TRIGGERS,
    WEEKDAYS,
    Line,
    Name,
    channels,
    gettext,
    span,
    word,
    words,
)


def exception(pack: Pack) -> Iterator[Line]:
    """The existing-customer exception: whether there is one, and each of its conditions."""
    rule = pack.exception
    if not rule.available:
        yield gettext("There is none: customers, too, are only written to as said above.")
        return
    if pack.status == "draft":
        yield gettext(
            "This pack is a draft: until it is reviewed the exception is off, whatever stands below."
        )
    yield gettext(
        "Without asking first, by %(channels)s, to %(persons)s, and only if all of this holds:",
        channels=words(IN_A_SENTENCE, rule.channels),
        persons=words(PERSONS, rule.persons),
    )
    yield gettext(
        "the address came with one of these: %(triggers)s;", triggers=words(TRIGGERS, rule.triggers)
    )
    if rule.risk_triggers:
        yield gettext(
            "not settled, and only where the sender took on that risk: %(triggers)s;",
            triggers=words(TRIGGERS, rule.risk_triggers),
        )
    if rule.same_legal_person:
        yield gettext("the same company that sold also writes;")
    yield gettext("%(products)s;", products=word(PRODUCTS, rule.products))
    if rule.collected_directly:
        yield gettext("the customer gave the address to the sender directly;")
    if rule.told_use_for_advertising:
        yield gettext("the customer was told then that it would be used for advertising;")
    if rule.opt_out_at_collection:
        yield gettext(
            "a free and easy way to say no was offered when the address was given, and not used;"
        )
    yield from _disclosed(pack)
    if rule.opt_out_in_each_message:
        yield gettext("the same way out stands in each message;")
    if rule.ends_with_relationship:
        yield gettext("the business relationship still lasts;")
    yield gettext("nobody said stop since.")


def _disclosed(pack: Pack) -> Iterator[Line]:
    rule = pack.exception
    if rule.disclosed:
        triggers = words(TRIGGERS, rule.disclosed)
        persons = words(PERSONS, rule.disclosed_persons)
        yield gettext(
            "for %(triggers)s: the conditions of a sale do not bind, and it counts for %(persons)s only;",
            triggers=triggers,
            persons=persons,
        )
    if rule.disclosed_role_relevant:
        yield gettext("there, the message must concern the holder’s role at work;")
    for trigger, day in rule.not_before.items():
        yield gettext(
            "%(trigger)s counts only from %(day)s on;",
            trigger=word(TRIGGERS, trigger),
            day=day.isoformat(),
        )


def period(rule: Period) -> Iterator[Line]:
    """How long a ground carries."""
    long = span(rule.count, rule.unit)
    triggers = words(TRIGGERS, rule.triggers)
    if rule.starts == "end":
        yield gettext(
            "It carries for %(span)s from its end: %(triggers)s.", span=long, triggers=triggers
        )
    else:
        yield gettext("It carries for %(span)s: %(triggers)s.", span=long, triggers=triggers)
    if rule.first_day_counts:
        yield gettext("The day of sending itself counts as the first day.")
    if rule.renewed_by_message:
        yield gettext("Each message sent in time starts the period anew.")


def consent(rule: Consent) -> Iterator[Line]:
    """What consent needs, and how long it carries."""
    yield word(DOUBLE_OPT_IN, rule.double_opt_in)
    if rule.expires_months is not None:
        yield gettext("By law it ends after %(span)s.", span=span(rule.expires_months, "months"))
    if rule.dormancy_warning_months is not None:
        months = span(rule.dormancy_warning_months, "months")
        yield gettext(
            "This service asks for it to be refreshed after %(span)s without use.", span=months
        )
    if rule.dormancy_review_months is not None:
        months = span(rule.dormancy_review_months, "months")
        yield gettext(
            "After %(span)s without use a person must look before anything is sent.", span=months
        )
    if rule.notice_months is not None:
        months = span(rule.notice_months, "months")
        yield gettext(
            "Every %(span)s the person must be told that the consent is still held.", span=months
        )
    if rule.ends_with_relationship:
        yield gettext("It ends with an ongoing contract.")
    if rule.one_request_to:
        yield gettext(
            "These may be asked for it once, which this service does not decide: %(persons)s.",
            persons=words(PERSONS, rule.one_request_to),
        )


def unsubscribe(rule: Unsubscribe) -> Iterator[Line]:
    """The way out: how fast, how long it works, what it may cost."""
    if rule.days == 0:
        yield gettext("A stop takes effect at once.")
    else:
        yield gettext("A stop takes effect within %(span)s.", span=span(rule.days, rule.unit))
        if rule.first_day_counts:
            yield gettext("The day on which it arrives counts as the first day.")
    if rule.unit == "business_days" and rule.calendar == "recipient":
        yield gettext("Business days are those of the recipient’s place.")
    elif rule.unit == "business_days":
        yield gettext("Business days are those of the sender’s place.")
    if rule.works_for_days is not None:
        yield gettext(
            "It must work for at least %(span)s after sending.",
            span=span(rule.works_for_days, "days"),
        )
    if rule.fee_forbidden:
        yield gettext("It costs nothing.")
    if rule.login_forbidden:
        yield gettext("It needs no account and no login.")
    if rule.same_channel:
        yield gettext("It works by the same channel as the message.")
    if rule.email_address_needed:
        yield gettext("The message names an e-mail address for it.")
    if rule.result_notice_days is not None:
        yield gettext(
            "Its result is told within %(span)s.", span=span(rule.result_notice_days, "days")
        )
    if rule.languages:
        named = tuple(Name("language", code) for code in rule.languages)
        yield gettext("The message says how, in %(languages)s.", languages=named)


def identity(rule: Identity) -> Iterator[Line]:
    """What the message must tell of its sender."""
    parts = {
        "legal_name": gettext("the legal name"),
        "postal_address": gettext("a postal address"),
        "contact_channel": gettext("a way to reach the sender"),
    }
    for key, part in parts.items():
        needed = getattr(rule, key)
        if needed == "required":
            yield gettext("Required: %(part)s.", part=part)
        elif needed == "recommended":
            yield gettext("Recommended: %(part)s.", part=part)
    if rule.further:
        yield gettext("Also: %(parts)s.", parts=rule.further)
    if not rule.po_box_allowed:
        yield gettext("A post office box is not enough.")
    if rule.accurate_days is not None:
        yield gettext(
            "It must stay right for %(span)s after sending.", span=span(rule.accurate_days, "days")
        )


def label(rule: Label) -> Iterator[Line]:
    """A mark in the subject."""
    values = {"channels": channels(rule.channels), "value": rule.value.strip()}
    if rule.when == "unsolicited":
        yield gettext("%(channels)s without consent: “%(value)s” stands first.", **values)
    else:
        yield gettext("%(channels)s: “%(value)s” stands first.", **values)
    if rule.alternatives:
        yield gettext("Also accepted: %(values)s.", values=rule.alternatives)


def hours(rule: Hours) -> Iterator[Line]:
    """When marketing may be sent."""
    yield gettext(
        "%(channels)s on %(days)s from %(opens)s to %(closes)s, local time.",
        channels=channels(rule.channels),
        days=words(WEEKDAYS, rule.days),
        opens=rule.opens,
        closes=rule.closes,
    )
    if rule.consent_overrides:
        yield gettext("Not for messages that somebody consented to.")


def register(rule: Register) -> Iterator[Line]:
    """A public list to look into."""
    where = (rule.name, rule.url) if rule.url else (rule.name,)
    yield gettext("The register: %(name)s.", name=where)
    if not rule.must_check:
        yield gettext("It is told here only: this service does not look into it.")
        return
    if rule.blocks == "absent":
        yield gettext("Who does not stand in it may not be written to.")
    else:
        yield gettext("Who stands in it may not be written to.")
    yield gettext("It holds for messages %(bases)s.", bases=words(BASES, rule.applies_to))
    if rule.max_age_days == 0:
        yield gettext("The sender looks into it on the day of sending.")
    else:
        old = span(rule.max_age_days, "days")
        yield gettext("The sender’s copy is at most %(span)s old.", span=old)


def duty(rule: DutyRule) -> Iterator[Line]:
    """One more thing that a message must carry."""
    if rule.value is not None:
        yield gettext(
            "%(channels)s: “%(value)s”.", channels=channels(rule.channels), value=rule.value
        )


def record(rule: Record) -> Iterator[Line]:
    """What must be kept; what and how long are the author's words."""
    yield gettext("%(what)s: %(period)s", what=rule.what, period=rule.period)
