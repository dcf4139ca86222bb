"""Permit lines: one committed decision per recipient with the facts it was made from, under `permits.issued`'s root.

Lines of version 1 (`ledger.first_permit`) stay readable; this is what is written now.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import astuple, dataclass, fields

from consentledger.kernel.errors import VerificationError
from consentledger.ledger import merkle
from consentledger.ledger.disclosure import Scalar, Value, make_disclosure, parse_disclosure, url64

HEADER = "consentledger/permit/v2"
RULE = "permit"
SALT_BYTES = 16
VERDICTS = ("allow", "deny", "review")
MAX_ROW = (1 << 16) - 1
_ID = re.compile(r"[A-Za-z0-9_-]{16}\Z", re.ASCII)
_COUNTRY = re.compile(r"[A-Z]{2}\Z", re.ASCII)
_REGISTER = re.compile(r"[A-Z0-9][A-Z0-9_.-]{0,63}\Z", re.ASCII)
_PACK = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,63}@[1-9][0-9]{0,8}\Z", re.ASCII)
_WORD = re.compile(r"[a-z][a-z0-9_]{0,63}\Z", re.ASCII)


@dataclass(frozen=True, slots=True)
class Permit:
    """The decision about one recipient, in the order of the disclosure's flat array; never an address.

    `permit` is base64url of the 12-byte id. `contact` names a contact only where `recipient` is `record`; `entry` is
    the number, among that contact's entries, of the one that recorded the ground in `customer` (`Customer.text()`).
    `countries`, `listed`, `packs` and `reasons` are lists joined by commas, "" for none; the first two are sorted.
    All others are the words of law.model.Facts and Verdict; `valid_until` and `basis` stand only where allowed.
    """

    permit: str
    row: int
    contact: str | None
    entry: int | None
    recipient: str
    countries: str
    person: str
    capacity: str
    consent: str
    grade: str
    consented_on: str | None
    sent_on: str | None
    objection: str
    closed: bool
    customer: str | None
    listed: str
    tracking: str
    packs: str
    verdict: str
    basis: str | None
    reasons: str
    valid_until: str | None

    @property
    def allowed(self) -> bool:
        """Tells whether the message may go."""
        return self.verdict == "allow"


_TYPES: dict[str, tuple[type, ...]] = {
    "row": (int,),
    "entry": (int, type(None)),
    "closed": (bool,),
    **dict.fromkeys(
        ("contact", "consented_on", "sent_on", "customer", "basis", "valid_until"),
        (str, type(None)),
    ),
}
_NAMES = tuple(field.name for field in fields(Permit))


def permit_disclosure(salt: bytes, permit: Permit) -> str:
    """Returns the permit's disclosure; the salt is 16 bytes (the one exception to 32)."""
    if len(salt) != SALT_BYTES:
        raise ValueError("a permit's salt is 16 bytes long")
    return make_disclosure(salt, "permit", list(astuple(permit)))


def permit_line(disclosure: str) -> bytes:
    """Returns the line that stands in the batch's tree, without a line feed."""
    commitment = url64(hashlib.sha256(disclosure.encode("ascii")).digest()).decode("ascii")
    return f"{HEADER} {commitment}".encode("ascii")


def permit_line_hash(disclosure: str) -> bytes:
    """Returns the line's leaf hash in the batch's tree."""
    return merkle.leaf_hash(permit_line(disclosure))


def parse_permit(disclosure: str) -> Permit:
    """Reads a permit's disclosure strictly; VerificationError for anything that no batch would write."""
    _, name, value = parse_disclosure(disclosure, salt_bytes=SALT_BYTES)
    if name != "permit":
        raise VerificationError("the disclosure is not named permit", rule=RULE)
    return permit_of(value)


def permit_of(value: Value) -> Permit:
    """Returns the permit that a flat array tells, after checking its length, its types and its form."""
    if not isinstance(value, list | tuple) or len(value) != len(_NAMES):
        raise VerificationError("a permit has the wrong number of values", rule=RULE)
    _check_types(value)
    permit = Permit(*value)
    _check_lists(permit)
    _check_form(permit)
    return permit


def _check_types(value: Sequence[Scalar]) -> None:
    for name, item in zip(_NAMES, value, strict=True):
        if type(item) not in _TYPES.get(name, (str,)):
            raise _wrong(f"{name} of a permit has the wrong type")


def _check_lists(permit: Permit) -> None:
    for name, pattern, ordered in (
        ("countries", _COUNTRY, True),
        ("listed", _REGISTER, True),
        ("packs", _PACK, False),
        ("reasons", _WORD, False),
    ):
        text: str = getattr(permit, name)
        items = text.split(",") if text else []
        if any(pattern.match(item) is None for item in items):
            raise _wrong(f"{name} of a permit is malformed")
        if ordered and items != sorted(set(items)):
            raise _wrong(f"{name} of a permit is not sorted, or names one twice")


def _check_form(permit: Permit) -> None:
    if _ID.match(permit.permit) is None or not 0 <= permit.row <= MAX_ROW:
        raise _wrong("the id or the row of a permit is malformed")
    if permit.verdict not in VERDICTS or not permit.reasons:
        raise _wrong("a permit has no verdict, or no reason")
    if (permit.contact is not None) != (permit.recipient == "record"):
        raise _wrong("a permit names a contact that is none on record, or leaves one out")
    if (permit.entry is not None) != (permit.customer is not None) or (permit.entry or 0) < 0:
        raise _wrong("a permit's ground stands without its entry, or the entry without its ground")
    if {permit.basis is not None, permit.valid_until is not None} != {permit.allowed}:
        raise _wrong("a denial has a basis or an end, or a permit lacks one")


def _wrong(message: str) -> VerificationError:
    return VerificationError(message, rule=RULE)
