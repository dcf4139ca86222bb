"""Lines of `message.sent`: what the organisation reports became of one permitted message, under the batch's root.

A line is `consentledger/sent/v1 <commitment>`; its disclosure is named `sent`, a flat array, with a salt of 16 bytes
as a permit's. It holds no address and no Message-ID, only the latter's hash: who has the message can make it.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import astuple, dataclass, fields

from consentledger.kernel.errors import VerificationError
from consentledger.ledger import merkle
from consentledger.ledger.disclosure import Value, make_disclosure, parse_disclosure, url64

HEADER = "consentledger/sent/v1"
RULE = "sent"
SALT_BYTES = 16
STATUSES = ("sent", "skipped", "failed")
LATE, NOT_PERMITTED, SENT_BEFORE = "late", "not_permitted", "sent_before"
FLAGS = (LATE, NOT_PERMITTED, SENT_BEFORE)
"""What does not fit the permit: sent behind its `valid_until`; denied; reported sent before."""
MARKETING = ("consent", "existing_customer", "opt_out")
"""The bases of messages that are marketing."""
EXCEPTION = "existing_customer"
_ID = re.compile(r"[A-Za-z0-9_-]{16}\Z", re.ASCII)
_HASH = re.compile(r"[0-9a-f]{64}\Z", re.ASCII)
_TIME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{6}Z\Z", re.ASCII)


@dataclass(frozen=True, slots=True)
class Sent:
    """One report, in the order of the disclosure's flat array.

    `permit` is base64url of the 12-byte id; `row` the place in this batch; `basis` what the permit stood on, null
    where it was denied; `at` when it was sent, skipped or failed, as reported; `message_id` and `list_headers` are hex
    SHA-256, or null where nothing was told; `flags` are words of FLAGS joined by commas.
    """

    permit: str
    row: int
    contact: str | None
    channel: str
    basis: str | None
    status: str
    at: str
    message_id: str | None
    list_headers: str | None
    flags: str

    @property
    def renews(self) -> bool:
        """Tells whether this was a marketing message that was sent as it was permitted: clocks run from it."""
        return renews(self.status, self.basis, self.flags)

    @property
    def renews_exception(self) -> bool:
        """Tells whether it was one under the existing-customer exception: the exception's own clock runs from it."""
        return self.renews and self.basis == EXCEPTION


_NAMES = tuple(field.name for field in fields(Sent))
_NULLABLE = ("contact", "basis", "message_id", "list_headers")


def renews(status: str, basis: str | None, flags: str) -> bool:
    """Tells whether clocks that run from the last message start anew: only from one that was sent as permitted."""
    told = flags.split(",")
    return (
        status == "sent" and basis in MARKETING and LATE not in told and NOT_PERMITTED not in told
    )


def message_id_hash(message_id: str) -> bytes:
    """Returns SHA-256 over a Message-ID without its angle brackets and blanks around it."""
    text = message_id.strip().removeprefix("<").removesuffix(">")
    return hashlib.sha256(text.encode("utf-8")).digest()


def sent_disclosure(salt: bytes, sent: Sent) -> str:
    """Returns the report's disclosure; the salt is 16 bytes."""
    if len(salt) != SALT_BYTES:
        raise ValueError("the salt of a report is 16 bytes long")
    return make_disclosure(salt, "sent", list(astuple(sent)))


def sent_line_hash(disclosure: str) -> bytes:
    """Returns the leaf hash of a report's line in its batch's tree."""
    commitment = url64(hashlib.sha256(disclosure.encode("ascii")).digest())
    return merkle.leaf_hash(HEADER.encode("ascii") + b" " + commitment)


def parse_sent(disclosure: str) -> Sent:
    """Reads a report's disclosure strictly; VerificationError for anything that no batch would write."""
    _, name, value = parse_disclosure(disclosure, salt_bytes=SALT_BYTES)
    if name != "sent":
        raise _wrong("the disclosure is not named sent")
    return sent_of(value)


def sent_of(value: Value) -> Sent:
    """Returns the report that a flat array tells, after checking its length, its types and its words."""
    if not isinstance(value, list | tuple) or len(value) != len(_NAMES):
        raise _wrong("a report has the wrong number of values")
    for name, item in zip(_NAMES, value, strict=True):
        if item is None and name in _NULLABLE:
            continue
        if type(item) is not (int if name == "row" else str):
            raise _wrong(f"{name} of a report has the wrong type")
    sent = Sent(*value)
    flags = sent.flags.split(",") if sent.flags else []
    if (
        _ID.match(sent.permit) is None
        or sent.row < 0
        or sent.status not in STATUSES
        or _TIME.match(sent.at) is None
        or flags != [one for one in FLAGS if one in flags]
        or not all(one is None or _HASH.match(one) for one in (sent.message_id, sent.list_headers))
    ):
        raise _wrong("a value of a report is not of its form")
    return sent


def _wrong(message: str) -> VerificationError:
    return VerificationError(message, rule=RULE)
