"""Builds messages that are safe on the wire: pure, and the same mail gives the same bytes.

Sources: RFC 5322 (format), RFC 2047 (encoded words), RFC 2045 and 2046 (MIME), RFC 3834 section 5
(Auto-Submitted), RFC 6532 (UTF-8 headers), RFC 2369 and 8058 (list headers, never folded).
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, field
from datetime import datetime
from email.header import Header
from email.message import EmailMessage
from email.policy import EmailPolicy
from email.utils import format_datetime, quote

import css_inline

from consentledger.kernel.errors import InputError
from consentledger.mail import headers
from consentledger.mail.encode import quoted_printable
from consentledger.mail.wire import faults

# RFC 3834 section 5, and what Microsoft's servers ask for: no robot answers a confirmation mail.
AUTOMATIC = (("Auto-Submitted", "auto-generated"), ("X-Auto-Response-Suppress", "All"))
# A display name that needs no quotes (RFC 5322 section 3.2.5).
_PHRASE = re.compile(r"\A[A-Za-z0-9!#$%&'*+/=?^_`{|}~ -]+\Z")


@dataclass(frozen=True, slots=True)
class OutgoingMail:
    """One message to one recipient; `at` is aware and becomes Date, `message_id` has its brackets.

    `headers` are extra headers in order; `keep` are strings (link tokens) that stand in the
    finished bytes in one piece; `language` is a BCP 47 tag for Content-Language.
    """

    from_name: str
    from_address: str
    recipient: str = field(repr=False)
    subject: str
    text: str = field(repr=False)
    html: str | None = field(repr=False)
    message_id: str
    at: datetime
    language: str | None = None
    reply_to: str | None = None
    headers: tuple[tuple[str, str], ...] = ()
    keep: tuple[str, ...] = field(default=(), repr=False)


@dataclass(frozen=True, slots=True)
class WireMail:
    """A finished message with its envelope; `smtputf8` says that the peer must offer RFC 6531."""

    envelope_from: str
    recipient: str = field(repr=False)
    data: bytes = field(repr=False)
    smtputf8: bool = False


class _WirePolicy(EmailPolicy):
    """Writes every header as it was given: what may be folded was folded when the value was made.

    The library's own folding makes encoded words of list headers at 78 columns, and encoded words
    of more than RFC 2047's 75 characters at 998.
    """

    def header_store_parse(self, name: str, value: str) -> tuple[str, str]:
        return name, value

    def fold(self, name: str, value: str) -> str:
        return f"{name}: {value}\r\n"

    def fold_binary(self, name: str, value: str) -> bytes:
        return self.fold(name, value).encode("utf-8" if self.utf8 else "ascii")


_WIRE = _WirePolicy(linesep="\r\n", max_line_length=headers.MAX_LINE)


def build(mail: OutgoingMail) -> WireMail:
    """Returns the finished bytes (CRLF lines) and the envelope; InputError names a bad field.

    A domain becomes A-labels; SMTPUTF8 is needed only for a non-ASCII local part.
    """
    sender = headers.mailbox("from_address", mail.from_address)
    recipient = headers.mailbox("recipient", mail.recipient)
    reply_to = headers.mailbox("reply_to", mail.reply_to) if mail.reply_to else None
    smtputf8 = not (sender + recipient + (reply_to or "")).isascii()
    message = EmailMessage(policy=_WIRE.clone(utf8=smtputf8))
    message["From"] = _named("from_name", "From", mail.from_name, sender)
    message["To"] = _named("recipient", "To", "", recipient)
    if reply_to:
        message["Reply-To"] = _named("reply_to", "Reply-To", "", reply_to)
    message["Subject"] = _subject(mail.subject)
    message["Date"] = _date(mail.at)
    message["Message-ID"] = headers.message_id(mail.message_id)
    for name, value in mail.headers:
        headers.header_line(name, value)
        if name in message and name.lower() != "comments":
            raise InputError(f"{name} is given twice", field=name, reason="duplicate")
        message[name] = value
    _fill(message, mail)
    data = message.as_bytes()
    if found := faults(data, smtputf8=smtputf8):
        raise InputError(f"unfit to send: {found[0]}", field="message", reason="wire")
    return WireMail(sender, recipient, data, smtputf8)


def inline_styles(html: str) -> str:
    """Returns `html` with its style sheet moved into the elements; @media rules stay in <style>.

    Nothing is ever fetched: no mail client loads a style sheet, and neither do we.
    """
    return _INLINER.inline(html)


_INLINER = css_inline.CSSInliner(
    keep_style_tags=False, keep_at_rules=True, load_remote_stylesheets=False, keep_link_tags=False
)


def _named(field_name: str, header: str, name: str, address: str) -> str:
    headers.header_text(field_name, name, limit=headers.MAX_DISPLAY_NAME)
    name = " ".join(name.split())
    if not name:
        return address
    if name.isascii() and "=?" not in name:
        phrase = name if _PHRASE.match(name) else f'"{quote(name)}"'
    else:
        phrase = _words(header, name)
    gap = " " if len(header) + len(phrase) + len(address) < 72 else "\r\n "
    return f"{phrase}{gap}<{address}>"


def _subject(text: str) -> str:
    text = " ".join(headers.header_text("subject", text, limit=headers.MAX_SUBJECT).split())
    if not text:
        raise InputError("subject is empty", field="subject", reason="missing")
    return _words("Subject", text)


def _words(header: str, text: str) -> str:
    """Returns `text`, folded at 76, as encoded words (RFC 2047) if it is not plain ASCII."""
    charset = "us-ascii" if text.isascii() and "=?" not in text else "utf-8"
    return Header(text, charset, maxlinelen=76, header_name=header).encode(linesep="\r\n")


def _date(at: datetime) -> str:
    if at.tzinfo is None:
        raise InputError("at has no time zone", field="at", reason="format")
    return format_datetime(at.replace(microsecond=0))


def _fill(message: EmailMessage, mail: OutgoingMail) -> None:
    message["MIME-Version"] = "1.0"
    if mail.language:
        headers.header_line("X-Language", mail.language)  # the same check: plain ASCII, one line
        message["Content-Language"] = mail.language
    if mail.html is None:
        _body(message, "plain", mail.text, mail.keep)
        return
    # "=_" can't occur in quoted-printable, so no body line can look like the boundary.
    boundary = "=_" + hashlib.sha256(mail.message_id.encode()).hexdigest()[:32]
    message["Content-Type"] = f'multipart/alternative; boundary="{boundary}"'
    for subtype, content in (("plain", mail.text), ("html", inline_styles(mail.html))):
        part = EmailMessage(policy=message.policy)
        _body(part, subtype, content, mail.keep)
        message.attach(part)


def _body(part: EmailMessage, subtype: str, content: str, keep: tuple[str, ...]) -> None:
    if "\0" in content:
        raise InputError("the text contains NUL", field="text", reason="control_character")
    part["Content-Type"] = f'text/{subtype}; charset="utf-8"'
    part["Content-Transfer-Encoding"] = "quoted-printable"
    part.set_payload(quoted_printable(content.rstrip("\n") + "\n", keep))
