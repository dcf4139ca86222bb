"""What became of one try to hand a message over, and how an exception is read as that."""

from __future__ import annotations

import re
import smtplib
import ssl
from dataclasses import dataclass, field

MAX_TEXT = 300
_CONTROL = re.compile(r"[^\x20-\x7e]+")
# Replies that speak of our account or of the dialogue, not of this message: it must not be lost
# to a wrong password, nor to what an earlier message left behind on the connection.
_OUR_FAULT = frozenset((503, 530, 534, 535, 538))


@dataclass(frozen=True, slots=True)
class Delivery:
    """One try: `outcome` is accepted, refused (5xx, final) or deferred (try again).

    `phase` says where it ended: connect, tls, login, sender, recipient, data, drop, timeout,
    deadline, smtputf8; `code` and `text` are the peer's answer, the text in printable ASCII.
    `uncertain`: all octets were handed over but no answer came, so the peer may have taken it.
    """

    outcome: str
    phase: str
    code: int | None
    text: str = field(repr=False)
    uncertain: bool = False
    stale: bool = False

    @property
    def accepted(self) -> bool:
        """The peer took responsibility (RFC 5321 section 6.1)."""
        return self.outcome == "accepted"

    @property
    def refused(self) -> bool:
        """The peer will never take it."""
        return self.outcome == "refused"

    @property
    def reason(self) -> str:
        """Phase and code only: fit for a log, where no answer's text with an address may stand."""
        return self.phase if self.code is None else f"{self.phase} {self.code}"


def printable(text: bytes | str) -> str:
    """Returns a peer's words in at most 300 printable ASCII characters."""
    if isinstance(text, bytes):
        text = text.decode("ascii", "replace")
    return _CONTROL.sub(" ", text).strip()[:MAX_TEXT]


def deferred(phase: str, text: bytes | str, code: int | None = None) -> Delivery:
    """Returns a try that may be repeated."""
    return Delivery("deferred", phase, code, printable(text))


def judge(error: Exception, *, connected: bool, dot_sent: bool) -> Delivery:
    """Reads what smtplib, ssl or the socket raised; an unknown exception is raised again."""
    match error:
        case smtplib.SMTPRecipientsRefused():
            code, text = next(iter(error.recipients.values()))
            return _answered("recipient", code, text)
        case smtplib.SMTPAuthenticationError():
            return deferred("login", error.smtp_error, error.smtp_code)
        case smtplib.SMTPSenderRefused():
            return _answered("sender", error.smtp_code, error.smtp_error)
        case smtplib.SMTPDataError():
            return _answered("data", error.smtp_code, error.smtp_error)
        case smtplib.SMTPResponseException():  # banner, EHLO or STARTTLS: not about this message
            return deferred("connect", error.smtp_error, error.smtp_code)
        case smtplib.SMTPNotSupportedError() if connected:
            return Delivery("refused", "smtputf8", None, "the peer takes no SMTPUTF8 address")
        case smtplib.SMTPNotSupportedError():
            return deferred("tls" if "STARTTLS" in str(error) else "login", str(error))
        case ssl.SSLError():  # a kind of OSError, so it comes first
            return deferred("tls", _tls_reason(error))
        case smtplib.SMTPException() | OSError():
            return _broken(error, connected, dot_sent)
    raise error


def _answered(phase: str, code: int, text: bytes | str) -> Delivery:
    if not 400 <= code < 600:  # smtplib's -1, or an answer that makes no sense here
        return deferred("drop", text)
    final = code >= 500 and code not in _OUR_FAULT
    return Delivery("refused" if final else "deferred", phase, code, printable(text))


def _tls_reason(error: ssl.SSLError) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"certificate not verified: {error.verify_message}"
    return error.reason or "TLS failed"


def _broken(error: Exception, connected: bool, dot_sent: bool) -> Delivery:
    slow = isinstance(error, TimeoutError) or "timed out" in str(error)
    phase = "timeout" if slow else "drop" if connected else "connect"
    words = "no answer in time" if slow else "the connection broke" if connected else str(error)
    return Delivery("deferred", phase, None, printable(words), uncertain=dot_sent)
