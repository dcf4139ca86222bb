"""A rule pack in plain words, for people: each rule as sentences that can be translated where they are said.

The same sentences stand on the rules pages, in `rules show` and in the API; a sentence says no more than the key that
it is made from. What a pack's author wrote (`says`) stands beside them, in English.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import NamedTuple


class Name(NamedTuple):
    """A code that has a name in every language: `kind` is language or country."""

    kind: str
    code: str


class Line(NamedTuple):
    """One sentence: an English text with places, and what stands in them."""

    text: str
    values: tuple[tuple[str, object], ...] = ()


Translate = Callable[[str], str]
Naming = Callable[[Name], str]


def gettext(text: str, **values: object) -> Line:
    """Makes a sentence that is translated when it is said; called so that the catalogue's tools find its text."""
    return Line(text, tuple(values.items()))


def say(line: object, translate: Translate = str, naming: Naming = lambda name: name.code) -> str:
    """Says a sentence, a name or a list of them in one language."""
    if isinstance(line, Name):
        return naming(line)
    if isinstance(line, Line):
        text = translate(line.text)
        if not line.values:
            return text
        return text % {name: say(value, translate, naming) for name, value in line.values}
    if isinstance(line, tuple):
        return ", ".join(say(item, translate, naming) for item in line)
    return str(line)


REGIMES = {
    "opt_in": gettext("only with consent given beforehand"),
    "opt_out": gettext("without consent, until the person says stop"),
    "opt_out_role_relevant": gettext(
        "without consent only about matters of the person’s role at work"
    ),
    "opt_out_impersonal": gettext("without consent only to addresses such as info@ that name no person"),
    "opt_out_register": gettext("without consent only after a look into a public register"),
    "opt_in_written": gettext("only with consent given beforehand in writing"),
    "no_rule": gettext("no rule of its own, so it is read strictly: only with consent given beforehand"),
}  # fmt: skip
PERSONS = {
    "natural": gettext("private persons"),
    "sole_trader": gettext("sole traders"),
    "legal": gettext("companies and other legal persons"),
    "unknown": gettext("people of whom it is not known"),
}
CHANNELS = {"email": gettext("E-mail"), "sms": gettext("SMS")}
IN_A_SENTENCE = {"email": gettext("e-mail"), "sms": gettext("SMS")}
TRIGGERS = {
    "sale_paid": gettext("a paid sale"),
    "sale_indirect_remuneration": gettext(
        "a contract without a price that is paid for in another way"
    ),
    "negotiation": gettext("negotiations about a sale"),
    "inquiry": gettext("an inquiry"),
    "donation": gettext("a donation or other support"),
    "ongoing_relationship": gettext("an ongoing business relationship"),
    "published_address": gettext("an address that its holder published for this"),
    "business_card": gettext("a business card that was handed over"),
}
PRODUCTS = {
    "similar": gettext("only the sender’s own similar products or services are advertised"),
    "same_kind": gettext("only the sender’s own products or services of the same kind are advertised"),
    "any": gettext("the sender’s own products or services are advertised"),
}  # fmt: skip
BASES = {
    "consent": gettext("with consent"),
    "existing_customer": gettext("to existing customers"),
    "opt_out": gettext("without consent"),
}
DOUBLE_OPT_IN = {
    "required": gettext("Consent must be confirmed once more through the address itself."),
    "regulator_minimum_measure": gettext(
        "The authority expects consent to be confirmed through the address itself."
    ),
    "de_facto_required": gettext(
        "Without a confirmation through the address itself, consent can hardly be shown in court."
    ),
    "recommended": gettext("It is recommended to have consent confirmed through the address itself."),
    "not_required": gettext("Consent need not be confirmed through the address itself."),
}  # fmt: skip
CONFIDENCES = {
    "high": gettext("high"),
    "medium": gettext("medium"),
    "low": gettext("low, so it must be checked before anybody relies on it"),
    "policy": gettext("a choice of this service, not a text of law"),
}
KINDS = {
    "primary": gettext("the text itself was read"),
    "secondary": gettext("read in a report about it"),
    "memory": gettext("from memory, still to be checked"),
}
STATUSES = {"published": gettext("published"), "draft": gettext("draft")}
WEEKDAYS = {
    "mon": gettext("Monday"),
    "tue": gettext("Tuesday"),
    "wed": gettext("Wednesday"),
    "thu": gettext("Thursday"),
    "fri": gettext("Friday"),
    "sat": gettext("Saturday"),
    "sun": gettext("Sunday"),
    "holiday": gettext("public holidays"),
}
_ONE = {
    "days": gettext("one day"),
    "business_days": gettext("one business day"),
    "months": gettext("one month"),
    "years": gettext("one year"),
}
_MANY: dict[str, Callable[[int], Line]] = {
    "days": lambda count: gettext("%(count)s days", count=count),
    "business_days": lambda count: gettext("%(count)s business days", count=count),
    "months": lambda count: gettext("%(count)s months", count=count),
    "years": lambda count: gettext("%(count)s years", count=count),
}


def span(count: int, unit: str) -> Line:
    """A length of time, such as `6 months`."""
    return _ONE[unit] if count == 1 else _MANY[unit](count)


def word(known: dict[str, Line], key: str) -> Line:
    """The words for a key; a key that has none yet says itself."""
    return known.get(key) or Line(key.replace("_", " "))


def words(known: dict[str, Line], keys: Iterable[str]) -> tuple[Line, ...]:
    """The words for several keys, to stand in one place of a sentence."""
    return tuple(word(known, key) for key in keys)


def channels(keys: Iterable[str]) -> tuple[Line, ...]:
    """The names of channels."""
    return words(CHANNELS, keys)
