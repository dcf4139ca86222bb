"""Permit lines of version 1, as batches before the law was data wrote them: read for ever, never written anew."""

from __future__ import annotations

import hashlib
from dataclasses import astuple, dataclass

from consentledger.kernel.errors import VerificationError
from consentledger.ledger import merkle
from consentledger.ledger.disclosure import Value, make_disclosure, parse_disclosure, url64

HEADER = "consentledger/permit/v1"
RULE = "permit"
SALT_BYTES = 16


@dataclass(frozen=True, slots=True)
class FirstPermit:
    """The decision about one recipient, in the order of the disclosure's flat array.

    `permit` is base64url of the 12-byte id; `reasons` are codes joined by commas; never an address.
    """

    permit: str
    row: int
    contact: str | None
    consent_state: str
    objection: str
    allowed: bool
    basis: str | None
    reasons: str
    valid_until: str | None


_TYPES: tuple[tuple[type, ...], ...] = (
    (str,),
    (int,),
    (str, type(None)),
    (str,),
    (str,),
    (bool,),
    (str, type(None)),
    (str,),
    (str, type(None)),
)


def first_permit_disclosure(salt: bytes, permit: FirstPermit) -> str:
    """Returns the permit's disclosure; the salt is 16 bytes (the one exception to 32)."""
    if len(salt) != SALT_BYTES:
        raise ValueError("a permit's salt is 16 bytes long")
    return make_disclosure(salt, "permit", list(astuple(permit)))


def first_permit_line(disclosure: str) -> bytes:
    """Returns the line that stands in the batch's tree, without a line feed."""
    commitment = url64(hashlib.sha256(disclosure.encode("ascii")).digest()).decode("ascii")
    return f"{HEADER} {commitment}".encode("ascii")


def first_permit_line_hash(disclosure: str) -> bytes:
    """Returns the line's leaf hash in the batch's tree."""
    return merkle.leaf_hash(first_permit_line(disclosure))


def parse_first_permit(disclosure: str) -> FirstPermit:
    """Reads a permit's disclosure strictly."""
    _, name, value = parse_disclosure(disclosure, salt_bytes=SALT_BYTES)
    if name != "permit":
        raise VerificationError("the disclosure is not named permit", rule=RULE)
    return first_permit_of(value)


def first_permit_of(value: Value) -> FirstPermit:
    """Returns the permit that a flat array tells, after checking its length and types."""
    if not isinstance(value, list | tuple) or len(value) != len(_TYPES):
        raise VerificationError("a permit has the wrong number of values", rule=RULE)
    for item, types in zip(value, _TYPES, strict=True):
        if type(item) not in types:
            raise VerificationError("a value of a permit has the wrong type", rule=RULE)
    return FirstPermit(*value)
