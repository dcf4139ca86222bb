"""Sample contexts for every page template, ordinary and hostile, for the gallery and the tests."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from consentledger.web.problem_words import words_of
from consentledger.web.public import pages, rules

NOW = datetime(2026, 11, 21, 21, 45, 3, tzinfo=UTC)

SENDER = pages.SenderView(
    name="Alpenkraut",
    legal_name="Alpenkraut Versand GmbH",
    postal_address="Talstraße 12\n83471 Berchtesgaden",
    country="DE",
    contact_email="kontakt@alpenkraut.example",
    contact_phone="+49 8652 12345",
    privacy_url="https://alpenkraut.example/datenschutz",
    stylesheet="/brand/1/green.css",
)
HOSTILE = pages.SenderView(
    name="Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft <b>AG</b>",
    legal_name="Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft mbH & Co. KG",
    postal_address="An der außergewöhnlich langen Uferpromenade der Donauschifffahrt 1234\n1020 Wien",
    country="AT",
    contact_email="ein-sehr-langer-name-fuer-ein-postfach@donaudampfschifffahrtselektrizitaeten.example",
    stylesheet="/brand/1/yellow.css",
)
HEBREW = replace(
    SENDER,
    name="פרחי הגליל",
    legal_name='פרחי הגליל בע"מ',
    postal_address="רחוב הרצל 5\nחיפה",
    country="IL",
)
NOTICE = (
    "Who is responsible: Alpenkraut Versand GmbH.\nWhy: to send you the offers you asked for.\n"
    "How long: until you take it back, and the proof for three years after.\n"
    "Your rights: access, rectification, erasure, complaint to an authority."
)
OFFERS = pages.WordingView(
    title="Weekly offers",
    channel="email",
    statement="Yes, Alpenkraut Versand GmbH may send me its weekly offers of teas, herbs and balms by e-mail.",
    withdrawal="You can withdraw at any time with the link in every message or at kontakt@alpenkraut.example.",
    controllers=("Alpenkraut Versand GmbH",),
    language="en",
    notice_url="https://alpenkraut.example/datenschutz",
    notice_text=NOTICE,
)
TIPS = replace(
    OFFERS,
    title="Gardening tips",
    statement="Yes, Alpenkraut Versand GmbH and Kräutergarten e. V. may send me gardening tips once a month.",
    controllers=("Alpenkraut Versand GmbH", "Kräutergarten e. V."),
    notice_url=None,
)
HEBREW_OFFERS = replace(
    OFFERS,
    title="מבצעים שבועיים",
    statement="כן, אני מסכים לקבל מפרחי הגליל מבצעים שבועיים בדואר אלקטרוני.",
    withdrawal="אפשר לבטל בכל עת בעזרת הקישור שבכל הודעה.",
    controllers=('פרחי הגליל בע"מ',),
    language="he",
    notice_text=None,
)
TOKEN = "AAAAAQAAAAAAAAAA.BBBBBBBBBBBBBBBB"
LEAF = (
    "consentledger/leaf/v1\nkind consent.confirmed/1\ns q1w8m2Zt4bXn0c5v7Jk9Ld3fGh6yRe1uPo2iSa4QwEw\n"
    "c actor 66cY3WoZr41yJRk9-yfxxcxlx8lPTcEMNIm1RyBUk-A\nc address 7Vb7C2m0p1Qe5Zx9d8KfT3uYhN6sRj4wGvL1aBoXiEc\n"
    "c at x1JmQ0b7Vn2kLs9PfD4hGt8RwYc3EzUo6iAq5MpXeBk"
)
DISCLOSURES = tuple(
    "WyJfMjZiYzRMVC1hYzZxMktJNmNCVzVlcyIsImZhbWlseV9uYW1lIiwiTcO2Yml1cyJd" + str(n)
    for n in range(14)
)
PROOF = pages.Proof(
    title="Weekly offers",
    index=48213,
    leaf_hash="5f0c7f0b6c2a4a3d9e8b1c7d6e5f4a3b2c1d0e9f8a7b6c5d4e3f2a1b0c9d8e7f",
    receipt_url=f"/r/{TOKEN}",
    at=NOW,
    leaf=LEAF,
    disclosures=DISCLOSURES,
)
REPEATED = replace(PROOF, at=None, leaf=None, disclosures=())
ITEM = pages.ConfirmItem(
    item_id="0193f1c2-7b4e-7c11-9a52-0d4f6b1e2a30",
    wording=OFFERS,
    asked_at=NOW,
    expires_at=NOW.replace(day=28),
    asked_by="Alpenkraut Versand GmbH",
    asked_on_page="https://alpenkraut.example/shop/kasse?schritt=3&utm_campaign=ein-sehr-langer-name",
)
FORM = pages.FormPage(
    language="en",
    sender=SENDER,
    action="/f/0193f1c2-7b4e-7c11-9a52-0d4f6b1e2a30",
    version=3,
    fields=(pages.FieldView("email", required=True), pages.FieldView("name", required=False)),
    boxes=(pages.PurposeBox("p1", OFFERS), pages.PurposeBox("p2", TIPS)),
    token="t" * 76,
    honeypot="website",
)
FILLED = replace(
    FORM,
    fields=(
        pages.FieldView("email", True, "maria@example.org"),
        pages.FieldView("name", False, "Maria"),
    ),
    honeypot=None,
)
RECEIPT = pages.ReceiptPage(
    language="en",
    origin="consent.example/log/q7Xw2mVt9b",
    index=48213,
    leaf_hash=PROOF.leaf_hash,
)
TLOG_PROOF = (
    "c2sp.org/tlog-proof@v1\nindex 48213\n"
    + "QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVphYmNkZWY=\n" * 12
    + "\nconsent.example/log/q7Xw2mVt9b\n48300\nQUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVphYmNkZWY=\n\n"
    "— consent.example/log/q7Xw2mVt9b Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5\n"
)


def samples() -> dict[str, pages.Page]:
    """Returns every page by a short name; the names are the gallery's file names."""
    second = replace(ITEM, item_id="0193f1c2-7b4e-7c11-9a52-0d4f6b1e2a31", wording=TIPS)
    act, not_me = f"/c/{TOKEN}", f"/c/{TOKEN}/not-me"
    return {
        "home": pages.HomePage("en", operator="Musterbetrieb GmbH"),
        "form": FORM,
        "form-embed": replace(FORM, embed=True, source="iframe"),
        "form-errors": replace(
            FORM,
            errors=(
                pages.FieldError("email", "Please write the address like name@example.org."),
                pages.FieldError("purpose", "Please tick at least one box."),
            ),
            fields=(
                pages.FieldView("email", True, "maria@@example"),
                pages.FieldView("name", False, "Maria"),
            ),
        ),
        "form-hostile": replace(FORM, sender=HOSTILE),
        "form-rtl": replace(
            FORM, language="he", sender=HEBREW, boxes=(pages.PurposeBox("p1", HEBREW_OFFERS),)
        ),
        "form-de": replace(FORM, language="de"),
        "form-preview": pages.FormPreviewPage("en", SENDER, FORM.fields, FORM.boxes),
        "form-preview-gaps": pages.FormPreviewPage(
            *("de", HOSTILE, FORM.fields, FORM.boxes),
            ("box <b>tips</b>: statement: does not name the channel (e-mail or email)",),
        ),
        "form-again": replace(FILLED, asks="again"),
        "form-again-de": replace(FILLED, language="de", asks="again"),
        "form-again-rtl": replace(
            FILLED,
            language="he",
            sender=HEBREW,
            boxes=(pages.PurposeBox("p1", HEBREW_OFFERS),),
            asks="again",
        ),
        "form-changed": replace(FILLED, asks="changed"),
        "form-changed-de": replace(FILLED, language="de", asks="changed", sender=HOSTILE),
        "form-waiting": replace(
            FILLED, asks="waiting", wait=10, boxes=(replace(FORM.boxes[0], ticked=True),)
        ),
        "form-waiting-long": replace(FILLED, asks="waiting", wait=421),
        "form-waiting-embed": replace(
            FILLED, language="de", asks="waiting", wait=7, embed=True, source="iframe"
        ),
        "check-mail": pages.CheckMailPage("en", SENDER, 7, "https://alpenkraut.example/danke"),
        "check-mail-embed": pages.CheckMailPage("de", SENDER, 7, embed=True),
        "confirm": pages.ConfirmPage("en", SENDER, act, not_me, (ITEM,), "m…@e….org"),
        "confirm-several": pages.ConfirmPage("de", SENDER, act, not_me, (ITEM, second)),
        "confirm-errors": pages.ConfirmPage(
            "en",
            HOSTILE,
            act,
            not_me,
            (replace(ITEM, choice="keep"), second),
            errors=(
                pages.FieldError(
                    f"choice.{second.item_id}", "Please say yes or no to: Gardening tips"
                ),
            ),
        ),
        "confirm-done": pages.ConfirmDonePage(
            "en",
            SENDER,
            (PROOF,),
            (replace(PROOF, title="Gardening tips", index=48214),),
            (),
            not_me,
        ),
        "confirm-done-de": pages.ConfirmDonePage(
            "de", SENDER, (PROOF,), (), ("Gardening tips",), not_me
        ),
        "confirm-used": pages.ConfirmUsedPage("en", SENDER, (REPEATED,), not_me),
        "declined": pages.DeclinedPage("en", SENDER, proofs=(REPEATED,)),
        "stopped-since": pages.StoppedSincePage("en", SENDER, "/f/abc", not_me),
        "expired": pages.ExpiredPage("en", SENDER, "/f/abc", not_me),
        "expired-bare": pages.ExpiredPage("de"),
        "unsubscribe": pages.UnsubscribePage("en", SENDER, "Weekly offers", "email", f"/u/{TOKEN}"),
        "unsubscribe-hostile": pages.UnsubscribePage(
            "de", HOSTILE, "Weekly offers", "email", f"/u/{TOKEN}"
        ),
        "unsubscribe-done": pages.UnsubscribeDonePage(
            "en",
            SENDER,
            "Weekly offers",
            "email",
            "purpose",
            replace(PROOF, disclosures=DISCLOSURES[:3]),
            f"/u/{TOKEN}",
        ),
        "unsubscribe-customer-done": pages.UnsubscribeDonePage(
            "en",
            SENDER,
            "Weekly offers",
            "email",
            "purpose",
            replace(PROOF, disclosures=DISCLOSURES[:3]),
            f"/u/{TOKEN}",
            as_customer=True,
        ),
        "unsubscribe-all-done": pages.UnsubscribeDonePage(
            "de", SENDER, "Wochenangebote", "email", "organisation", REPEATED
        ),
        "broken-link": pages.BrokenLinkPage("en"),
        "stop": pages.StopPage(
            "en",
            (
                pages.SenderChoice("1.a", "Alpenkraut", "Alpenkraut Versand GmbH"),
                pages.SenderChoice("1.b", HOSTILE.name, HOSTILE.legal_name),
            ),
        ),
        "stop-errors": pages.StopPage(
            "de",
            (pages.SenderChoice("1.a", "Alpenkraut", "Alpenkraut Versand GmbH"),),
            email="x",
            errors=(
                pages.FieldError("email", "Bitte die Adresse so schreiben: name@example.org."),
                pages.FieldError("sender", "Bitte den Absender auswählen."),
            ),
        ),
        "stop-sent": pages.StopSentPage("en", SENDER),
        "stop-link": pages.StopLinkPage("en", SENDER, f"/stop/{TOKEN}"),
        "stop-done": pages.StopDonePage("en", SENDER, PROOF),
        "stop-kept": pages.StopKeptPage("en"),
        "receipt-unsigned": RECEIPT,
        "receipt": replace(
            RECEIPT,
            checkpoint_size=48300,
            proof=TLOG_PROOF,
            download=f"/r/{TOKEN}/proof",
            sender=SENDER,
            verifier_key="consent.example/log/q7Xw2mVt9b+b4d1e3a7+AQ9s3bX2o5v8Zc1mQw7Ld0fRt6yUe4iPk2hGjN1aBxVs",
        ),
        "rules": rules.list_page("en", NOW.date()),
        "rules-country": rules.country_page("en", "DE", NOW.date()),
        "rules-country-de": rules.country_page("de", "IE", NOW.date()),
        "rules-fallback": rules.country_page("de", "KP", NOW.date()),
        "error-404": pages.ErrorPage(
            "en",
            404,
            "There is no page here",
            "The address is not complete, or the page is gone.",
            "Look at the address again.",
            "/stop",
        ),
        "form-paused": pages.ErrorPage("en", 409, *words_of(409, "paused")),
        "error-503": pages.ErrorPage(
            "de",
            503,
            "Gerade geht es nicht",
            "Der Dienst kann im Augenblick nichts aufschreiben. Es ist nichts geschehen.",
            "Bitte in einer Minute noch einmal.",
            None,
            SENDER,
        ),
    }
