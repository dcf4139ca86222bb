"""Disclosures (salt, name, value) and their commitments, as in RFC 9901 (SD-JWT)."""

from __future__ import annotations

import hashlib
import json
import re
from binascii import a2b_base64, b2a_base64
from collections.abc import Sequence

from consentledger.kernel.errors import VerificationError
from consentledger.ledger import strict

Scalar = None | bool | int | str
Value = Scalar | Sequence[Scalar]
RULE = "disclosure"
LIMIT = 2**53
URL_ALPHABET = bytes.maketrans(b"+/", b"-_")
NAME = re.compile(r"[a-z][a-z0-9_]{0,63}\Z", re.ASCII)
# Nearly every disclosure is this plain: then it is canonical as it stands, and needs no JSON reader.
# The last character of 32 bytes in base64url has two bits to spare, which must be zero.
LAST_OF_32 = "AEIMQUYcgkosw048"
_TEXT = r'"[^"\\\x00-\x1f]*"'
_NUMBER = r"(?:0|-?[1-9][0-9]{0,14})"
_PLAIN = re.compile(
    rf'\["[A-Za-z0-9_-]{{42}}[{LAST_OF_32}]","([a-z][a-z0-9_]{{0,63}})",'
    rf"(?:({_TEXT})|(null|true|false)"
    rf"|({_NUMBER}|\[(?:(?:{_TEXT}|{_NUMBER})(?:,(?:{_TEXT}|{_NUMBER}))*)?\]))\]\Z",
    re.ASCII,
)
_WORDS = {"null": None, "true": True, "false": False}
# Back to the standard alphabet; what base64url does not have becomes what base64 does not have.
_STANDARD = bytes.maketrans(b"-_+/=", b"+/!!!")
_SPARE = {0: None, 2: frozenset(b"AQgw"), 3: frozenset(LAST_OF_32.encode("ascii"))}
_decode_json = json.JSONDecoder().decode
_encode_json = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode


def url64(data: bytes) -> bytes:
    """Encodes base64url without padding, as fast as the standard library can."""
    return b2a_base64(data, newline=False).translate(URL_ALPHABET).rstrip(b"=")


def is_value(value: object) -> bool:
    """Tells whether a value may be committed: null, boolean, |integer| < 2^53, text, flat array."""
    if isinstance(value, list | tuple):
        return all(_is_scalar(item) for item in value)
    return _is_scalar(value)


def _is_scalar(value: object) -> bool:
    if value is None or value is True or value is False:
        return True
    if type(value) is int:
        return -LIMIT < value < LIMIT
    return type(value) is str and not _SURROGATE.search(value)


_SURROGATE = re.compile("[\ud800-\udfff]")


def make_disclosure(salt: bytes, name: str, value: Value) -> str:
    """Returns base64url of `["<salt>","<name>",<value>]`; a bad value raises ValueError."""
    if len(salt) not in (16, 32) or NAME.match(name) is None or not is_value(value):
        raise ValueError(f"{name} can't be committed: wrong salt, name or value")
    text = _encode_json([url64(salt).decode("ascii"), name, value])
    return url64(text.encode("utf-8")).decode("ascii")


def commit(disclosure: str) -> str:
    """Returns the commitment: base64url of SHA-256 over the disclosure's ASCII bytes."""
    return url64(hashlib.sha256(disclosure.encode("ascii")).digest()).decode("ascii")


def parse_disclosure(disclosure: str, *, salt_bytes: int = 32) -> tuple[bytes, str, Value]:
    """Returns (salt, name, value) of a disclosure that re-encodes to the very same bytes.

    Anything else (floats, big integers, nesting, blanks, lone surrogates) raises VerificationError.
    """
    data = strict.base64_url(disclosure, rule=RULE, what="a disclosure")
    try:
        decoded = json.loads(data.decode("utf-8"))
        again = _encode_json(decoded).encode("utf-8")
    except (ValueError, RecursionError) as error:
        raise VerificationError("a disclosure is not canonical JSON", rule=RULE) from error
    if again != data:
        raise VerificationError("a disclosure is not in its canonical form", rule=RULE)
    if not isinstance(decoded, list) or len(decoded) != 3:
        raise VerificationError("a disclosure is not [salt, name, value]", rule=RULE)
    salt_text, name, value = decoded
    if not isinstance(salt_text, str) or not isinstance(name, str) or NAME.match(name) is None:
        raise VerificationError("a disclosure's salt or name is malformed", rule=RULE)
    if not is_value(value):
        raise VerificationError(f"the value of {name} is of no allowed type", rule=RULE)
    salt = strict.base64_url(salt_text, rule=RULE, what="a salt", length=salt_bytes)
    return salt, name, value


def read_disclosure(disclosure: bytes) -> tuple[str, Value]:
    """Returns (name, value) as `parse_disclosure` would, several times faster in the usual case."""
    rest = len(disclosure) & 3
    spare = _SPARE.get(rest, frozenset())
    try:
        padding = b"==" if rest == 2 else b"=" if rest == 3 else b""
        data = a2b_base64(disclosure.translate(_STANDARD) + padding, strict_mode=True)
        match = _PLAIN.match(data.decode("utf-8"))
    except ValueError:
        match = None
    if match is None or (spare is not None and disclosure[-1] not in spare):
        _, name, value = parse_disclosure(disclosure.decode("latin-1"))
        return name, value
    name, text, word, other = match.groups()
    if text is not None:
        return name, text[1:-1]
    return name, (_WORDS[word] if other is None else _decode_json(other))
