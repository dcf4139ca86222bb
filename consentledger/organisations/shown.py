"""The texts that are stored as shown: a wording, a form, and the notices that belong to them.

No template makes these: they are committed in the log, and must not change when a page is designed anew.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from html import escape

from consentledger.ledger.leaf import blob_value
from consentledger.organisations.facts import (
    BlobValue,
    FormField,
    FormPurpose,
    SenderIdentity,
    WordingFacts,
)

SALT_BYTES = 32


def stored_blob(content: str) -> bytes:
    """Returns a blob as it is stored: 32 random bytes, then the text in UTF-8 (ledger.md, Leaf)."""
    return os.urandom(SALT_BYTES) + content.encode()


def value_of(blob: bytes, media_type: str) -> BlobValue:
    """Returns the value that commits to a stored blob."""
    algorithm, digest, length, kind = blob_value(blob[:SALT_BYTES], blob[SALT_BYTES:], media_type)
    return str(algorithm), str(digest), int(length or 0), str(kind)


def wording_text(wording: WordingFacts, title: str) -> str:
    """Returns the whole wording as plain text: title, statement, withdrawal, controllers, where the notice is."""
    lines = [
        title,
        "",
        wording.statement,
        "",
        wording.withdrawal,
        "",
        *(f"Controller: {name}" for name in wording.controllers),
        f"Channel: {wording.channel}",
    ]
    if wording.notice_url:
        lines.append(f"Notice: {wording.notice_url}")
    return "\n".join(lines) + "\n"


def form_html(
    sender: SenderIdentity,
    language: str,
    inputs: Sequence[FormField],
    boxes: Sequence[FormPurpose],
) -> str:
    """Returns the form as shown, as an HTML fragment: every text escaped, every box unticked."""
    who = (
        f"<p>{_lines(sender.name)}<br>{_lines(sender.legal_name)}<br>"
        f"{_lines(sender.postal_address)}<br>{escape(sender.country)}<br>{escape(sender.contact_email)}</p>"
    )
    parts = [f'<form lang="{escape(language)}">', who]
    for item in inputs:
        required = " required" if item.required else ""
        kind = "email" if item.name == "email" else "text"
        parts.append(f'<input type="{kind}" name="{escape(item.name)}"{required}>')
    parts += [_box(box) for box in boxes]
    parts.append("</form>")
    return "\n".join(parts) + "\n"


def _box(box: FormPurpose) -> str:
    controllers = "".join(f"<li>{_lines(name)}</li>" for name in box.controllers)
    notice = (
        f'<a href="{escape(box.notice_url)}">{escape(box.notice_url)}</a>' if box.notice_url else ""
    )
    return (
        f'<fieldset lang="{escape(box.language)}">'
        f'<label><input type="checkbox" name="purpose" value="{box.purpose_id}">'
        f"<strong>{_lines(box.title)}</strong> {_lines(box.statement)}</label>"
        f"<p>{_lines(box.withdrawal)}</p><ul>{controllers}</ul>{notice}</fieldset>"
    )


def notices(boxes: Sequence[FormPurpose]) -> str:
    """Returns the notices of all boxes as plain text, each under its wording's id."""
    return "\n".join(f"[{box.wording_id}]\n{box.notice_text}\n" for box in boxes)


def _lines(value: str) -> str:
    return escape(value).replace("\n", "<br>")
