"""What may be asked, and what is decided: pure; the clock is an argument."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from consentledger.kernel.errors import InputError
from consentledger.law.first.decide import decide
from consentledger.law.first.model import MESSAGE_CLASSES, Facts, Pack
from consentledger.permits.headers import is_campaign
from consentledger.permits.lines import Ruling

MAX_RECIPIENTS = 10_000
DEFAULT_VALID = timedelta(hours=1)
MAX_VALID = timedelta(hours=24)
_KEYS = frozenset(("sender", "purpose", "channel", "recipients", "class", "campaign", "valid_for"))
# Said wherever permits are shown, so that nobody reads more into one than it says.
MEANING = (
    "A permit shows that we allowed one message to one recipient until valid_until. A message without a permit "
    "proves only that we did not permit it; a permit does not prove that a message was sent."
)


@dataclass(frozen=True, slots=True)
class IssuePermits:
    """Asks whether one message may go to each of `recipients` (addresses as the caller wrote them)."""

    organisation_id: UUID
    sender_id: UUID
    purpose_id: UUID
    channel: str
    recipients: tuple[str, ...] = field(repr=False)
    actor: str
    message_class: str = "marketing"
    campaign: str | None = None
    valid_for: timedelta = DEFAULT_VALID


def read_message(body: Mapping[str, Any], organisation_id: UUID, actor: str) -> IssuePermits:
    """Reads the body of POST /permits; each slip is an InputError that names the field and a reason."""
    for key in sorted(body.keys() - _KEYS):
        raise _wrong(str(key)[:64], "unknown", "this field is unknown")
    for key in ("sender", "purpose", "channel", "recipients"):
        if body.get(key) is None:
            raise _wrong(key, "missing", "this field is missing")
    return IssuePermits(
        organisation_id=organisation_id,
        sender_id=_uuid(body["sender"], "sender"),
        purpose_id=_uuid(body["purpose"], "purpose"),
        channel=_text(body["channel"], "channel"),
        recipients=_recipients(body["recipients"]),
        actor=actor,
        message_class=_message_class(body.get("class")),
        campaign=_campaign(body.get("campaign")),
        valid_for=_valid_for(body.get("valid_for")),
    )


def check(command: IssuePermits) -> None:
    """Holds a command made by code to the same limits as one read from a body."""
    _recipients(list(command.recipients))
    _message_class(command.message_class)
    _campaign(command.campaign)
    if not timedelta(0) < command.valid_for <= MAX_VALID:
        raise _wrong("valid_for", "range", "permits live at least 1 second and at most 24 hours")


class Rulings:
    """The distinct verdicts of one batch: decides each pattern of facts once, and numbers it."""

    def __init__(self, pack: Pack, message_class: str, channel: str, now: datetime) -> None:
        self._pack, self._class, self._channel, self._now = pack, message_class, channel, now
        self._numbers: dict[tuple[str, str, str], int] = {}
        self.list: list[Ruling] = []

    def number(self, recipient: str, consent: str = "none", objection: str = "none") -> int:
        """Returns the number of the ruling for these facts, deciding them if they are new."""
        key = (recipient, consent, objection)
        found = self._numbers.get(key)
        if found is None:
            facts = Facts(self._class, self._channel, recipient, consent, objection)
            found = self._numbers[key] = len(self.list)
            self.list.append(Ruling(consent, objection, decide(facts, self._pack, self._now)))
        return found


def _recipients(value: object) -> tuple[str, ...]:
    if not isinstance(value, list):
        raise _wrong("recipients", "type", "recipients must be a list of addresses")
    if not value:
        raise _wrong("recipients", "missing", "name at least one recipient")
    if len(value) > MAX_RECIPIENTS:
        raise _wrong(
            "recipients",
            "too_many",
            f"{len(value)} recipients; at most {MAX_RECIPIENTS} fit one request",
        )
    return tuple([_address(recipient, number) for number, recipient in enumerate(value)])


def _address(recipient: object, number: int) -> str:
    # A recipient is an address, or an object with one: facts about the recipient (country, kind) come there.
    if type(recipient) is str:
        return recipient
    where = f"recipients[{number}]"
    if not isinstance(recipient, dict):
        raise _wrong(where, "type", 'a recipient is an address, as text or as {"address": …}')
    address = recipient.get("address")
    if type(address) is not str:
        raise _wrong(f"{where}.address", "missing", "a recipient needs an address, as text")
    if len(recipient) > 1:
        unknown = next(key for key in recipient if key != "address")
        raise _wrong(f"{where}.{str(unknown)[:64]}", "unknown", "this field is unknown")
    return address


def _message_class(value: object) -> str:
    if value is None:
        return "marketing"
    if value not in MESSAGE_CLASSES:
        raise _wrong("class", "unknown", f"class must be one of {', '.join(MESSAGE_CLASSES)}")
    return str(value)


def _campaign(value: object) -> str | None:
    if value is None:
        return None
    if not isinstance(value, str) or not is_campaign(value):
        raise _wrong("campaign", "format", "1 to 64 letters, digits, dots, dashes or underscores")
    return value


def _valid_for(value: object) -> timedelta:
    if value is None:
        return DEFAULT_VALID
    if type(value) is not int or not 1 <= value <= MAX_VALID.total_seconds():
        raise _wrong("valid_for", "range", "a whole number of seconds from 1 to 86400")
    return timedelta(seconds=value)


def _uuid(value: object, name: str) -> UUID:
    text = _text(value, name)
    try:
        found = UUID(text)
    except ValueError:
        raise _wrong(name, "format", f"{name} must be an id (UUID)") from None
    if str(found) != text.lower():
        raise _wrong(name, "format", f"{name} must be an id (UUID)")
    return found


def _text(value: object, name: str) -> str:
    if not isinstance(value, str) or len(value) > 64:
        raise _wrong(name, "type", f"{name} must be short text")
    return value


def _wrong(name: str, reason: str, why: str) -> InputError:
    return InputError(f"{name}: {why}", field=name, reason=reason)
