"""Strict readers for untrusted text: `int()`, `b64decode` and `splitlines` are lax."""

from __future__ import annotations

import base64
import binascii
import re

from consentledger.kernel.errors import VerificationError

_DECIMAL = re.compile(r"(?:0|[1-9][0-9]{0,18})\Z", re.ASCII)
_HEX = re.compile(r"[0-9a-f]{64}\Z", re.ASCII)
MAX_SIZE = 2**63 - 1


def decimal(text: str, *, rule: str, what: str) -> int:
    """Reads an ASCII decimal without sign, leading zero, blank or underscore, up to 2^63-1."""
    if _DECIMAL.match(text) is None or (value := int(text)) > MAX_SIZE:
        raise VerificationError(f"{what} is not a plain decimal number", rule=rule)
    return value


def hex32(text: str, *, rule: str, what: str) -> bytes:
    """Reads 64 lower-case hexadecimal digits as 32 bytes."""
    if _HEX.match(text) is None:
        raise VerificationError(f"{what} is not 64 lower-case hexadecimal digits", rule=rule)
    return bytes.fromhex(text)


def base64_standard(text: str, *, rule: str, what: str, length: int | None = None) -> bytes:
    """Reads canonical padded base64 (RFC 4648 section 4): it must re-encode to itself."""
    try:
        data = base64.b64decode(text.encode("ascii"), validate=True)
    except (UnicodeEncodeError, binascii.Error, ValueError) as error:
        raise VerificationError(f"{what} is not base64", rule=rule) from error
    if base64.b64encode(data).decode("ascii") != text:
        raise VerificationError(f"{what} is not canonical base64", rule=rule)
    return _of_length(data, length, rule, what)


def base64_url(text: str, *, rule: str, what: str, length: int | None = None) -> bytes:
    """Reads canonical base64url without padding (RFC 4648 section 5, RFC 7515 section 2)."""
    if "=" in text or "+" in text or "/" in text:
        raise VerificationError(f"{what} is not base64url without padding", rule=rule)
    try:
        data = base64.b64decode(
            text.encode("ascii") + b"=" * (-len(text) % 4), altchars=b"-_", validate=True
        )
    except (UnicodeEncodeError, binascii.Error, ValueError) as error:
        raise VerificationError(f"{what} is not base64url", rule=rule) from error
    if to_base64_url(data) != text:
        raise VerificationError(f"{what} is not canonical base64url", rule=rule)
    return _of_length(data, length, rule, what)


def to_base64_url(data: bytes) -> str:
    """Writes base64url without padding."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")


def lines(data: bytes | str, *, rule: str, what: str, encoding: str = "ascii") -> list[str]:
    """Splits text at LF only; the last line must end in LF, and control characters are refused."""
    if isinstance(data, str):
        text = data
        _encodable(text, encoding, rule, what)
    else:
        text = _decoded(data, encoding, rule, what)
    if not text.endswith("\n"):
        raise VerificationError(f"{what} does not end with a line feed", rule=rule)
    if _CONTROL.search(text) is not None:
        raise VerificationError(f"{what} holds a control character", rule=rule)
    return text[:-1].split("\n")


# All below U+0020 but LF, and DEL; C1 controls and U+2028 are only text, no line ends.
_CONTROL = re.compile("[\x00-\x09\x0b-\x1f\x7f]")


def _decoded(data: bytes, encoding: str, rule: str, what: str) -> str:
    try:
        return data.decode(encoding)
    except UnicodeDecodeError as error:
        raise VerificationError(f"{what} is not valid {encoding}", rule=rule) from error


def _encodable(text: str, encoding: str, rule: str, what: str) -> None:
    try:
        text.encode(encoding)
    except UnicodeEncodeError as error:
        raise VerificationError(f"{what} is not valid {encoding}", rule=rule) from error


def _of_length(data: bytes, length: int | None, rule: str, what: str) -> bytes:
    if length is not None and len(data) != length:
        raise VerificationError(f"{what} is not {length} bytes long", rule=rule)
    return data
