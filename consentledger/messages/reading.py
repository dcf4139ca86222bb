"""A message's bytes, read twice: as octets on the wire, and as a mailbox program shows them."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from email import message_from_bytes
from email.errors import MessageError
from email.message import EmailMessage
from email.policy import SMTP
from html.parser import HTMLParser

from consentledger.kernel.errors import InputError
from consentledger.mail.wire import raw_fields

MAX_BYTES = 10 * 1024 * 1024
MAX_HEAD = 256 * 1024  # octets of all header fields: mail servers take less
MAX_TEXT = 512 * 1024  # characters of one text: mailbox programs cut off far shorter ones
MAX_OPEN = (
    5_000  # behind a tag, or comments, without an end: the parser looks to the end for each of them
)
# The parser's own slips on hostile fields.
SLIPS = (ValueError, LookupError, AttributeError, AssertionError, RecursionError, MessageError)
_BLANK = re.compile(r"\s+")
_SILENT = frozenset(("script", "style", "head", "title", "template"))
_VOID = frozenset(
    ("area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "wbr")
)
# Whose end people leave out: the next one of its kind ends it.
_OPEN_ENDED = frozenset(("dd", "dt", "li", "option", "p", "td", "th", "tr"))
_DEEPEST = 200  # how far up an end looks for its start: a page of starts alone must not take hours
_HIDING = re.compile(
    r"display:none|visibility:hidden|font-size:0(?![.\d])|opacity:0(?![.\d])|mso-hide:all"
)


@dataclass(frozen=True, slots=True)
class Part:
    """One text of the body: what a person sees of it, and the addresses its links lead to."""

    name: str
    text: str
    links: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Read:
    """One message: `fields` are (lower-case name, octets with their folds) in order, `parts` its texts.

    `bare` tells that lines end in LF alone, as files often do; the octets are read as they will be on the wire.
    """

    fields: tuple[tuple[str, bytes], ...]
    message: EmailMessage = field(repr=False)
    parts: tuple[Part, ...] = field(repr=False)
    wire: bytes = field(repr=False)
    bare: bool = False

    def raw(self, name: str) -> list[bytes]:
        """The octets of every field of that name (lower case)."""
        return [value for found, value in self.fields if found == name]

    def shown(self, name: str) -> str:
        """A field as a mailbox program shows it, the first one of that name; empty without."""
        try:
            value = self.message.get(name)
        except SLIPS:
            return ""
        return str(value) if value is not None else ""


def read(data: bytes) -> Read:
    """Reads a whole message (.eml); InputError (field `message`) when it is none, or too large."""
    if len(data) > MAX_BYTES:
        raise _wrong(f"the message is larger than {MAX_BYTES // 1024 // 1024} MB", "too_long")
    bare = b"\n" in data and b"\r\n" not in data
    wire = data.replace(b"\n", b"\r\n") if bare else data
    head, separator, _ = wire.partition(b"\r\n\r\n")
    if len(head) > MAX_HEAD:
        raise _wrong(f"its header is larger than {MAX_HEAD // 1024} KB", "too_long")
    fields = raw_fields(head) if separator else None
    if not fields or not any(name == "from" for name, _ in fields):
        raise _wrong("this is no mail message: header fields, an empty line, a body", "malformed")
    try:
        message = message_from_bytes(wire, policy=SMTP)
        parts = tuple(_parts(message))
    except SLIPS as error:
        raise _wrong("the message's parts can not be read", "malformed") from error
    return Read(tuple(fields), message, parts, wire, bare)


def plain(text: str) -> str:
    """Returns a text for comparing: one blank between words, no case."""
    return _BLANK.sub(" ", text).strip().casefold()


def _parts(message: EmailMessage) -> list[Part]:
    found = []
    for part in message.walk():
        kind = part.get_content_type()
        if kind not in ("text/plain", "text/html") or part.is_attachment():
            continue
        content = part.get_content()
        if len(content) > MAX_TEXT:
            raise _wrong(f"a text of it is longer than {MAX_TEXT} characters", "too_long")
        if kind == "text/plain":
            found.append(Part(kind, content, tuple(re.findall(r"https?://[^\s<>\"']+", content))))
        else:
            if len(content.rpartition(">")[2]) > MAX_OPEN or _left_open(content) > MAX_OPEN:
                raise _wrong("its HTML has no end", "malformed")
            page = _Page()
            page.feed(content)
            page.close()
            found.append(Part(kind, " ".join(page.texts), tuple(page.links)))
    return found


def _left_open(content: str) -> int:
    return content.count("<!") + content.count("<?") - content.count("-->") - content.count("?>")


class _Page(HTMLParser):
    """Collects what a person sees: text and links outside of what is hidden."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.texts: list[str] = []
        self.links: list[str] = []
        self._open: list[tuple[str, bool]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _OPEN_ENDED and self._open and self._open[-1][0] == tag:
            self._open.pop()
        given = dict(attrs)
        style = (given.get("style") or "").replace(" ", "").lower()
        hidden = tag in _SILENT or "hidden" in given or _HIDING.search(style) is not None
        hidden = hidden or self._is_hidden()
        if tag not in _VOID:
            self._open.append((tag, hidden))
        if tag == "a" and not hidden and given.get("href"):
            self.links.append(str(given["href"]).strip())

    def handle_endtag(self, tag: str) -> None:
        for depth in range(1, min(len(self._open), _DEEPEST) + 1):
            if self._open[-depth][0] == tag:  # what was left open inside ends with it
                del self._open[-depth:]
                return

    def handle_data(self, data: str) -> None:
        if not self._is_hidden():
            self.texts.append(data)

    def _is_hidden(self) -> bool:
        return bool(self._open) and self._open[-1][1]


def _wrong(why: str, reason: str) -> InputError:
    return InputError(f"message: {why}", field="message", reason=reason)
