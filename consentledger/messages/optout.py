"""The way out: the permit's own link, in the header as octets on the wire, and in every text of the body."""

from __future__ import annotations

import re
from collections.abc import Iterator

from consentledger.messages.model import (
    IDENTITY,
    LIST_HEADER,
    ONE_CLICK,
    Expected,
    Finding,
    failed,
    passed,
    skipped,
)
from consentledger.messages.reading import Read

POST = b"List-Unsubscribe=One-Click"
_URI = re.compile(rb"<([^<>]*)>")
_WORD = re.compile(rb"=\?[^?\s]+\?[bBqQ]\?")
_MEND = "Copy List-Unsubscribe as the permit's answer gives it, on one line, exactly once."


def link_in_header(read: Read) -> str | None:
    """Returns the https address in List-Unsubscribe, if exactly one can be read there at all."""
    found = [
        uri.decode("ascii", "replace")
        for value in read.raw("list-unsubscribe")
        for uri in _URI.findall(b"".join(value.split()))
        if uri.lower().startswith((b"https:", b"http:"))
    ]
    return found[0] if len(found) == 1 else None


def links_in_body(read: Read) -> list[str]:
    """Returns the addresses that the body's visible links lead to."""
    return [link for part in read.parts for link in part.links]


def check_opt_out(read: Read, expected: Expected) -> Iterator[Finding]:
    """Yields what is found about both list headers (RFC 2369, RFC 8058) and the links in the body."""
    yield from _header(read, expected)
    yield from _post(read)
    yield from _body(read, expected)


def _header(read: Read, expected: Expected) -> Iterator[Finding]:
    check, where = "list_unsubscribe", "List-Unsubscribe"
    values = read.raw("list-unsubscribe")
    if len(values) != 1:
        yield failed(check, f"The field stands {len(values)} times.", where, ONE_CLICK, _MEND)
        return
    value = values[0].strip()
    if _WORD.search(value):
        what = "The address left as an encoded word: no mailbox provider decodes it there."
        yield failed(
            check, what, where, LIST_HEADER, "Let the mailer not fold or encode this field."
        )
        return
    if b"\r\n" in values[0]:
        what = "The field is folded: much software breaks the address there."
        yield failed(check, what, where, LIST_HEADER, "Let the mailer not fold this field.")
        return
    uris = [uri.strip() for uri in _URI.findall(value)]
    https = [uri for uri in uris if uri.lower().startswith(b"https://")]
    http = [uri for uri in uris if uri.lower().startswith(b"http://")]
    local = expected.permit is not None and expected.permit.link.startswith("http://")
    if len(https) + len(http) != 1 or (http and not local):
        what = f"There must be exactly one https address; there are {len(https)}."
        yield failed(check, what, where, ONE_CLICK, _MEND)
    elif expected.permit is None:
        what = "The address is no unsubscribe link of this service."
        yield failed(check, what, where, IDENTITY, _MEND)
    elif (https + http)[0].decode("ascii", "replace") != expected.permit.link:
        yield failed(check, "The address is not the permit's own link.", where, ONE_CLICK, _MEND)
    else:
        yield passed(check, "Exactly one https address, the permit's own.", where, ONE_CLICK)


def _post(read: Read) -> Iterator[Finding]:
    check, where = "list_unsubscribe_post", "List-Unsubscribe-Post"
    values = [value.strip() for value in read.raw("list-unsubscribe-post")]
    if values == [POST]:
        yield passed(check, "One click is announced.", where, ONE_CLICK)
    else:
        said = f"it says {values[0].decode('ascii', 'replace')!r}" if len(values) == 1 else ""
        what = said or f"The field stands {len(values)} times."
        mend = f"Set it to {POST.decode()}, exactly once."
        yield failed(check, what, where, ONE_CLICK, mend)


def _body(read: Read, expected: Expected) -> Iterator[Finding]:
    check = "opt_out_in_body"
    for part in read.parts:
        if expected.permit is None:
            what = "The message's permit is unknown, so its link is."
            yield skipped(check, what, part.name, IDENTITY, "Ask for a permit first.")
        elif expected.permit.link in part.links:
            what = "The permit's unsubscribe link can be seen and followed."
            yield passed(check, what, part.name, IDENTITY)
        else:
            mend = f"Put {expected.permit.link} where people see it, as a link of its own."
            what = "The permit's unsubscribe link is missing, hidden or another one."
            yield failed(check, what, part.name, IDENTITY, mend)
