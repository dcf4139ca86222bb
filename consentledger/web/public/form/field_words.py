"""What is wrong with a field, in words for the person who filled it in."""

from __future__ import annotations

from consentledger.kernel.errors import InputError
from consentledger.web.words import gettext


def sentence(error: InputError) -> str:
    """What is wrong with a field, in words for the person who filled it in."""
    if error.field == "purpose":
        if error.reason == "missing":
            return gettext("Please tick what you would like to receive.")
        return gettext("This form has no such box. Please load it again.")
    if error.field == "sender":
        return gettext("Please choose who writes to you.")
    if error.reason == "disposable":
        return gettext(
            "This is a throw-away address. Please use one that you will still read in a year."
        )
    if error.reason == "role":
        return gettext(
            "This address belongs to an office, not to a person. Please use one of your own."
        )
    if error.reason == "missing":
        return gettext("Please enter your e-mail address.")
    if error.reason == "too_long":
        return gettext("This address is longer than an e-mail address can be.")
    return gettext("Please write the address like this: name@example.org")
