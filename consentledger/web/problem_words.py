"""What an error page says: title, what happened, what to do now; without a word of jargon."""

from __future__ import annotations

# Marks a sentence for the catalogue; it is translated when the page is made.
N_ = str

_AGAIN = N_("Nothing was recorded. Please try again in a minute.")
_BACK = N_("Please go back and try again.")

WORDS: dict[int, tuple[str, str, str]] = {
    400: (
        N_("We could not read that"),
        N_("Something of what your browser sent was missing or garbled."),
        _BACK,
    ),
    403: (
        N_("Not from there"),
        N_("This form may not be used from the page you came from."),
        N_("Please open the form at the organisation’s own site."),
    ),
    404: (
        N_("There is no page here"),
        N_("The address is not complete, or the page has been taken down."),
        N_("Please look at the address again. To end messages you need no link at all:"),
    ),
    405: (
        N_("It does not work this way"),
        N_("This address answers only to a button on one of our pages."),
        N_("Please open the link again and press the button there."),
    ),
    409: (
        N_("Something has changed meanwhile"),
        N_("What your page showed is no longer the latest."),
        N_("Please load the page again."),
    ),
    413: (
        N_("That was too much"),
        N_("What was sent is larger than this form can take."),
        N_("Please shorten it and try again."),
    ),
    415: (
        N_("We could not read that"),
        N_("It was sent in a format that we do not know."),
        N_("Please use the form on our page."),
    ),
    422: (
        N_("Please look at it again"),
        N_("Something of what was filled in cannot be right."),
        _BACK,
    ),
    429: (
        N_("Too many at once"),
        N_("Many requests came from the same place, so we slow down to keep others safe."),
        N_("Please wait a few minutes and try again."),
    ),
    500: (
        N_("That was our mistake"),
        N_("Something went wrong on our side. It has been noted and will be looked at."),
        _AGAIN,
    ),
    503: (
        N_("Not at this moment"),
        N_("The log cannot be written just now, so we did not do what you asked."),
        _AGAIN,
    ),
}
# What a status alone would say too vaguely.
WORDS_OF_CODE: dict[str, tuple[str, str, str]] = {
    "paused": (
        N_("Closed for the moment"),
        N_("This form takes no sign-ups just now. Nothing was recorded, and it is not your fault."),
        N_("Please try again another day, or write to whoever sent you here."),
    ),
}


def words_of(status: int, code: str = "") -> tuple[str, str, str]:
    """The sentences of an error; those of its status, or of 400 or 500, for one that has none of its own."""
    if code in WORDS_OF_CODE:
        return WORDS_OF_CODE[code]
    return WORDS.get(status, WORDS[500] if status >= 500 else WORDS[400])
