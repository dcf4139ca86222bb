"""What a rule pack says that a message carries beside label and languages, as far as its bytes can show it."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

from consentledger.messages.lookalike import named_addresses
from consentledger.messages.model import (
    DutyHeld,
    Expected,
    Finding,
    failed,
    passed,
    skipped,
    warned,
)
from consentledger.messages.reading import Read, plain
from consentledger.organisations.facts import SenderIdentity

# How a post-office box is written where the packs' countries speak; a street may not look like one.
_BOX = re.compile(
    r"\bp\s*\.?\s*o\s*\.?\s*box\b|\bpost\s*office\s*box\b|\bgpo\s*box\b|\blocked\s*bag\b|\bpostfach\b|\bpostbus\b"
    r"|\bpostboks\b|\bpostbox\b|\bboîte\s*postale\b|\bcasella\s*postale\b|\bapartado\b|\bcaixa\s*postal\b"
    r"|\bskrytka\s*pocztowa\b|郵政信箱|邮政信箱|私書箱|사서함|\bת\"?ד\b",
    re.IGNORECASE,
)
# A word that the pack prescribes is looked for; a missing one is for a look where another way may do as well.
_WORDS = {
    "authority_contact": failed,
    "sender_number": warned,
    "recognisable_as_advertising": warned,
}


def check_carried(read: Read, expected: Expected) -> Iterator[Finding]:
    """Yields what is found about each duty of the permit that the pack tells and a message can show."""
    if expected.permit is None or expected.identity is None:
        return
    seen: set[tuple[str, str | None]] = set()
    for duty in expected.permit.duties:
        if (duty.code, duty.value) in seen:  # several countries may say the same
            continue
        seen.add((duty.code, duty.value))
        if duty.code == "postal_address" and duty.value == "no_po_box":
            yield _box(expected.identity, duty)
        elif duty.code == "contact_channel":
            yield _channel(read, expected.identity, duty)
        elif duty.code == "stop_by_email":
            yield _stop_by_email(read, duty)
        elif duty.code in _WORDS:
            yield _word(read, duty)


def _box(identity: SenderIdentity, duty: DutyHeld) -> Finding:
    lines = [line.strip() for line in identity.postal_address.split("\n") if _BOX.search(line)]
    where = "the sender's published address"
    if not lines:
        what = "The postal address is no post-office box."
        return passed("po_box", what, where, duty.rule)
    mend = "Publish the sender anew with a street address, and write that one into the message."
    what = f"A post-office box will not do here: {', '.join(lines)}."
    return failed("po_box", what, where, duty.rule, mend)


def _channel(read: Read, identity: SenderIdentity, duty: DutyHeld) -> Finding:
    text = plain(" ".join(part.text for part in read.parts))
    ways = [one for one in (identity.contact_email, identity.contact_phone) if one]
    found = [one for one in ways if plain(one) in text]
    if found:
        what = f"The text tells how to reach the sender: {found[0]}."
        return passed("contact_channel", what, "body", duty.rule)
    mend = f"Write {' or '.join(ways)} into the text; another way, such as a page, does as well."
    what = "None of the sender's published ways to be reached stands in the text."
    return warned("contact_channel", what, "body", duty.rule, mend)


def _stop_by_email(read: Read, duty: DutyHeld) -> Finding:
    texts = " ".join(part.text for part in read.parts)
    mailto = [link for part in read.parts for link in part.links if link.startswith("mailto:")]
    found = [*named_addresses(texts), *mailto]
    if found:
        what = (
            f"An e-mail address stands in the text ({found[0]}); that it takes stops, it must say."
        )
        return passed("stop_by_email", what, "body", duty.rule)
    mend = "Name an e-mail address beside the link, to which people can send their stop."
    what = "A link alone is not enough here, and no e-mail address stands in the text."
    return failed("stop_by_email", what, "body", duty.rule, mend)


def _word(read: Read, duty: DutyHeld) -> Finding:
    where = "Subject, body"
    if duty.value is None:
        mend = "Look yourself: sender line, subject and first lines must not hide it."
        what = "It must be plain that this is advertising; no word for it is prescribed."
        return skipped(duty.code, what, where, duty.rule, mend)
    text = _bare(" ".join((read.shown("subject"), *(part.text for part in read.parts))))
    words = duty.value.split(" / ")
    if any(_bare(word) in text for word in words):
        return passed(duty.code, f"{duty.value} is to be read.", where, duty.rule)
    mend = f"Write {' or '.join(words)} where people read it."
    what = f"{duty.value} is not to be read in the message."
    return _WORDS[duty.code](duty.code, what, where, duty.rule, mend)


def _bare(text: str) -> str:
    """A text for finding words in: without case, accents and dots."""
    parted = unicodedata.normalize("NFKD", plain(text))
    return "".join(one for one in parted if not unicodedata.combining(one))
