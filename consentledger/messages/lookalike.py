"""Names that look like another: domains and display names that would mislead whoever reads them."""

from __future__ import annotations

import re
import unicodedata

import idna
from confusable_homoglyphs import confusables

from consentledger.contacts.scripts import mixed_scripts

# They turn or hide what is read, and no name needs them (Unicode bidi controls, zero widths, soft hyphen).
_TRICKS = re.compile("[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufeff]")
_ADDRESS = re.compile(r"[^\s<>\"'(),;:]+@[^\s<>\"'(),;:]+\.[^\s<>\"'(),;:]+")
_DOMAIN = re.compile(r"\b(?:[a-z0-9-]+\.)+[a-z]{2,}\b", re.IGNORECASE)
_LONGEST_NAME = 998  # a line's octets; the expressions above are slow on what goes on for ever
_DIGITS = str.maketrans("01357", "olest")


def tricks(name: str) -> bool:
    """Tells whether a name holds characters that turn or hide others."""
    return _TRICKS.search(name) is not None


def named_domains(name: str) -> list[str]:
    """Returns the domains that a display name itself mentions, in an address or alone."""
    begins = name[:_LONGEST_NAME]
    found = [address.rpartition("@")[2] for address in _ADDRESS.findall(begins)]
    return [one.lower().rstrip(".") for one in (found or _DOMAIN.findall(begins))]


def named_addresses(text: str) -> list[str]:
    """Returns the e-mail addresses in a text of any length."""
    words = (word for word in text.split() if "@" in word and len(word) <= _LONGEST_NAME)
    return [found for word in words for found in _ADDRESS.findall(word)]


def same_or_below(domain: str, other: str) -> bool:
    """Tells whether a domain is another one or stands below it."""
    return domain == other or domain.endswith(f".{other}")


def looks_like(domain: str, other: str) -> bool:
    """Tells whether a foreign domain would be taken for `other`: same skeleton, one letter off, or wrapped around it.

    `shop-example.com`, `shop.example.evil.com`, `sh0p.example`, a Cyrillic `о`: all are read as shop.example.
    """
    if same_or_below(domain, other):
        return False
    mine, theirs = skeleton(domain), skeleton(other)
    if mine == theirs or f".{theirs}." in f".{mine}.":
        return True
    if any(mixed_scripts(label) for label in shown(domain).split(".")):
        return True
    ours, own = mine.replace("-", "").replace(".", ""), theirs.replace("-", "").replace(".", "")
    return own in ours or _one_apart(mine, theirs)


def shown(domain: str) -> str:
    """Returns a domain as people see it: A-labels decoded where they can be."""
    labels = []
    for label in domain.split("."):
        try:
            labels.append(idna.decode(label) if label.startswith("xn--") else label)
        except (idna.IDNAError, UnicodeError):
            labels.append(label)
    return ".".join(labels)


def skeleton(domain: str) -> str:
    """Returns what an eye keeps of a domain: look-alikes as Latin letters, accents off (after UTS 39)."""
    text = unicodedata.normalize("NFKD", shown(domain.lower()))
    text = "".join(one for one in text if not unicodedata.combining(one))
    found = confusables.is_confusable(text, greedy=True, preferred_aliases=["latin"]) or []
    table = {}
    for one in found:
        letters = [
            glyph["c"] for glyph in one["homoglyphs"] if re.fullmatch("[a-zA-Z]", glyph["c"])
        ]
        if letters:
            table[ord(one["character"])] = letters[0].lower()
    text = text.translate(table).translate(_DIGITS)
    return text.replace("rn", "m").replace("vv", "w").replace("cl", "d")


def _one_apart(mine: str, theirs: str) -> bool:
    """One letter more, less, changed, or two neighbours swapped."""
    if abs(len(mine) - len(theirs)) > 1 or len(theirs) < 6:
        return False
    start = 0
    while start < min(len(mine), len(theirs)) and mine[start] == theirs[start]:
        start += 1
    first, second = mine[start:], theirs[start:]
    return (
        first[1:] == second[1:]
        or first == second[1:]
        or first[1:] == second
        or (first[:2] == second[:2][::-1] and first[2:] == second[2:])
    )
