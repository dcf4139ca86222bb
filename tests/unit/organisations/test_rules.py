"""What a wording must name, what a form may ask, and what a text may hold."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from uuid import UUID

import pytest

from consentledger.kernel.errors import ConflictError, InputError
from consentledger.organisations import channels, fields, rules, shown
from consentledger.organisations.facts import FormField, FormPurpose, PurposeFacts, WordingFacts
from tests.factories import NOTICE, identity

AT = datetime(2026, 11, 21, tzinfo=UTC)
PURPOSE = PurposeFacts(
    organisation_id=UUID(int=1),
    purpose_id=UUID(int=2),
    version=1,
    purpose_class="marketing",
    titles={"en": "weekly offers", "de": "Wöchentliche Angebote", "fi": "viikkotarjoukset"},
    channels=("email", "sms"),
    categories=(),
    published_at=AT,
)
WORDING = WordingFacts(
    organisation_id=UUID(int=1),
    wording_id=UUID(int=3),
    sender_id=UUID(int=4),
    purpose_id=UUID(int=2),
    language="en",
    channel="email",
    controllers=("Alpenkraut Versand GmbH",),
    statement="Yes, Alpenkraut Versand GmbH may send me its weekly offers by e-mail.",
    withdrawal="You can take this back at any time with the link in every message.",
    notice_text=NOTICE.format(legal_name="Alpenkraut Versand GmbH"),
    notice_url=None,
    published_at=None,
)


def gaps(**change: object) -> list[tuple[str, str]]:
    wording = replace(WORDING, **change)  # type: ignore[arg-type]
    return [(gap.field, gap.reason) for gap in rules.wording_gaps(wording, PURPOSE, identity())]


def test_a_good_wording_lacks_nothing() -> None:
    assert gaps() == []


def test_every_gap_has_its_name() -> None:
    assert gaps(controllers=()) == [("controllers", "missing")]
    assert gaps(controllers=("Other GmbH",)) == [
        ("controllers", "sender_missing"),
        ("statement", "controller_missing"),
    ]
    both = ("Alpenkraut Versand GmbH", "Kräutergarten e. V.")
    assert gaps(controllers=both) == [("statement", "controller_missing")]
    assert gaps(language="fr") == [("language", "purpose_title_missing")]
    assert gaps(withdrawal="any time") == [("withdrawal", "missing")]
    assert gaps(notice_text="https://alpenkraut.example/privacy") == [("notice_text", "missing")]
    silent = "Yes, Alpenkraut Versand GmbH may send me its weekly offers."
    assert gaps(statement=silent) == [("statement", "channel_missing")]
    vague = "Yes, Alpenkraut Versand GmbH may send me things by e-mail."
    assert gaps(statement=vague) == [("statement", "purpose_missing")]
    assert gaps(channel="sms") == [("statement", "channel_missing")]


def test_one_box_asks_for_one_purpose() -> None:
    tracking = replace(
        PURPOSE,
        purpose_id=UUID(int=9),
        purpose_class="tracking",
        titles={"en": "measuring of what I open", "fr": "weekly"},
    )
    plain = replace(PURPOSE, purpose_id=UUID(int=10), titles={"en": "offers"})

    def found(statement: str) -> list[tuple[str, str]]:
        wording = replace(WORDING, statement=statement)
        others = [PURPOSE, tracking, plain]
        return [
            (gap.field, gap.reason)
            for gap in rules.wording_gaps(wording, PURPOSE, identity(), others)
        ]

    assert found(WORDING.statement) == []
    both = "Alpenkraut Versand GmbH may send me its weekly offers by e-mail, and {}."
    assert found(both.format("I agree to Measuring of what I open")) == [
        ("statement", "other_purpose")
    ]
    assert found(both.format("all other offers")) == [("statement", "other_purpose")]
    assert found(both.format("nothing else")) == []
    assert found(both.format("what offersmith.example says")) == []


def test_names_are_found_whatever_their_case_and_blanks() -> None:
    statement = "Yes, ALPENKRAUT\u00a0Versand\nGmbH may send me its Weekly  Offers by E\u2011Mail."
    assert gaps(statement=statement) == []


@pytest.mark.parametrize(
    ("language", "statement", "named"),
    [
        ("de", "per E-Mail", True),
        ("de", "per Mail", True),
        ("de-AT", "mit elektronischer Post", True),
        ("de", "durch Elektronische Post", True),
        ("de", "per Post", False),
        ("en", "by voicemail", False),
        ("en", "by mail", False),
        ("en", "by email.", True),
        ("en", "by emails", True),
        ("fi", "sähköpostilla", True),
        ("fi", "postitse", False),
        ("fr", "par courriel", True),
        ("ja", "弊社からemailで", True),
        ("ja", "電子メールで", True),
        ("zh", "通过电子邮件", True),
        ("he", "בדואר אלקטרוני", True),
        ("he", "בדואר", False),
        ("ar", "عبر البريد الإلكتروني", True),
        ("ru", "по электронной почте", True),
        ("ru", "по почте", False),
        ("sv", "via e-post", True),
        ("sv", "via post", False),
        ("ja", "郵便で", False),
    ],
)
def test_the_channel_is_known_by_its_word(language: str, statement: str, named: bool) -> None:
    words = channels.channel_words("email", language)
    found = any(channels.has_word(channels.fold(statement), word) for word in words)
    assert found is named


def test_only_the_address_may_be_required() -> None:
    with pytest.raises(InputError) as raised:
        rules.form_fields([FormField("email", True), FormField("name", True)])
    assert raised.value.reason == "only_address_required"
    made = rules.form_fields([FormField("name", False), FormField("email", False)])
    assert made == (FormField("email", True), FormField("name", False))
    assert rules.form_fields([]) == (FormField("email", True),)
    for name in ("purpose", "version", "Name", "a b", "", "x" * 33, "ümlaut", "page"):
        with pytest.raises(InputError) as raised:
            rules.form_fields([FormField(name, False)])
        assert raised.value.reason == "format", name
    with pytest.raises(InputError) as raised:
        rules.form_fields([FormField("a", False), FormField("a", False)])
    assert raised.value.reason == "double"
    with pytest.raises(InputError) as raised:
        rules.form_fields([FormField(f"a{n}", False) for n in range(6)])
    assert raised.value.reason == "too_many"


def test_a_purpose_says_less_but_never_more() -> None:
    rules.check_no_widening(PURPOSE, "marketing", {**PURPOSE.titles, "fr": "offres"}, ())
    for wider in (
        ("tracking", PURPOSE.titles, ()),
        ("marketing", {**PURPOSE.titles, "en": "offers"}, ()),
        ("marketing", {"en": "weekly offers"}, ()),
        ("marketing", PURPOSE.titles, ("insurance",)),
    ):
        with pytest.raises(ConflictError):
            rules.check_no_widening(PURPOSE, *wider)


@pytest.mark.parametrize(
    ("values", "field", "reason"),
    [
        (("fax", {"en": "a"}, ("email",), ()), "class", "unknown"),
        (("marketing", {}, ("email",), ()), "titles", "missing"),
        (("marketing", {"English": "a"}, ("email",), ()), "titles", "format"),
        (("marketing", {"en": " "}, ("email",), ()), "titles.en", "missing"),
        (("marketing", {"en": "a\nb"}, ("email",), ()), "titles.en", "control_character"),
        (("marketing", {"en": "a"}, (), ()), "channels", "missing"),
        (("marketing", {"en": "a"}, ("fax",), ()), "channels", "unknown"),
        (("marketing", {"en": "a"}, ("email", "email"), ()), "channels", "double"),
        (("marketing", {"en": "a"}, ("email",), ("Garden Tools",)), "categories", "format"),
        (("marketing", {"en": "a"}, ("email",), ("a", "a")), "categories", "double"),
        (("marketing", {"en": "a"}, ("email",), ("a",) * 101), "categories", "too_many"),
        (
            ("marketing", dict.fromkeys(map(str, range(101)), "a"), ("email",), ()),
            "titles",
            "too_many",
        ),
    ],
)
def test_a_wrong_purpose_names_its_field(
    values: tuple[object, ...], field: str, reason: str
) -> None:
    with pytest.raises(InputError) as raised:
        rules.check_purpose(*values)  # type: ignore[arg-type]
    assert (raised.value.field, raised.value.reason) == (field, reason)


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ("", "missing"),
        ("  ", "missing"),
        (None, "type"),
        (5, "type"),
        ("a\nb", "control_character"),
        ("a\x00", "control_character"),
        ("a\x1b[31m", "control_character"),
        ("safe\u202egnp.exe", "control_character"),
        ("half \ud800", "control_character"),
        ("x" * 201, "too_long"),
    ],
)
def test_a_line_is_one_honest_line(value: object, reason: str) -> None:
    with pytest.raises(InputError) as raised:
        fields.line(value, "name")
    assert raised.value.reason == reason


def test_text_is_normalised() -> None:
    assert fields.line(" Bu\u0308cher ", "name") == "Bücher"
    assert fields.text("a\r\nb\tc", "statement") == "a\nb\tc"


@pytest.mark.parametrize(
    "value",
    ["a@@b.example", "a@b@c.example", "a", "a@b.example\r\nBcc: c@d.example", "ä@b.example"],
)
def test_a_senders_address_is_plain(value: str) -> None:
    with pytest.raises(InputError):
        fields.email(value, "from_address")


def test_a_senders_domain_is_kept_in_a_labels() -> None:
    assert fields.email("news@Bücher.example", "from_address") == "news@xn--bcher-kva.example"


def test_the_form_as_shown_is_escaped_and_unticked() -> None:
    box = FormPurpose(
        purpose_id=UUID(int=2),
        wording_id=UUID(int=3),
        title='"><script>alert(1)</script>',
        purpose_class="marketing",
        channel="email",
        statement="a & b\n<c>",
        controllers=("Böse <b>GmbH</b>",),
        withdrawal="w",
        notice_url='https://a.example/?"x',
        notice_text="n",
        language="en",
    )
    html = shown.form_html(identity(name="<i>A</i>"), "en", (FormField("email", True),), (box,))
    assert "<script" not in html
    assert "<b>" not in html
    assert "<i>" not in html
    assert "checked" not in html
    assert "a &amp; b<br>&lt;c&gt;" in html
    assert '"x"' not in html


def test_two_blobs_of_one_text_have_nothing_in_common() -> None:
    one, other = shown.stored_blob("same"), shown.stored_blob("same")
    assert one[32:] == other[32:] == b"same"
    assert shown.value_of(one, "text/plain")[1] != shown.value_of(other, "text/plain")[1]
    assert shown.value_of(one, "text/plain")[2:] == (4, "text/plain")
