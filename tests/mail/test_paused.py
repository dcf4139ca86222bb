"""The mail to a marketer whose form paused itself: what it says, in both languages, and to everybody who reads it."""

from __future__ import annotations

import email
from datetime import UTC, datetime
from email.message import EmailMessage
from email.policy import default as parsing

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

from consentledger.mail.confirmation import SenderIdentity
from consentledger.mail.message import build
from consentledger.mail.paused import PausedForm, paused_mail
from consentledger.mail.wire import faults

FORM = "01890a5d-ac96-774b-bcce-b302099a8057"
SENDER = SenderIdentity(
    name="Kräuter & Söhne <i>",
    legal_name="Alpenkraut Versand GmbH",
    postal_address="Talstraße 12\n83471 Berchtesgaden",
    country="DE",
    contact_email="kontakt@alpenkraut.example",
    contact_phone=None,
    from_name="Alpenkraut",
    from_address="news@alpenkraut.example",
    privacy_url=None,
)


def mail(language: str, form: str = "newsletter") -> EmailMessage:
    wire = build(
        paused_mail(
            PausedForm(
                sender=SENDER,
                recipient=SENDER.contact_email,
                language=language,
                form=form,
                page=f"https://consent.test/f/{FORM}",
                resume=f"https://consent.test/api/v1/forms/{FORM}:resume",
                mailed=61,
                confirmed=2,
                paused_at=datetime(2026, 11, 22, 8, 0, tzinfo=UTC),
                message_id="<1.paused@alpenkraut.example>",
            )
        )
    )
    assert faults(wire.data) == []
    read = email.message_from_bytes(wire.data, policy=parsing)
    assert isinstance(read, EmailMessage)
    return read


def part(message: EmailMessage, kind: str) -> str:
    body = message.get_body((kind,))
    assert body is not None
    return str(body.get_content())


@pytest.mark.parametrize(
    ("language", "subject", "said"),
    [
        ("en", "a sign-up form was paused", ("22 November 2026, 08:00 UTC", "sent: 61", "Confirmed: 2")),
        ("de-AT", "Ein Anmeldeformular wurde angehalten", ("22. November 2026", "mails: 61", "Bestätigt: 2")),
    ],
)  # fmt: skip
def test_it_says_what_was_seen_and_what_to_do(language: str, subject: str, said: tuple[str, ...]):
    message = mail(language)
    assert message["Subject"] == f"Kräuter & Söhne <i>: {subject}"
    assert message["To"] == "kontakt@alpenkraut.example"
    assert message["Auto-Submitted"] == "auto-generated"
    text, html = part(message, "plain"), part(message, "html")
    for words in (*said, f"POST https://consent.test/api/v1/forms/{FORM}:resume", "newsletter"):
        assert words in text
    assert f"https://consent.test/f/{FORM}" in html
    assert "Kräuter &amp; Söhne &lt;i&gt;" in html


def test_a_forms_name_is_a_name_and_nothing_else():
    message = mail("en", "spring\r\nBcc: eve@people.example <b>")
    assert message["Bcc"] is None
    assert "The sign-up form spring Bcc: eve@people.example <b> was" in " ".join(
        part(message, "plain").split()
    )
    assert "<b>" not in part(message, "html")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_everybody_can_read_it(page: Page, scheme: str):
    page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
    page.set_viewport_size({"width": 320, "height": 640})
    page.set_content(part(mail("de"), "html"))
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()
    assert page.evaluate("document.documentElement.scrollWidth") <= 320
