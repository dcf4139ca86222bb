"""Each thing that can be wrong with a message is found, named and told how to mend; nothing else is."""

from __future__ import annotations

from dataclasses import replace

import pytest

from consentledger.kernel.errors import InputError
from consentledger.messages.carried import check_carried
from consentledger.messages.model import Expected
from consentledger.messages.reading import MAX_BYTES, MAX_HEAD, MAX_TEXT, read
from tests.unit.messages.samples import (
    DKIM,
    HTML,
    IDENTITY,
    LINK,
    TEXT,
    findings,
    message,
    outcome,
    permit,
)


def test_a_message_in_order_passes_everything() -> None:
    found = findings(message())
    assert {one.outcome for one in found} == {"pass"}
    assert {one.check for one in found} == {
        "permit", "recipient", "label", "from", "display_name", "legal_name", "postal_address",
        "list_unsubscribe", "list_unsubscribe_post", "opt_out_in_body", "dkim",
    }  # fmt: skip
    assert all(one.rule and one.where and one.what for one in found)


@pytest.mark.parametrize(
    ("author", "check"),
    [
        ("The Shop <news@shop-example.com>", "from_lookalike"),
        ("The Shop <news@shop.example.evil.test>", "from_lookalike"),
        ("The Shop <news@sh0p.example>", "from_lookalike"),
        ("The Shop <news@shopp.example>", "from_lookalike"),
        ("The Shop <news@xn--shp-ted.example>", "from_lookalike"),  # a Cyrillic o
        ("The Shop <news@other.test>", "from"),
        ("Bank bank.example <news@shop.example>", "display_name"),
        ('"boss@bank.example" <news@shop.example>', "display_name"),
        ("The \u202eShop <news@shop.example>", "display_name"),
        ("a@shop.example, b@shop.example", "from"),
    ],
)
def test_a_disguised_sender(author: str, check: str) -> None:
    assert "fail" in outcome(message(From=author), check)


def test_near_misses_of_the_sender_are_for_a_look() -> None:
    assert outcome(message(From="The Shop <other@shop.example>"), "from") == {"warn"}
    assert outcome(message(From="Offers <news@shop.example>"), "display_name") == {"warn"}
    assert outcome(message(From="Alpenkraut Ltd <news@shop.example>"), "display_name") == {"pass"}


def test_where_answers_go() -> None:
    assert outcome(message(Reply_To="help@mail.shop.example"), "reply_to") == {"pass"}
    assert outcome(message(Reply_To="help@other.test"), "reply_to") == {"fail"}
    assert outcome(message(Sender="news@mailer.test"), "sender") == {"warn"}
    assert outcome(message(Sender="news@sh0p.example"), "sender") == {"fail"}


@pytest.mark.parametrize("check", ["legal_name", "postal_address"])
def test_the_address_must_be_seen_in_each_text(check: str) -> None:
    word = {"legal_name": "Alpenkraut Ltd", "postal_address": "High Street 1"}[check]
    assert outcome(message(text=TEXT.replace(word, "")), check) == {"fail", "pass"}
    assert outcome(message(html=HTML.replace(word, "")), check) == {"fail", "pass"}
    hidden = HTML.replace("<p>Alpenkraut", '<p style="display: none">Alpenkraut')
    assert outcome(message(html=hidden), check) == {"fail", "pass"}
    assert outcome(message(html=None), check) == {"pass"}


@pytest.mark.parametrize(
    "value",
    [
        None,
        "<mailto:stop@shop.example>",
        f"<{LINK}>, <https://other.test/u>",
        "<http://u.shop.example/u/AAAAAAAAAAAAAAAA.BBBBBBBBBBBBBBBB>",
        f"<{LINK}x>",
        LINK,
    ],
)
def test_list_unsubscribe_is_the_permits_link_exactly_once(value: str | None) -> None:
    assert outcome(message(List_Unsubscribe=value), "list_unsubscribe") == {"fail"}


def test_list_unsubscribe_as_octets() -> None:
    plain = f"List-Unsubscribe: <{LINK}>".encode()
    assert plain in message()
    coded = message().replace(
        plain, b"List-Unsubscribe: =?us-ascii?q?=3C" + LINK.encode() + b"=3E?="
    )
    folded = message().replace(plain, b"List-Unsubscribe:\r\n <" + LINK.encode() + b">")
    twice = message().replace(plain, plain + b"\r\n" + plain)
    mailto = message(List_Unsubscribe=f"<{LINK}>, <mailto:stop@shop.example>")
    for data in (coded, folded, twice):
        assert outcome(data, "list_unsubscribe") == {"fail"}
    assert outcome(mailto, "list_unsubscribe") == {
        "pass"
    }  # RFC 8058: other kinds may stand beside it


@pytest.mark.parametrize("value", [None, "List-Unsubscribe=one-click", "One-Click"])
def test_one_click_is_announced_exactly(value: str | None) -> None:
    data = message(List_Unsubscribe_Post=value)
    assert outcome(data, "list_unsubscribe_post") == {"fail"}


@pytest.mark.parametrize(
    "html",
    [
        HTML.replace(LINK, "https://other.test/"),
        HTML.replace("<a ", '<a style="font-size:0" '),
        HTML.replace("<p><a", "<p hidden><a"),
        HTML.replace(f'<a href="{LINK}">', f"<!-- {LINK} -->"),
    ],
)
def test_the_way_out_must_be_seen_in_the_body(html: str) -> None:
    assert outcome(message(html=html), "opt_out_in_body") == {"pass", "fail"}


@pytest.mark.parametrize(
    "signature",
    [
        None,
        DKIM.replace(":list-unsubscribe-post", ""),
        DKIM.replace("d=shop.example", "d=mailer.test"),
        DKIM.replace("d=shop.example", "d=example"),
        DKIM.replace("rsa-sha256", "rsa-sha1"),
        DKIM + "; d=other.example",
        "no tags",
    ],
)
def test_the_signature_covers_both_list_headers(signature: str | None) -> None:
    assert outcome(message(DKIM_Signature=signature), "dkim") == {"fail"}


def test_a_signature_of_a_part_of_the_body_is_for_a_look() -> None:
    data = message(DKIM_Signature=DKIM + "; l=100")
    assert outcome(data, "dkim_length") == {"warn"}


def test_the_label_stands_first() -> None:
    held = permit(("subject_label", "(광고)"))
    assert outcome(message(), "label", held) == {"fail"}
    assert outcome(message(Subject="(광고) Offers"), "label", held) == {"pass"}
    for wrong in ("Re: (광고) Offers", "[광고] Offers", "(광 고) Offers"):
        assert outcome(message(Subject=wrong), "label", held) == {"fail"}


def test_statements_of_the_way_out_by_language() -> None:
    held = permit(("statement_language", "ko"), ("statement_language", "en"))
    assert outcome(message(), "language", held) == {"pass", "fail"}
    both = message(text=TEXT + "수신거부\n")
    assert outcome(both, "language", held) == {"pass"}
    assert outcome(both, "language", permit(("statement_language", "is"))) == {"skip"}


def test_a_picture_that_tells_of_opening() -> None:
    held = permit(("send_without_tracking", None))
    pixel = HTML.replace("</body>", '<img src="https://t.test/1" width="1" height="1"></body>')
    assert outcome(message(html=pixel), "tracking", held) == {"fail"}
    assert outcome(message(), "tracking", held) == {"warn"}
    logo = HTML.replace("</body>", '<img src="https://t.test/1" width="100"></body>')
    assert outcome(message(html=logo), "tracking", held) == {"warn"}


@pytest.mark.parametrize(
    ("changes", "check", "expected"),
    [
        ({"state": "stopped"}, "permit", "fail"),
        ({"recipient": False}, "recipient", "fail"),
        ({"recipient": None}, "recipient", "skip"),
        ({"channel": "sms"}, "permit_channel", "fail"),
    ],
)
def test_the_permit_is_for_this_message(
    changes: dict[str, object], check: str, expected: str
) -> None:
    assert outcome(message(), check, permit(**changes)) == {expected}


def test_without_a_permit() -> None:
    found = {one.check: one.outcome for one in findings(message(), None)}
    assert found["permit"] == found["list_unsubscribe"] == "fail"
    assert found["from"] == found["opt_out_in_body"] == "skip"


@pytest.mark.parametrize(
    ("duty", "text", "expected"),
    [
        (("contact_channel", None), TEXT, "warn"),
        (("contact_channel", None), TEXT + "HELP@shop.example", "pass"),
        (("stop_by_email", None), TEXT, "fail"),
        (("stop_by_email", None), TEXT + "or write to stop@shop.example", "pass"),
        (("authority_contact", "PROFECO"), TEXT, "fail"),
        (("authority_contact", "PROFECO"), TEXT + "Profeco: 55 5568 8722", "pass"),
        (("sender_number", "MERSİS"), TEXT, "warn"),
        (("sender_number", "MERSİS"), TEXT + "MERSIS 0123", "pass"),
        (("recognisable_as_advertising", "publicité / reclame"), TEXT, "warn"),
        (("recognisable_as_advertising", "publicité / reclame"), TEXT + "Reclame", "pass"),
        (("recognisable_as_advertising", None), TEXT, "skip"),
    ],
)
def test_what_packs_say_that_a_message_carries(
    duty: tuple[str, str | None], text: str, expected: str
) -> None:
    assert outcome(message(text=text, html=None), duty[0], permit(duty, duty)) == {expected}
    assert len(findings(message(text=text, html=None), permit(duty, duty))) == len(
        findings(message(text=text, html=None), permit(duty))
    )


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("High Street 1", "pass"),
        ("Postfachstraße 1", "pass"),
        ("Popoboxer Lane 1", "pass"),
        ("P.O. Box 12", "fail"),
        ("PO BOX 12", "fail"),
        ("Postfach 10 20", "fail"),
        ("郵政信箱12號", "fail"),
    ],
)
def test_a_post_office_box_where_none_will_do(line: str, expected: str) -> None:
    held = permit(("postal_address", "no_po_box"))
    identity = replace(IDENTITY, postal_address=f"{line}\nAB1 2CD Townley")
    [found] = check_carried(read(message()), Expected(identity, held))
    assert (found.check, found.outcome) == ("po_box", expected)
    assert outcome(message(), "po_box", permit(("postal_address", None))) == set()


def test_ends_that_people_leave_out_of_html() -> None:
    way_out = f'<a href="{LINK}">Unsubscribe</a>'
    for before in (
        "<p hidden>x<p>",
        '<div style="display:none"><p>x</div>',
        "<ul><li hidden>x<li>",
    ):
        assert outcome(message(html=before + way_out), "opt_out_in_body") == {"pass"}
    for before in ("<div hidden><p>x<p>", '<div style="display:none"></p>', "<p hidden><b>x</i>"):
        assert outcome(message(html=before + way_out), "opt_out_in_body") == {"pass", "fail"}


@pytest.mark.parametrize(
    "html",
    ["<img " * 2_000, "<!-- " * 6_000 + "-->", "<b>" * (MAX_TEXT // 2)],
    ids=("tag", "comments", "long"),
)
def test_html_that_would_keep_the_parser_busy(html: str) -> None:
    with pytest.raises(InputError):
        read(message(html=html))


@pytest.mark.parametrize(
    "author", ["(" * 5_000 + " <a@shop.example>", "<" * 200, '"' * 99, "a@b@c"]
)
def test_a_hostile_field_is_a_finding(author: str) -> None:
    data = message().replace(b"The Shop <news@shop.example>", author.encode())
    assert outcome(data, "from") == {"fail"}
    assert read(data).shown("from") is not None


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"hello",
        b"Subject: x\r\n\r\ny",
        b"\x00" * 100,
        b"x" * (MAX_BYTES + 1),
        b"From: a@b.example\r\n" * (MAX_HEAD // 19 + 1) + b"\r\n",
    ],
    ids=("empty", "a word", "no From", "zeros", "large", "a large header"),
)
def test_what_is_no_message(data: bytes) -> None:
    with pytest.raises(InputError) as caught:
        read(data)
    assert caught.value.field == "message"


def test_a_file_with_bare_line_feeds_is_read_as_the_wire_would_carry_it() -> None:
    wire = message()
    one = read(wire.replace(b"\r\n", b"\n"))
    assert one.bare
    assert one.wire == wire
    assert not read(wire).bare
