"""What a marketer pastes into a page: the element, the same pinned, a frame, plain HTML, a call by a server.

Text only: every value is escaped for the place where it stands, and no box is ever ticked.
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from uuid import UUID

from sqlalchemy.orm import Session

from consentledger.organisations import queries
from consentledger.organisations.facts import FormFacts, FormField, FormPurpose
from consentledger.organisations.freezing import parts_of, spec_of
from consentledger.web import words
from consentledger.web.releases import newest


@dataclass(frozen=True, slots=True)
class Snippets:
    """Each variant as text, ready to paste."""

    element: str
    pinned: str
    iframe: str
    html: str
    curl: str


@dataclass(frozen=True, slots=True)
class Pasted:
    """What the snippets of one form are made from; `base_url` is the service's, without a slash at its end."""

    base_url: str
    form_id: UUID
    language: str
    sender: str
    fields: Sequence[FormField]
    boxes: Sequence[FormPurpose]

    @property
    def hosted(self) -> str:
        """The form's own page."""
        return f"{self.base_url}/f/{self.form_id}"


def pasted(session: Session, base_url: str, form: FormFacts) -> Pasted:
    """Reads what to paste: of the version that is served, else of the draft (whose boxes nobody can post yet)."""
    if form.state in ("published", "paused"):
        served = queries.form_version(session, form.organisation_id, form.form_id, form.version)
        sender, language = served.sender.name, served.language
        return Pasted(base_url, form.form_id, language, sender, served.fields, served.purposes)
    parts = parts_of(session, form.organisation_id, spec_of(form.draft))
    sender, language = parts.sender.identity.name, parts.spec.language
    return Pasted(base_url, form.form_id, language, sender, parts.spec.fields, parts.boxes)


def snippets(form: Pasted) -> Snippets:
    """Makes every variant for one form."""
    release = newest()
    pinned = (
        f'<script type="module" src="{escape(form.base_url)}/embed/{release.version}.js" '
        f'integrity="{release.integrity}" crossorigin="anonymous"></script>'
    )
    script = f'<script type="module" src="{escape(form.base_url)}/embed.js"></script>'
    return Snippets(
        element=script + _element(form),
        pinned=pinned + _element(form),
        iframe=_iframe(form),
        html=_html(form),
        curl=_curl(form),
    )


def _element(form: Pasted) -> str:
    # The link is what people get whose browser runs no script.
    say = words.catalogue(form.language.split("-")[0]).gettext
    return (
        f'<consent-form form="{form.form_id}">'
        f'<a href="{escape(form.hosted)}">{escape(say("Sign up"))}</a></consent-form>'
    )


def _iframe(form: Pasted) -> str:
    say = words.catalogue(form.language.split("-")[0]).gettext
    title = say("Sign up with %(name)s") % {"name": form.sender}
    # No style attribute: a strict Content-Security-Policy would drop it.
    return (
        f'<iframe src="{escape(form.hosted)}/embed" title="{escape(title)}" '
        'width="100%" height="720" loading="lazy"></iframe>'
    )


def _html(form: Pasted) -> str:
    say = words.catalogue(form.language.split("-")[0]).gettext
    lines = [f'<form method="post" action="{escape(form.hosted)}" lang="{escape(form.language)}">']
    for item in form.fields:
        if item.name == "email":
            kind, label = "email", say("E-mail address")
        else:
            kind, label = "text", words.field_label(form.language, item.name)
        more = " required" if item.required else ""
        complete = f' autocomplete="{item.name}"' if item.name in ("email", "name") else ""
        lines.append(
            f"  <p><label>{escape(label)} "
            f'<input type="{kind}" name="{escape(item.name)}"{complete}{more}></label></p>'
        )
    for box in form.boxes:
        lines.append(
            f'  <p><label><input type="checkbox" name="purpose" value="{box.purpose_id}"> '
            f"<strong>{escape(box.title)}</strong> {escape(box.statement)}</label></p>"
        )
    lines += [
        f"  <p><button>{escape(say('Send me the mail to confirm'))}</button></p>",
        "</form>",
    ]
    return "\n".join(lines)


def _curl(form: Pasted) -> str:
    body = json.dumps(
        {
            "form": str(form.form_id),
            "address": "ada@example.org",
            "purposes": [str(box.purpose_id) for box in form.boxes[:1]],
            "ip": "203.0.113.7",
        }
    )
    return (
        f"curl {shlex.quote(form.base_url + '/api/v1/consents')} \\\n"
        '  -H "Authorization: Bearer $CONSENTLEDGER_KEY" \\\n'
        "  -H 'Content-Type: application/json' \\\n"
        f"  -d {shlex.quote(body)}"
    )
