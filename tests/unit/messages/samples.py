"""A message that is in order, and its permit; tests spoil one thing at a time."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from email.message import EmailMessage
from email.policy import SMTP

from consentledger.messages.carried import check_carried
from consentledger.messages.duties import check_duties
from consentledger.messages.identity import check_identity
from consentledger.messages.model import DutyHeld, Expected, Finding, PermitHeld
from consentledger.messages.optout import check_opt_out
from consentledger.messages.reading import read
from consentledger.messages.signature import check_signature
from consentledger.organisations.facts import SenderIdentity

LINK = "https://u.shop.example/u/AAAAAAAAAAAAAAAA.BBBBBBBBBBBBBBBB"
IDENTITY = SenderIdentity(
    name="Shop",
    legal_name="Alpenkraut Ltd",
    postal_address="High Street 1\nAB1 2CD Townley",
    country="GB",
    contact_email="help@shop.example",
    from_name="The Shop",
    from_address="news@shop.example",
)
PERMIT = PermitHeld(
    permit="AAAAAAAAAAAAAAAA",
    state="valid",
    recipient=True,
    channel="email",
    valid_until=datetime(2026, 11, 22, 12, tzinfo=UTC),
    duties=(),
    link=LINK,
)
DKIM = (
    "v=1; a=rsa-sha256; c=relaxed/relaxed; d=shop.example; s=k1; "
    "h=from:to:subject:list-unsubscribe:list-unsubscribe-post; bh=AAAA; b=BBBB"
)
TEXT = f"Offers!\n\nAlpenkraut Ltd, High Street 1, AB1 2CD Townley\nUnsubscribe: {LINK}\n"
HTML = (
    "<html><body><p>Offers!</p><p>Alpenkraut Ltd<br>High Street 1<br>AB1&nbsp;2CD Townley</p>"
    f'<p><a href="{LINK}">Unsubscribe</a></p></body></html>'
)


def message(text: str = TEXT, html: str | None = HTML, **fields: str | None) -> bytes:
    """A message on the wire; `fields` (with `_` for `-`) replace, add or (None) leave out header fields."""
    made = EmailMessage(policy=SMTP.clone(max_line_length=998))
    header: dict[str, str | None] = {
        "DKIM-Signature": DKIM,
        "From": "The Shop <news@shop.example>",
        "To": "maria@example.org",
        "Subject": "Offers of the week",
        "Date": "Sun, 22 Nov 2026 10:00:00 +0000",
        "Message-ID": "<1@shop.example>",
        "List-Unsubscribe": f"<{LINK}>",
        "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
    }
    header |= {name.replace("_", "-"): value for name, value in fields.items()}
    for name, value in header.items():
        if value is not None:
            made[name] = value
    made.set_content(text)
    if html is not None:
        made.add_alternative(html, subtype="html")
    return made.as_bytes()


def permit(*duties: tuple[str, str | None], **changes: object) -> PermitHeld:
    """The sample's permit with duties and changes."""
    held = tuple(DutyHeld(code, value, "XX@1#duty") for code, value in duties)
    return replace(PERMIT, duties=held, **changes)  # type: ignore[arg-type]


def findings(data: bytes, held: PermitHeld | None = PERMIT) -> list[Finding]:
    """Everything that is found about a message, but what its octets alone say."""
    expected = Expected(IDENTITY if held else None, held)
    one = read(data)
    return [
        *check_duties(one, expected),
        *check_carried(one, expected),
        *check_identity(one, expected),
        *check_opt_out(one, expected),
        *check_signature(one),
    ]


def outcome(data: bytes, check: str, held: PermitHeld | None = PERMIT) -> set[str]:
    """The outcomes of one check."""
    return {one.outcome for one in findings(data, held) if one.check == check}
