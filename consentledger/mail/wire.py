"""What is wrong with a message's raw bytes, judged without parsing (parsers forgive too much).

Python's parser decodes an encoded word inside List-Unsubscribe back to the right address, so a test
that parses does not see that every mailbox provider would. These checks look at octets only.
"""

from __future__ import annotations

import re
from collections import Counter

_ONCE = ("from", "to", "subject", "date", "message-id", "mime-version")
_LIST = ("list-unsubscribe", "list-unsubscribe-post", "list-id")
_AT_MOST_ONCE = (*_ONCE, *_LIST, "reply-to", "sender")
_UNFOLDED = ("list-", "feedback-id", "cfbl-", "auto-submitted", "message-id", "x-auto-response")
_ENCODED_WORD = re.compile(rb"=\?[^?\s]+\?[bBqQ]\?[^?\s]*\?=")
_FIELD = re.compile(rb"\A([!-9;-~]+):[ \t]?(.*)\Z", re.DOTALL)
_MAX_ENCODED_WORD = 75  # RFC 2047 section 2
_MAX_LINE = 998  # RFC 5322 section 2.1.1


def faults(data: bytes, *, smtputf8: bool = False) -> list[str]:
    """Returns one sentence per fault of a finished message (CRLF lines); an empty list is a pass.

    Rules: RFC 5322 sections 2.1 to 2.3 and 3.6 (lines, octets, fields that occur once), RFC 2047
    section 2 (encoded words), RFC 2369 and 8058 (list headers on one line, without encoded words).
    """
    found = _line_faults(data)
    head, separator, _body = data.partition(b"\r\n\r\n")
    if not separator:
        return [*found, "no empty line ends the header"]
    fields = raw_fields(head)
    if fields is None:
        return [*found, "a header line is neither a field nor a continuation"]
    for name, raw in fields:
        found += _field_faults(name, raw, smtputf8)
    count = Counter(name for name, _ in fields)
    found += [f"{name} is missing" for name in _ONCE if not count[name]]
    found += [f"{name} occurs {count[name]} times" for name in _AT_MOST_ONCE if count[name] > 1]
    return found


def raw_fields(head: bytes) -> list[tuple[str, bytes]] | None:
    """Returns (lower-case name, value with its folds) per field, or None if a line is neither."""
    fields: list[tuple[str, bytes]] = []
    for line in head.split(b"\r\n"):
        if line[:1] in (b" ", b"\t"):
            if not fields:
                return None
            name, value = fields[-1]
            fields[-1] = (name, value + b"\r\n" + line)
        elif match := _FIELD.match(line):
            fields.append((match.group(1).decode("ascii").lower(), match.group(2)))
        else:
            return None
    return fields


def _line_faults(data: bytes) -> list[str]:
    found = []
    if data.count(b"\r") != data.count(b"\r\n") or data.count(b"\n") != data.count(b"\r\n"):
        found.append("a line ends in a bare CR or LF")
    if not data.endswith(b"\r\n"):
        found.append("the last line has no CRLF")
    if b"\0" in data:
        found.append("there is a NUL")
    if max(map(len, data.split(b"\r\n"))) > _MAX_LINE:
        found.append(f"a line is longer than {_MAX_LINE} octets")
    return found


def _field_faults(name: str, raw: bytes, smtputf8: bool) -> list[str]:
    found = []
    if not smtputf8 and not raw.isascii():
        found.append(f"{name} has octets beyond ASCII")
    if any(octet < 32 and octet not in (9, 10, 13) for octet in raw):
        found.append(f"{name} has a control character")
    if any(len(word) > _MAX_ENCODED_WORD for word in _ENCODED_WORD.findall(raw)):
        found.append(f"{name} has an encoded word of more than {_MAX_ENCODED_WORD} characters")
    if name.startswith(_UNFOLDED):
        if b"\r\n" in raw:
            found.append(f"{name} is folded")
        if b"=?" in raw:
            found.append(f"{name} has an encoded word")
    return found
