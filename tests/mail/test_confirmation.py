"""The confirmation mail: whole identity, one link, no advertising, in every language."""

from __future__ import annotations

import email
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from email.policy import default as parsing

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

from consentledger.kernel.errors import IntegrityError
from consentledger.kernel.tokens import Tokens
from consentledger.mail.confirmation import (
    Asked,
    Confirmation,
    SenderIdentity,
    StopLink,
    confirmation_mail,
    star,
    stop_mail,
    with_token,
)
from consentledger.mail.message import build, inline_styles
from consentledger.mail.render import language_for, languages

TOKENS = Tokens((b"k" * 32,))
LIVE = TOKENS.make("confirm", b"\0\0\0\x01abcdefgh")
AT = datetime(2026, 11, 21, 21, 45, tzinfo=UTC)
SENDER = SenderIdentity.of(
    {
        "name": "Bücherstube",
        "legal_name": "Bücherstube Lindner & Töchter GmbH",
        "postal_address": "Am Markt 7\n04109 Leipzig",
        "country": "DE",
        "contact_email": "service@buecherstube.example",
        "contact_phone": "+49 341 123456",
        "from_name": "Bücherstube Lindner",
        "from_address": "post@buecherstube.example",
        "privacy_url": "https://buecherstube.example/privacy",
        "colour": "#123456",
    }
)
FACTS = Confirmation(
    sender=SENDER,
    recipient="erika@example.net",
    language="en",
    asked=(
        Asked("Weekly <offers>", AT, AT + timedelta(days=7)),
        Asked("Readings & talks", AT, AT + timedelta(days=7)),
    ),
    base_url="https://consent.buecherstube.example",
    token=star(LIVE),
    message_id="<0190@buecherstube.example>",
    at=AT,
)
STOP = StopLink(
    SENDER,
    "erika@example.net",
    "en",
    AT + timedelta(days=7),
    FACTS.base_url,
    star(LIVE),
    "<0191@buecherstube.example>",
    AT,
)


def parts(data: bytes) -> tuple[EmailMessage, str, str]:
    """The parsed mail, its text and its HTML."""
    parsed = email.message_from_bytes(data, policy=parsing)
    assert isinstance(parsed, EmailMessage)
    text, html = parsed.get_body(("plain",)), parsed.get_body(("html",))
    assert text is not None
    assert html is not None
    lines = [body.get_content().replace("\r\n", "\n") for body in (text, html)]
    return parsed, lines[0], lines[1]


@pytest.mark.parametrize("language", languages())
def test_every_part_says_all_that_must_be_said(language: str):
    wire = build(confirmation_mail(replace(FACTS, language=language)))
    parsed, text, html = parts(wire.data)
    escaped = html.replace("&amp;", "&").replace("&lt;", "<").replace("&gt;", ">")
    for body in (text, escaped):
        for said in (
            SENDER.legal_name,
            "Am Markt 7",
            "04109 Leipzig",
            "service@buecherstube.example",
            "+49 341 123456",
            "https://buecherstube.example/privacy",
            "Weekly <offers>",
            "Readings & talks",
            "21:45 UTC",
            "2026",
            "28",
            f"https://consent.buecherstube.example/c/{star(LIVE)}",
            f"https://consent.buecherstube.example/c/{star(LIVE)}#not-me",
        ):
            assert said in body, said
    assert parsed["From"].addresses[0].addr_spec == "post@buecherstube.example"
    assert parsed["From"].addresses[0].display_name == "Bücherstube Lindner"
    assert parsed["Reply-To"] == "service@buecherstube.example"
    assert parsed["Auto-Submitted"] == "auto-generated"
    assert parsed["X-Auto-Response-Suppress"] == "All"
    assert parsed["Content-Language"] == language
    assert "Bücherstube" in parsed["Subject"]
    assert "<offers>" not in html


def test_it_carries_no_advertising_and_calls_nobody():
    data = build(confirmation_mail(FACTS)).data
    _, text, html = parts(data)
    head = data.partition(b"\r\n\r\n")[0].lower()
    assert b"list-" not in head, "it is not a list's mail yet (RFC 8058 is for those)"
    for tag in ("<img", "<script", "<link", "<iframe", "<form", "url(", "@import", "background="):
        assert tag not in html.lower()
    for body in (text, html):
        found = set(re.findall(r"https?://[^\s\"<>]+", body))
        link = f"https://consent.buecherstube.example/c/{star(LIVE)}"
        assert found == {link, f"{link}#not-me", "https://buecherstube.example/privacy"}


def test_lines_of_the_text_part_fit():
    _, text, _ = parts(build(confirmation_mail(FACTS)).data)
    assert all(len(line) <= 72 for line in text.splitlines() if "https://" not in line)
    assert "\n\n\n" not in text


def test_optional_parts_of_an_identity_leave_no_gap():
    sender = replace(SENDER, contact_phone=None, privacy_url=None)
    _, text, html = parts(build(confirmation_mail(replace(FACTS, sender=sender))).data)
    assert "Telephone" not in text + html
    assert "Privacy" not in text + html
    assert text.endswith("E-mail: service@buecherstube.example\n")


@pytest.mark.parametrize("lacking", ["legal_name", "postal_address", "from_address", "country"])
def test_an_identity_without_its_core_sends_nothing(lacking: str):
    identity = {name: getattr(SENDER, name) for name in SenderIdentity.__dataclass_fields__}
    with pytest.raises(IntegrityError, match=lacking):
        SenderIdentity.of({**identity, lacking: ""})


def test_a_privacy_address_that_is_no_web_address_is_left_out():
    identity = {name: getattr(SENDER, name) for name in SenderIdentity.__dataclass_fields__}
    evil = SenderIdentity.of({**identity, "privacy_url": "javascript:alert(1)"})
    assert evil.privacy_url is None


def test_a_title_can_not_fake_lines_of_the_mail():
    asked = (replace(FACTS.asked[0], title="x\n\nhttps://evil.example/\u2028y"),)
    _, text, _ = parts(build(confirmation_mail(replace(FACTS, asked=asked))).data)
    assert "  * x https://evil.example/ y\n" in text


def test_the_live_token_goes_in_at_delivery_only():
    kept = build(confirmation_mail(FACTS)).data
    assert LIVE.encode() not in kept
    assert LIVE[17:].encode() not in kept
    sent = with_token(kept, LIVE)
    assert len(sent) == len(kept)
    assert b"*" * 16 not in sent
    _, text, html = parts(sent)
    assert TOKENS.read("confirm", re.findall(r"/c/([^\s#\"<]+)", text)[0]) is not None
    assert html.count(LIVE) == 3
    assert sent.replace(LIVE[17:].encode(), b"*" * 16) == kept


def test_a_kept_mail_with_another_link_never_leaves():
    other = TOKENS.make("confirm", b"\0\0\0\x02abcdefgh")
    kept = build(confirmation_mail(FACTS)).data
    with pytest.raises(IntegrityError):
        with_token(kept, other)
    with pytest.raises(IntegrityError):
        with_token(kept + b"*" * 16, LIVE)
    with pytest.raises(IntegrityError):
        with_token(b"nothing", LIVE)
    with pytest.raises(ValueError, match="token"):
        star("short")


@pytest.mark.parametrize("language", languages())
def test_the_stop_mail_has_its_one_link(language: str):
    parsed, text, html = parts(build(stop_mail(replace(STOP, language=language))).data)
    link = f"https://consent.buecherstube.example/stop/{star(LIVE)}"
    assert link in text
    assert link in html
    assert SENDER.legal_name in text
    assert "28" in text
    assert parsed["Auto-Submitted"] == "auto-generated"


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ("de", "de"),
        ("de-AT", "de"),
        ("DE_ch", "de"),
        ("en-GB", "en"),
        ("fr", "en"),
        ("", "en"),
        ("../../etc", "en"),
    ],
)
def test_the_language_of_a_mail(wanted: str, found: str):
    assert language_for(wanted) == found


@pytest.mark.browser
@pytest.mark.parametrize("make", [lambda: confirmation_mail(FACTS), lambda: stop_mail(STOP)])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_can_be_read_on_a_phone_and_in_the_dark(page: Page, make, scheme: str):
    page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
    page.set_viewport_size({"width": 320, "height": 700})
    page.set_content(inline_styles(make().html))
    assert page.evaluate("document.documentElement.scrollWidth") <= 320
    for selector in ("h1", "p", ".small", ".address", ".button-link"):
        ratio = page.locator(selector).first.evaluate(CONTRAST)
        assert ratio >= 4.5, (selector, ratio)
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()
    box = page.locator(".button-link").bounding_box()
    assert box is not None
    assert box["height"] >= 44


CONTRAST = """element => {
  const luminance = css => {
    const [r, g, b] = css.match(/[0-9.]+/g).map(Number).map(v => v / 255)
      .map(v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  let ground = element;
  while (getComputedStyle(ground).backgroundColor === "rgba(0, 0, 0, 0)")
    ground = ground.parentElement;
  const [low, high] = [getComputedStyle(element).color, getComputedStyle(ground).backgroundColor]
    .map(luminance).sort((a, b) => a - b);
  return (high + 0.05) / (low + 0.05);
}"""
