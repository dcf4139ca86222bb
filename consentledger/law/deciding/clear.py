"""Whether facts and messages are told in known words: what is not clear is never allowed."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from consentledger.law import model
from consentledger.law.deciding.place import is_day
from consentledger.law.model import CURRENT, OLD, Customer, Facts, Message


def message(told: Message) -> bool:
    """Tells whether class, channel and contents of a message are known words."""
    return (
        told.message_class in model.MESSAGE_CLASSES
        and told.channel in model.CHANNELS
        and all(word in model.CONTAINS for word in told.contains)
    )


def is_service(told: Message) -> bool:
    """Tells whether a message is what it says: anything in it that promotes, surveys or asks makes it marketing."""
    return told.message_class == "service" and not told.contains


def facts(told: Facts, at: datetime) -> bool:
    """Tells whether every fact is a known word, and no day lies after the day of sending (anywhere on earth)."""
    return (
        told.recipient in model.RECIPIENTS
        and told.person in model.PERSONS
        and told.capacity in model.CAPACITIES
        and told.consent in model.CONSENT_STATES
        and told.grade in model.GRADES
        and told.objection in model.OBJECTIONS
        and told.tracking in model.CONSENT_STATES
        and isinstance(told.closed, bool)
        and _past(told.consented_on, at)
        and _past(told.sent_on, at)
        and (told.customer is None or _customer(told.customer, at))
    )


def last_day(at: datetime) -> str:
    """Returns the latest date (ISO) that it can be anywhere on earth at an instant."""
    try:
        return (at.date() + timedelta(days=1)).isoformat()
    except OverflowError:
        return date.max.isoformat()


def _past(day: str | None, at: datetime) -> bool:
    return day is None or day in (CURRENT, OLD) or (is_day(day) and day <= last_day(at))


def _customer(told: Customer, at: datetime) -> bool:
    return (
        told.trigger in model.TRIGGERS
        and told.relation in model.RELATIONS
        and all(flag in model.FLAGS for flag in told.flags)
        and _past(told.on, at)
        and (told.ended_on is None or is_day(told.ended_on))
        and _past(told.renewed_on, at)
    )
