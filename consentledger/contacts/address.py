"""E-mail addresses: read strictly, and folded for look-up, suppression and limits.

Sources: RFC 5321 §4.5.3 (lengths), RFC 6531 and 6532 (UTF-8 local parts, NFC), RFC 5891 with UTS 46 (domains),
UTS 39 (mixed scripts). An address is kept as it was given, its domain as A-labels; folds are only for comparing.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, field

from email_validator import EmailNotValidError, validate_email

from consentledger.contacts.scripts import mixed_scripts
from consentledger.kernel.errors import InputError

FOLD_VERSION = 1
MAX_ADDRESS = 254
MAX_LOCAL = 64
# Plain addresses need no library: dot-atom, then labels of letters, digits and inner hyphens.
_PLAIN = re.compile(
    r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*"
    r"@(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])\Z"
)
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
# Providers that deliver a+tag@ to a@; for limits only, people are never told apart or joined by it.
_TAGGING = frozenset(
    (
        "gmail.com",
        "msn.com",
        "windowslive.com",
        "icloud.com",
        "fastmail.com",
        "fastmail.fm",
        "proton.me",
        "zoho.com",
        "mailbox.org",
        "posteo.de",
    )
)
# One provider's country domains, which deliver tags as its .com does.
_TAGGING_TOO = re.compile(r"(?:outlook|hotmail|live|yandex)\.(?:com?\.)?[a-z]{2,3}\Z")
_DOTLESS = frozenset(("gmail.com",))
# Domains under which one provider delivers to the same mailbox.
_SAME = {
    "googlemail.com": "gmail.com",
    "me.com": "icloud.com",
    "mac.com": "icloud.com",
    "pm.me": "proton.me",
    "protonmail.com": "proton.me",
    "protonmail.ch": "proton.me",
    "ya.ru": "yandex.ru",
    "yandex.com": "yandex.ru",
}


@dataclass(frozen=True, slots=True)
class Address:
    """A valid address: `text` as mail is sent to it; `unicode_domain` differs from `domain` for an IDN."""

    text: str = field(repr=False)
    local: str = field(repr=False)
    domain: str
    unicode_domain: str

    @property
    def internationalised(self) -> bool:
        """Says whether people see other characters than the wire carries."""
        return self.domain != self.unicode_domain or not self.local.isascii()


def parse(given: object, field: str = "email") -> Address:
    """Reads an address strictly; InputError names `field` and one reason of the list in docs/api.md.

    Surrounding blanks are cut, nothing else is mended. Lengths are checked before anything is parsed.
    """
    if not isinstance(given, str) or not given.strip(" "):
        raise _wrong(field, "missing", "give an e-mail address")
    text = given.strip(" ")
    if _CONTROL.search(text):
        raise _wrong(
            field, "control_character", "the address holds a line break or control character"
        )
    if len(text.encode("utf-8", "surrogatepass")) > MAX_ADDRESS:
        raise _wrong(field, "too_long", f"the address is longer than {MAX_ADDRESS} octets")
    local, at, domain = text.rpartition("@")
    if not at:
        raise _wrong(field, "no_at", "the address has no @")
    if local.startswith('"'):
        raise _wrong(field, "quoted", "addresses with a quoted part before the @ are not accepted")
    if "@" in local:
        raise _wrong(field, "two_at", "the address has two @")
    if len(local.encode("utf-8", "surrogatepass")) > MAX_LOCAL:
        raise _wrong(
            field, "local_too_long", f"the part before the @ is longer than {MAX_LOCAL} octets"
        )
    if _PLAIN.match(text) and "xn--" not in (folded := domain.lower()) and "--" not in folded:
        return Address(f"{local}@{folded}", local, folded, folded)
    return _parsed(text, field)


def _parsed(text: str, field: str) -> Address:
    try:
        found = validate_email(
            text,
            check_deliverability=False,
            allow_quoted_local=False,
            allow_domain_literal=False,
            globally_deliverable=False,
        )
    except (EmailNotValidError, UnicodeError) as error:
        raise _wrong(field, "format", "this is no e-mail address") from error
    local, domain, shown = found.local_part, found.ascii_domain, found.domain
    if domain is None or "." not in domain:
        raise _wrong(field, "format", "the domain of the address is not complete")
    if any(mixed_scripts(label) for label in shown.split(".")):
        raise _wrong(
            field, "mixed_scripts", f"the domain mixes letters of several scripts (it is {domain})"
        )
    if len(f"{local}@{domain}".encode()) > MAX_ADDRESS:
        raise _wrong(field, "too_long", f"the address is longer than {MAX_ADDRESS} octets")
    return Address(f"{local}@{domain}", local, domain, shown)


def fold(address: str) -> str:
    """Returns what look-up and suppression compare (fold version 1): NFC, case-folded local part, A-labels.

    Plain ASCII needs one match; anything else is parsed. InputError when it is no address.
    """
    if (
        len(address) <= MAX_ADDRESS
        and address.find("@") <= MAX_LOCAL
        and _PLAIN.match(address)
        and "--" not in address
    ):
        return address.lower()
    return fold_parsed(parse(address))


def fold_parsed(address: Address) -> str:
    """Returns the fold of an address that was read already."""
    local = unicodedata.normalize("NFC", address.local)
    return f"{unicodedata.normalize('NFC', local.casefold())}@{address.domain.lower()}"


def fold_for_limits(address: str) -> str:
    """Returns a coarser fold, for counting only: without tags and dots that known providers ignore."""
    local, _, domain = fold(address).rpartition("@")
    domain = _SAME.get(domain, domain)
    if domain in _TAGGING or _TAGGING_TOO.match(domain):
        local = local.partition("+")[0] or local
    if domain in _DOTLESS:
        local = local.replace(".", "")
    return f"{local}@{domain}"


def mask(address: str) -> str:
    """Returns an address as a page may hint at it: first characters only, `j***@e***.com`."""
    local, _, domain = address.rpartition("@")
    name, _, ending = domain.rpartition(".")
    return f"{local[:1]}***@{name[:1]}***.{ending}"


def _wrong(field: str, reason: str, message: str) -> InputError:
    return InputError(f"{field}: {message}", field=field, reason=reason)
