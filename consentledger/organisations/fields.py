"""Reads single values of what a marketer publishes, strictly; each error names the field and a reason."""

from __future__ import annotations

import re
import unicodedata

from email_validator import EmailNotValidError, validate_email

from consentledger.kernel.errors import InputError

LINE = 200
TEXT = 20_000
URL = 2_000
CHANNELS = ("email", "sms")
COLLECTABLE_CHANNELS = ("email",)
# Marks that turn the order of letters round: a name that hides another one disguises the sender (art. 13(4)).
_TURNING = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u2028\u2029")
_LANGUAGE = re.compile(r"[a-z]{2,3}(?:-[A-Za-z0-9]{2,8}){0,3}\Z", re.ASCII)
_COUNTRY = re.compile(r"[A-Z]{2}\Z", re.ASCII)
_COLOUR = re.compile(r"#(?:[0-9a-fA-F]{6}|[0-9a-fA-F]{3})\Z", re.ASCII)
_PHONE = re.compile(r"\+?[0-9][0-9 ()/.-]{3,30}\Z", re.ASCII)
_CATEGORY = re.compile(r"[a-z0-9_-][a-z0-9_.-]{0,63}(?:/[a-z0-9_-]{1,64}){0,9}\Z", re.ASCII)


def wrong(field: str, reason: str, message: str) -> InputError:
    """Makes the error that names a field."""
    return InputError(message, field=field, reason=reason)


def line(value: object, field: str, *, longest: int = LINE) -> str:
    """Returns one line of text, NFC, without blanks around it; empty, long or controlling text is refused."""
    found = text(value, field, longest=longest)
    if "\n" in found or "\t" in found:
        raise wrong(field, "control_character", f"{field} must be one line")
    return found


def text(value: object, field: str, *, longest: int = TEXT) -> str:
    """Returns text of several lines (LF), NFC; control characters and marks that turn text are refused."""
    if not isinstance(value, str):
        raise wrong(field, "type", f"{field} must be text")
    found = unicodedata.normalize("NFC", value.replace("\r\n", "\n")).strip()
    if not found:
        raise wrong(field, "missing", f"{field} is missing")
    if len(found) > longest:
        raise wrong(field, "too_long", f"{field} is longer than {longest} characters")
    for letter in found:
        if letter in _TURNING or (
            unicodedata.category(letter) in ("Cc", "Cs") and letter not in "\n\t"
        ):
            raise wrong(field, "control_character", f"{field} holds a control character")
    return found


def maybe_line(value: object, field: str) -> str | None:
    """Returns one line of text, or None when there is none."""
    return None if value is None else line(value, field)


def language(value: object, field: str = "language") -> str:
    """Returns a language tag such as `de` or `pt-BR` (RFC 5646)."""
    if not isinstance(value, str) or _LANGUAGE.match(value) is None:
        raise wrong(field, "format", f"{field} must be a language tag such as en or de")
    return value


def country(value: object, field: str = "country") -> str:
    """Returns a country as two capital letters (ISO 3166-1)."""
    if not isinstance(value, str) or _COUNTRY.match(value) is None:
        raise wrong(field, "format", f"{field} must be two capital letters such as DE")
    return value


def colour(value: object, field: str = "colour") -> str | None:
    """Returns `#rgb` or `#rrggbb`, or None."""
    if value is None:
        return None
    if not isinstance(value, str) or _COLOUR.match(value) is None:
        raise wrong(field, "format", f"{field} must be written like #1d5b79")
    return value.lower()


def phone(value: object, field: str) -> str | None:
    """Returns a telephone number as people write it, or None."""
    if value is None:
        return None
    if not isinstance(value, str) or _PHONE.match(value) is None:
        raise wrong(field, "format", f"{field} must be a telephone number such as +49 30 1234567")
    return value


def email(value: object, field: str) -> str:
    """Returns a mail address of the sender's own, its domain in A-labels."""
    found = line(value, field, longest=254)
    try:
        read = validate_email(
            found, check_deliverability=False, globally_deliverable=False, test_environment=True
        )
    except EmailNotValidError as error:
        raise wrong(field, "format", f"{field} is no mail address: {error}") from error
    if read.ascii_email is None:
        raise wrong(field, "smtputf8", f"{field} must have an ASCII part before the @")
    return read.ascii_email


def category(value: object, field: str = "categories") -> str:
    """Returns a product category: words of small letters, digits, dash, underscore, parts of a path by slashes."""
    if not isinstance(value, str) or _CATEGORY.match(value) is None:
        raise wrong(field, "format", f"{field}: {value!r} is no category such as garden/tools")
    return value


def channel(value: object, field: str = "channel") -> str:
    """Returns `email` or `sms`."""
    if value not in CHANNELS:
        raise wrong(field, "unknown", f"{field} must be one of {', '.join(CHANNELS)}")
    return str(value)
