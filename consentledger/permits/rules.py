"""What may be asked: the command, its limits, and what they mean; pure. `permits.reading` reads it from a body."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from consentledger.kernel.errors import InputError
from consentledger.law.model import CAPACITIES, CONTAINS, MESSAGE_CLASSES, PERSONS
from consentledger.permits.headers import is_campaign

MAX_RECIPIENTS = 10_000
MAX_CATEGORIES = 50
DEFAULT_VALID = timedelta(hours=1)
MAX_VALID = timedelta(hours=24)
# Clocks differ: what is a little in the past means now.
SKEW = timedelta(minutes=1)
# The fields of permits.issued/2 that a batch's row keeps as its message.
MESSAGE_FIELDS = (
    "class",
    "contains",
    "categories",
    "categories_version",
    "campaign",
    "tracking",
    "send_at",
    "registers",
    "packs",
)
# Said wherever permits are shown, so that nobody reads more into one than it says.
MEANING = (
    "A permit shows that we allowed one message to one recipient until valid_until. A message without a permit "
    "proves only that we did not permit it; a permit does not prove that a message was sent."
)
_CATEGORY = re.compile(r"[a-z0-9_-]{1,64}(?:/[a-z0-9_-]{1,64}){0,9}\Z", re.ASCII)
_LONGEST_CATEGORY = 200


@dataclass(frozen=True, slots=True)
class IssuePermits:
    """Asks whether one message may go to each of `recipients` (addresses as the caller wrote them).

    `contains`: words of law.model.CONTAINS. `categories`: of the advertised products, None: the purpose's own.
    `send_at`: when it goes out, None: now. `tracking`: the purpose whose consent individual tracking needs.
    `countries`, `persons` and `capacities` are what the caller says of each recipient, None where it says nothing;
    each is as long as `recipients`, or empty when nothing is said of anybody: a million recipients stay small.
    """

    organisation_id: UUID
    sender_id: UUID
    purpose_id: UUID
    channel: str
    recipients: tuple[str, ...] = field(repr=False)
    actor: str
    message_class: str = "marketing"
    campaign: str | None = None
    valid_for: timedelta = DEFAULT_VALID
    contains: tuple[str, ...] = ()
    categories: tuple[str, ...] | None = None
    send_at: datetime | None = None
    tracking: UUID | None = None
    countries: tuple[str | None, ...] = field(default=(), repr=False)
    persons: tuple[str | None, ...] = field(default=(), repr=False)
    capacities: tuple[str | None, ...] = field(default=(), repr=False)


def check(command: IssuePermits) -> None:
    """Holds a command to its limits, whoever made it; InputError names the field."""
    check_count(len(command.recipients))
    check_message(command)
    for name in ("countries", "persons", "capacities"):
        said: Sequence[str | None] = getattr(command, name)
        if said and len(said) != len(command.recipients):
            raise wrong(name, "range", "what is said of recipients is as long as their list")


def check_message(command: IssuePermits) -> None:
    """Holds what a command says of its message to its limits; InputError names the field."""
    if command.message_class not in MESSAGE_CLASSES:
        raise wrong("class", "unknown", f"class must be one of {', '.join(MESSAGE_CLASSES)}")
    if command.campaign is not None and not is_campaign(command.campaign):
        raise wrong("campaign", "format", "1 to 64 letters, digits, dots, dashes or underscores")
    if not timedelta(0) < command.valid_for <= MAX_VALID:
        raise wrong("valid_for", "range", "permits live at least 1 second and at most 24 hours")
    for number, word in enumerate(command.contains):
        if word not in CONTAINS:
            raise wrong(f"contains[{number}]", "unknown", f"it is one of {', '.join(CONTAINS)}")
    if command.tracking is not None and command.message_class == "tracking":
        raise wrong("tracking", "class", "a message that asks only to track needs its purpose only")
    for number, category in enumerate(command.categories or ()):
        if len(category) > _LONGEST_CATEGORY or _CATEGORY.match(category) is None:
            raise wrong(f"categories[{number}]", "format", "it is no path such as garden/tools")
    if len(command.categories or ()) > MAX_CATEGORIES:
        raise wrong("categories", "too_many", f"at most {MAX_CATEGORIES} categories")


def check_count(count: int) -> None:
    """Holds the number of one batch's recipients to its limits."""
    if not count:
        raise wrong("recipients", "missing", "name at least one recipient")
    if count > MAX_RECIPIENTS:
        raise wrong(
            "recipients", "too_many", f"{count} recipients; at most {MAX_RECIPIENTS} fit one request"
        )  # fmt: skip


def check_send_at(command: IssuePermits, now: datetime) -> None:
    """Refuses a time of sending that has passed, and one at which no permit of this batch lives any more."""
    if command.send_at is None:
        return
    if command.send_at < now - SKEW:
        raise wrong("send_at", "past", "it has passed; leave it out for now")
    if command.send_at > now + command.valid_for:
        raise wrong("send_at", "too_far", "it lies behind the permits' end; ask nearer to it")


def send_at(command: IssuePermits, now: datetime) -> datetime:
    """Returns when a batch that is decided `now` goes out: as asked, and never before now.

    A run of many batches outlives a time of sending that was the present when it was asked.
    """
    return now if command.send_at is None else max(command.send_at, now)


def is_person(value: object) -> bool:
    """Tells whether this is a word for a kind of person."""
    return value in PERSONS


def is_capacity(value: object) -> bool:
    """Tells whether this is a word for a capacity in which a person has an address."""
    return value in CAPACITIES


def wrong(name: str, reason: str, why: str) -> InputError:
    """Makes an InputError that names its field."""
    return InputError(f"{name}: {why}", field=name, reason=reason)
