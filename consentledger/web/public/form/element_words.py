"""Every sentence that a script shows around a form, in the form's language: it holds none of its own."""

from __future__ import annotations

from flask import g

from consentledger.kernel.errors import InputError
from consentledger.organisations.facts import PublishedForm
from consentledger.web.problem_words import words_of
from consentledger.web.public.form.field_words import sentence
from consentledger.web.words import gettext, ngettext


def element_words(form: PublishedForm) -> dict[str, str]:
    """The sentences by the names under which form.json gives them; where the hosted page says them too, the same."""
    days = form.request_days
    return {
        "language": g.language,
        "legend": gettext("What may we send you?"),
        "lead": gettext(
            "Choose what you would like to receive. We then send one mail, and only your press on its button starts"
            " anything."
        ),
        "button": gettext("Send me the mail to confirm"),
        "sending": gettext("Sending …"),
        "working": gettext(
            "So many people sign up here just now that your device does a little sum first. It takes a few seconds."
        ),
        "done_title": gettext("Please look into your mailbox"),
        "done_text": gettext(
            "Your request is recorded. If this address may get mail from us, one message is on its way."
            " Nothing is sent to you before you press the button it leads to."
        )
        + " "
        + ngettext(
            "You have one day. Without your press the request is deleted.",
            "You have %(num)d days. Without your press the request is deleted.",
            days,
        ),
        "done_hint": gettext(
            "No mail after ten minutes? Look into the spam folder. If the address was mistyped, fill in the form again."
        ),
        "again": gettext("Fill in the form again"),
        "optional": gettext("(optional)"),
        "how": gettext("How it reaches you"),
        "responsible": gettext("Responsible"),
        "notice": gettext("Information on data protection"),
        "notice_link": gettext("The same notice at the sender’s site"),
        "privacy": gettext("Privacy notice"),
        "stop": gettext("Stop messages by address"),
        **_errors(),
    }


def _errors() -> dict[str, str]:
    return {
        "error_title": gettext("Something is missing"),
        "error_email": gettext("Please write the address like this: name@example.org"),
        "error_purpose": gettext("Please tick what you would like to receive."),
        "error_again": gettext("Nothing is sent yet. Please press the button once more."),
        "error_changed": gettext(
            "This form has changed since you opened it. Please read it once more, tick what you want and press the"
            " button."
        ),
        "error_limit": " ".join(gettext(sentence) for sentence in words_of(429)[1:]),
        "error_paused": " ".join(gettext(sentence) for sentence in words_of(409, "paused")[1:]),
        "error_work": gettext(
            "Nothing is sent yet. So many people sign up here just now that you need a page of our own. Your entries"
            " come along."
        ),
        "error_disposable": sentence(_wrong("disposable")),
        "error_role": sentence(_wrong("role")),
        "error_too_long": sentence(_wrong("too_long")),
        "error_offline": gettext(
            "We got no answer from the service. Please look whether you are online, and press the button once more."
            " Pressing twice does no harm: at most one mail is sent."
        ),
        "hosted_link": gettext("Open this form on a page of its own"),
    }


def _wrong(reason: str) -> InputError:
    return InputError("", field="email", reason=reason)
