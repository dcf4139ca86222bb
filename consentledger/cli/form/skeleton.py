"""Writes a form back as a file: to edit it, or to fill in its translation."""

from __future__ import annotations

import json

from consentledger.cli.form.finding import Found
from consentledger.organisations.facts import FormPurpose


def skeleton(found: Found, *, translated_to: str | None = None) -> str:
    """Returns the file of a form as its draft is, or of its translation with the first form's words to replace."""
    if translated_to is None:
        lines = _head(found)
    else:
        lines = [
            f"# {found.title}: replace what is in {found.language} by {translated_to}.",
            "# `purpose` names the box and stays as it is.",
            f"language = {quoted(translated_to)}",
        ]
    boxes = found.parts.boxes
    notices = {(box.notice_text, box.notice_url) for box in boxes}
    if len(notices) == 1:
        lines += ["", "[notice]", *_notice(boxes[0])]
    for box in boxes:
        lines += ["", "[[box]]"]
        if translated_to is not None:
            lines.append(f"purpose = {quoted(box.title)}")
        lines += [
            f"title = {quoted(box.title)}",
            f"statement = {quoted(box.statement)}",
            f"withdrawal = {quoted(box.withdrawal)}",
        ]
        if box.controllers != (found.parts.sender.identity.legal_name,):
            lines.append(f"controllers = {_list(box.controllers)}")
        if len(notices) > 1:
            lines += ["", "[box.notice]", *_notice(box)]
    return "\n".join([*lines, ""])


def _head(found: Found) -> list[str]:
    spec = found.parts.spec
    name = [f"name = {quoted(found.facts.name)}"] if found.facts.name else []
    return [
        *name,
        f"language = {quoted(spec.language)}",
        f"sender = {quoted(found.parts.sender.identity.name)}",
        f"origins = {_list(spec.origins)}",
        f"returns = {_list(spec.returns)}",
        f"inputs = {_list([item.name for item in spec.fields if item.name != 'email'])}",
    ]


def _notice(box: FormPurpose) -> list[str]:
    url = [f"url = {quoted(box.notice_url)}"] if box.notice_url else []
    return [*url, f"text = {quoted(box.notice_text)}"]


def _list(values: tuple[str, ...] | list[str]) -> str:
    return "[" + ", ".join(quoted(value) for value in values) + "]"


def quoted(value: str) -> str:
    """Returns a text as TOML writes it; lines stay lines."""
    if "\n" in value:
        inner = value.replace("\\", "\\\\").replace('"""', '\\"\\"\\"')
        if inner.endswith('"'):
            inner = inner[:-1] + '\\"'
        return f'"""\n{inner}"""'
    return json.dumps(value, ensure_ascii=False)
