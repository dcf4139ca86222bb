"""Reads a page as a browser does: what its form would send, and where its links lead."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from html.parser import HTMLParser

HONEYPOT = "website"
_LINK = re.compile(r"https?://[^\s<>\"']+")


@dataclass(slots=True)
class Sheet:
    """One page: the hidden and text fields of its first form, its boxes, and all addresses on it."""

    fields: dict[str, str] = field(default_factory=dict)
    boxes: list[tuple[str, str]] = field(default_factory=list)
    shown: list[str] = field(default_factory=list)
    addresses: list[str] = field(default_factory=list)

    def filled_in(self, email: str) -> dict[str, object]:
        """What a person sends: the address, every box ticked, and what they can't see left as it is."""
        found: dict[str, object] = {**self.fields, "email": email}
        for name, value in self.boxes:
            ticked = found.setdefault(name, [])
            assert isinstance(ticked, list)
            ticked.append(value)
        return found

    def pressed(self) -> dict[str, object]:
        """What the button of a confirm page sends."""
        choices = {f"choice.{item}": "keep" for item in self.shown}
        return {"shown": self.shown, **choices}


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.sheet = Sheet()
        self._forms = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        named = {name: value or "" for name, value in attrs}
        self._forms += tag == "form"
        for name in ("href", "action", "src"):
            if named.get(name):
                self.sheet.addresses.append(named[name])
        if tag == "input" and self._forms == 1:
            self._input(named)

    def _input(self, named: dict[str, str]) -> None:
        name, value, kind = named.get("name", ""), named.get("value", ""), named.get("type", "text")
        if name == "shown":
            self.sheet.shown.append(value)
        elif kind == "checkbox":
            self.sheet.boxes.append((name, value))
        elif kind not in ("radio", "submit") and name:
            self.sheet.fields[name] = value


def read(text: str) -> Sheet:
    """Reads one page."""
    reader = _Reader()
    reader.feed(text)
    return reader.sheet


def links(text: str) -> list[str]:
    """Every http(s) address in a text."""
    return [found.rstrip(".,)") for found in _LINK.findall(text)]


def path_of(address: str, here: str = "/") -> str | None:
    """The path of an address on our own host, None for anywhere else."""
    if address.startswith("/"):
        return address
    found = re.match(r"https?://(?:consent\.test|127\.0\.0\.1:\d+)(/.*)?$", address)
    if found:
        return found[1] or "/"
    return None if "://" in address or address.startswith(("mailto:", "data:", "#")) else here
