"""What the permit demands of this very message: label, languages, and that it is for this recipient, now."""

from __future__ import annotations

import re
from collections.abc import Iterator

from consentledger.kernel.clock import to_text
from consentledger.messages.model import (
    Expected,
    Finding,
    PermitHeld,
    failed,
    passed,
    skipped,
    warned,
)
from consentledger.messages.reading import Read, plain

PERMIT = "consentledger: a permit is for one message to one recipient"
# Words by which a statement of the way out is known in a language; a text without any has none in it.
_WAYS_OUT = {
    "en": ("unsubscribe", "opt out", "opt-out", "stop receiving", "no longer wish"),
    "fr": ("désabonner", "désinscri", "ne plus recevoir"),
    "de": ("abmelden", "abbestellen", "austragen", "widersprechen"),
    "ko": ("수신거부", "수신 거부", "구독취소", "구독 취소"),
    "zh": ("退订", "退訂", "取消订阅", "取消訂閱", "取消訂閲", "停止接收", "不再接收"),
    "ja": ("配信停止", "購読解除", "解除"),
    "he": ("הסרה", "להסיר", "ביטול"),
    "tr": ("abonelikten", "ret ", "reddet", "istemiyorum"),
}


def check_duties(read: Read, expected: Expected) -> Iterator[Finding]:
    """Yields what is found about the permit itself and each of its duties that can be seen in a message."""
    if expected.permit is None:
        yield failed(
            "permit", "No link of a permit of this organisation is in the message.", "message", PERMIT,
            "Ask for a permit, and put its link and headers into the message. A message without a permit proves "
            "only that we did not permit it.",
        )  # fmt: skip
        return
    yield from _permit(expected.permit)
    for duty in expected.permit.duties:
        if duty.code == "subject_label" and duty.value:
            yield _label(read, duty.value, duty.rule)
        elif duty.code == "statement_language" and duty.value:
            yield _language(read, duty.value, duty.rule)
        elif duty.code == "send_without_tracking":
            yield _tracking(read, duty.rule)
    labels = [duty for duty in expected.permit.duties if duty.code == "subject_label"]
    if not labels:
        yield passed("label", "No label is prescribed for this recipient.", "Subject", PERMIT)


def _permit(permit: PermitHeld) -> Iterator[Finding]:
    mend = "Ask for a new permit before sending; a permit is dead at its end and at the first stop."
    if permit.state == "valid":
        until = to_text(permit.valid_until) if permit.valid_until else "its end"
        what = f"Permit {permit.permit} allows it until {until}."
        yield passed("permit", what, "message", PERMIT)
    else:
        yield failed(
            "permit", f"Permit {permit.permit} is {permit.state}.", "message", PERMIT, mend
        )
    if permit.channel != "email":
        what = f"The permit is for {permit.channel}, this is e-mail."
        yield failed("permit_channel", what, "message", PERMIT, mend)
    if permit.recipient is None:
        what = "Who gets the message can't be told: no single address in To, and none was named."
        mend = "Name the recipient, or put the one address into To."
        yield skipped("recipient", what, "To", PERMIT, mend)
    elif permit.recipient:
        yield passed("recipient", "The permit is for this recipient.", "To", PERMIT)
    else:
        mend = (
            "Use each recipient's own permit: with another's link, somebody else is unsubscribed."
        )
        yield failed("recipient", "The permit is for somebody else.", "To", PERMIT, mend)


def _label(read: Read, label: str, rule: str) -> Finding:
    subject = read.shown("subject")
    if subject.startswith(label):
        return passed("label", f"The subject begins with {label.strip()}.", "Subject", rule)
    what = f"The subject must begin with {label.strip()!r}; it begins with {subject[:20]!r}."
    mend = f"Put {label!r} first, in exactly this spelling, with nothing before it."
    return failed("label", what, "Subject", rule, mend)


def _language(read: Read, language: str, rule: str) -> Finding:
    words = _WAYS_OUT.get(language)
    if words is None:
        what = f"A statement of the way out in {language} is due; we have no words to find it by."
        return skipped("language", what, "body", rule, "Look yourself.")
    text = " ".join(plain(part.text) for part in read.parts)
    if any(word in text for word in words):
        what = f"The text names the way out in {language}."
        return passed("language", what, "body", rule)
    mend = f"Say in {language} how to unsubscribe, beside the link."
    what = f"No statement of the way out in {language} was found."
    return failed("language", what, "body", rule, mend)


def _tracking(read: Read, rule: str) -> Finding:
    html = [part for part in read.message.walk() if part.get_content_type() == "text/html"]
    shown = [part for part in html if not part.is_attachment()]
    pixels = sum(len(_PIXEL.findall(str(part.get_content()))) for part in shown)
    if pixels:
        what = f"The permit says: without tracking. {pixels} invisible picture(s) would tell of opening."
        mend = "Leave out what tells when this person opens or clicks."
        return failed("tracking", what, "text/html", rule, mend)
    what = (
        "The permit says: without tracking. No invisible picture was found; links can't be judged."
    )
    return warned("tracking", what, "body", rule, "See that links are not rewritten per person.")


_PIXEL = re.compile(
    r"<img\b(?=[^<>]{0,2000}\b(?:width|height)\s{0,9}[=:]\s{0,9}[\"']?[01](?:px)?[\"'\s;/>])",
    re.IGNORECASE,
)
