"""GET /f/<form>/form.json: a form as published, for scripts that show it in a page of a listed origin.

Everything that a person must see comes from here in one answer, so that a page needs no second request before one
can type. It holds nothing about anybody.
"""

from __future__ import annotations

from typing import Any

import orjson
from flask import Response, g

from consentledger.limits.form_tokens import FRESH
from consentledger.organisations.facts import FormField, FormPurpose, PublishedForm
from consentledger.web import colours, words
from consentledger.web.public.form.element_words import element_words
from consentledger.web.services import installation

HONEYPOT = "website"
TOO_FAST_SECONDS = 1.5


def answer(form: PublishedForm, token: str, work: dict[str, Any] | None) -> Response:
    """The form with a token for the page that asked; `work` is a challenge while the form is under pressure."""
    base = installation().settings.base_url
    here = f"{base}/f/{form.form_id}"
    body = {
        "form": str(form.form_id),
        "version": form.version,
        "hash": hash_of(form),
        "language": form.language,
        "direction": words.direction(form.language),
        "action": here,
        "hosted": here,
        "token": token,
        "expires_in": int(FRESH.total_seconds()),
        "sender": _sender(form),
        "fields": [_field(item) for item in form.fields],
        "boxes": [_box(box) for box in form.purposes],
        "honeypot": HONEYPOT,
        "wait": TOO_FAST_SECONDS,
        "work": work,
        "words": element_words(form),
        "stop": f"{base}/stop",
    }
    return Response(orjson.dumps(body), mimetype="application/json")


def hash_of(form: PublishedForm) -> str:
    """The digest that form.published committed to: what a script was served, said back with its post."""
    return form.text[1]


def _sender(form: PublishedForm) -> dict[str, Any]:
    who = form.sender
    light, dark = (colours.scheme(who.colour, dark=is_dark) for is_dark in (False, True))
    return {
        "name": who.name,
        "legal_name": who.legal_name,
        "postal_address": who.postal_address,
        "country": words.country(g.language, who.country),
        "contact_email": who.contact_email,
        "contact_phone": who.contact_phone,
        "privacy_url": who.privacy_url,
        "colour": who.colour,
        # The same colour where text on it and its edge can be told apart, on light and on dark paper.
        "colours": {
            "fill": [light.fill, dark.fill],
            "on-fill": [light.on_fill, dark.on_fill],
            "edge": [light.edge, dark.edge],
        },
    }


def _field(item: FormField) -> dict[str, Any]:
    email = item.name == "email"
    return {
        "name": item.name,
        "label": words.gettext("E-mail address")
        if email
        else words.field_label(g.language, item.name),
        "required": item.required,
        "type": "email" if email else "text",
        "autocomplete": item.name if item.name in ("email", "name") else "on",
    }


def _box(box: FormPurpose) -> dict[str, Any]:
    return {
        "purpose": str(box.purpose_id),
        "title": box.title,
        "statement": box.statement,
        "withdrawal": box.withdrawal,
        "channel": words.channel(g.language, box.channel),
        "controllers": list(box.controllers),
        "notice_text": box.notice_text,
        "notice_url": box.notice_url,
        "language": box.language,
    }
