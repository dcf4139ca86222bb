"""Header values that are safe on the wire: checked before a message is built, never repaired.

A value that somebody typed (a sender's name, a subject) must not be able to add a header, hide an
address or leave as bytes that another mailer folds in its own way. So everything is refused that
RFC 5322 section 2.2 does not allow in one unfolded line, and each refusal names the field.
"""

from __future__ import annotations

import re
import unicodedata

import idna

from consentledger.kernel.errors import InputError

MAX_LINE = 998  # RFC 5322 section 2.1.1, without the CRLF
MAX_DISPLAY_NAME = 200  # characters: what a sender may be called (organisations.fields)
MAX_SUBJECT = 300  # characters: a name and the words around it
MAX_ADDRESS = 254  # octets, RFC 5321 section 4.5.3.1.3 without the angle brackets
MAX_LOCAL_PART = 64  # octets, RFC 5321 section 4.5.3.1.1

# Set by message.py itself or by the servers on the way: never by a caller's extra header.
_OURS = ("from", "to", "cc", "bcc", "sender", "reply-to", "subject", "date", "message-id")
_RELAYS = ("mime-version", "received", "return-path", "dkim-signature", "authentication-results")
_RESERVED = frozenset((*_OURS, *_RELAYS))
_NAME = re.compile(r"\A[A-Za-z][A-Za-z0-9-]{0,75}\Z")
_ATOM = re.compile(r"\A[A-Za-z0-9!#$%&'*+/=?^_`{|}~\u0080-\U0010ffff-]+\Z")
_MESSAGE_ID = re.compile(r"\A<[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]+@[A-Za-z0-9.-]+>\Z")
# Explicit bidirectional controls let "gpj.exe" read as "exe.jpg": nobody's name needs them.
_BIDI = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def header_text(field: str, value: str, *, limit: int) -> str:
    """Returns `value` if it may stand in a header of at most `limit` characters, else InputError.

    Refused: C0 and C1 controls (CR, LF, NUL and TAB among them), DEL, line and paragraph
    separators, explicit bidirectional controls, lone surrogates (RFC 5322 section 2.2).
    """
    if len(value) > limit:
        raise InputError(f"{field} has over {limit} characters", field=field, reason="too_long")
    for character in value:
        if unicodedata.category(character) in ("Cc", "Zl", "Zp", "Cs") or character in _BIDI:
            raise InputError(
                f"{field} contains the forbidden character U+{ord(character):04X}",
                field=field,
                reason="control_character",
            )
    return value


def header_line(name: str, value: str) -> str:
    """Returns `Name: value`, one ASCII line of at most 998 octets that nothing folds or encodes.

    For List-Unsubscribe (RFC 8058, RFC 2369), Feedback-ID and their like: an encoded word
    (RFC 2047) is invalid inside them, so neither non-ASCII text nor a literal `=?` is let through.
    """
    if not _NAME.match(name) or name.lower() in _RESERVED or name.lower().startswith("content-"):
        raise InputError(f"{name!r} can't be set as an extra header", field="header", reason="name")
    header_text(name, value, limit=MAX_LINE)
    if not value.isascii() or "=?" in value:
        raise InputError(f"{name} must be plain ASCII", field=name, reason="not_ascii")
    if not value or value != value.strip(" "):
        raise InputError(f"{name} must not be empty or padded", field=name, reason="format")
    line = f"{name}: {value}"
    if len(line) > MAX_LINE:
        raise InputError(f"{name} has over {MAX_LINE} octets", field=name, reason="too_long")
    return line


def message_id(value: str) -> str:
    """Returns a Message-ID with its angle brackets (RFC 5322 section 3.6.4, no obsolete forms)."""
    if len(value) > 250 or not _MESSAGE_ID.match(value) or ".." in value:
        raise InputError("not a Message-ID", field="message_id", reason="format")
    return value


def mailbox(field: str, address: str) -> str:
    """Returns `address` as it goes on the wire: local part in NFC, domain as lower-case A-labels.

    Raises InputError naming `field`. Only dot-atoms are taken (RFC 5321 section 4.1.2): no quoted
    local part, no address literal, no source route, no comment; a non-ASCII local part is kept and
    makes the message need SMTPUTF8 (RFC 6531). Lengths count octets.
    """
    header_text(field, address, limit=4 * MAX_ADDRESS)
    local, at, domain = address.rpartition("@")
    if not at or not local or not domain:
        raise _bad(field, "format")
    local = unicodedata.normalize("NFC", local)
    if not all(_ATOM.match(atom) for atom in local.split(".")) or any(map(str.isspace, local)):
        raise _bad(field, "format")
    if len(local.encode()) > MAX_LOCAL_PART:
        raise _bad(field, "too_long")
    wire = f"{local}@{_a_labels(field, domain)}"
    if len(wire.encode()) > MAX_ADDRESS:
        raise _bad(field, "too_long")
    return wire


def _a_labels(field: str, domain: str) -> str:
    try:
        labels = str(idna.encode(domain, uts46=True, std3_rules=True), "ascii")
    except (idna.IDNAError, UnicodeError) as error:
        raise _bad(field, "domain") from error
    if "." not in labels or labels.endswith("."):
        raise _bad(field, "domain")
    return labels.lower()


def _bad(field: str, reason: str) -> InputError:
    return InputError(f"{field} is not a usable mail address", field=field, reason=reason)
