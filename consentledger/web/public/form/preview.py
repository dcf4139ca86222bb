"""A form's draft as it would be served, for its owner alone: it holds no token and posts nowhere."""

from __future__ import annotations

import re
from collections.abc import Sequence

from flask import Flask

from consentledger.organisations.facts import FormFacts
from consentledger.organisations.freezing import Parts
from consentledger.web import colours, rendering
from consentledger.web.public.pages import FieldView, FormPreviewPage, PurposeBox
from consentledger.web.public.shown import sender_view, wording_view

_SHEETS = re.compile(r'<link rel="stylesheet" href="[^"]*">\s*')


def preview_page(form: FormFacts, parts: Parts, gaps: Sequence[str]) -> FormPreviewPage:
    """The page of a draft; in a language that our sentences do not speak these come in English, as when served."""
    sender = parts.sender
    return FormPreviewPage(
        language=rendering.speak(parts.spec.language),
        sender=sender_view(
            sender.identity, sender.organisation_number, sender.sender_id, sender.version
        ),
        fields=tuple(FieldView(item.name, item.required) for item in parts.spec.fields),
        boxes=tuple(PurposeBox(str(box.purpose_id), wording_view(box)) for box in parts.boxes),
        gaps=tuple(gaps),
    )


def preview_file(app: Flask, form: FormFacts, parts: Parts, gaps: Sequence[str]) -> str:
    """The same as one file that needs nothing else: stylesheets stand in it."""
    with (
        app.test_request_context(),
        open(f"{app.static_folder}/pages.css", encoding="utf-8") as file,
    ):
        html = rendering.render(preview_page(form, parts, gaps))
        styles = file.read() + colours.stylesheet(parts.sender.identity.colour)
    return _SHEETS.sub("", html).replace("</head>", f"<style>{styles}</style></head>", 1)
