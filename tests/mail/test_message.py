"""The bytes of a message: what must stand there, and what must never get there."""

from __future__ import annotations

import email
import quopri
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from email.header import decode_header, make_header
from email.policy import default as parsing
from email.utils import parseaddr

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consentledger.kernel.errors import InputError
from consentledger.mail.encode import quoted_printable
from consentledger.mail.headers import header_line, mailbox
from consentledger.mail.message import AUTOMATIC, OutgoingMail, WireMail, build
from consentledger.mail.wire import faults, raw_fields

MASKED = "AAAAAAAAAAAAAAAA." + "*" * 16
LINK = f"https://consent.shop.example/c/{MASKED}"
MAIL = OutgoingMail(
    from_name="Shop GmbH",
    from_address="news@mail.shop.example",
    recipient="erika@example.net",
    subject="Please confirm",
    text=f"Hello\n\n{LINK}\n",
    html=f'<html><head><style>p {{color: red}}</style></head><body><p><a href="{LINK}">yes</a></p>'
    "</body></html>",
    message_id="<0190.abc@mail.shop.example>",
    at=datetime(2026, 11, 21, 21, 45, 3, 123456, tzinfo=UTC),
    language="en",
    keep=(MASKED,),
)


def header(wire: WireMail, name: str) -> bytes:
    """The raw octets of one header, folds included; fails when it is not there exactly once."""
    fields = raw_fields(wire.data.partition(b"\r\n\r\n")[0])
    assert fields is not None
    (value,) = [value for found, value in fields if found == name.lower()]
    return value


def test_the_same_mail_gives_the_same_bytes():
    assert build(MAIL).data == build(MAIL).data
    assert header(build(MAIL), "Message-ID") == b"<0190.abc@mail.shop.example>"
    assert header(build(MAIL), "Date") == b"Sat, 21 Nov 2026 21:45:03 +0000"


def test_the_date_keeps_its_zone():
    at = MAIL.at.astimezone(timezone(timedelta(hours=1)))
    assert header(build(replace(MAIL, at=at)), "Date") == b"Sat, 21 Nov 2026 22:45:03 +0100"


def test_a_naive_date_is_refused():
    with pytest.raises(InputError) as caught:
        build(replace(MAIL, at=datetime(2026, 11, 21)))  # noqa: DTZ001 - that is the attack
    assert caught.value.field == "at"


@pytest.mark.parametrize(
    "evil",
    [
        "\r\nBcc: x@y.example",
        "\n",
        "\r",
        "\0",
        "\x0b",
        "\x1b[2J",
        "\x7f",
        "\x85",
        "\u2028",
        "\u202eGPJ.",
        "\ud800",
        "\t",
    ],
)
@pytest.mark.parametrize("field", ["from_name", "subject", "recipient", "from_address", "reply_to"])
def test_control_characters_are_refused_and_the_field_is_named(field: str, evil: str):
    good = getattr(MAIL, field) or "service@shop.example"
    with pytest.raises(InputError) as caught:
        build(replace(MAIL, **{field: good[:3] + evil + good[3:]}))
    assert caught.value.field == field
    assert caught.value.reason == "control_character"


@pytest.mark.parametrize(
    "evil", ["a\r\nX: y", "a\nb", "a\0b", "a\tb", "ä", "=?utf-8?q?a?=", "", " a", "x" * 998]
)
def test_extra_headers_are_one_ascii_line(evil: str):
    with pytest.raises(InputError):
        build(replace(MAIL, headers=(("List-Id", evil),)))


@pytest.mark.parametrize(
    "name",
    [
        "From",
        "bcc",
        "Content-Type",
        "Message-ID",
        "X Y",
        "X:",
        "",
        "X\r\nY",
        "DKIM-Signature",
        "Ünsubscribe",
    ],
)
def test_extra_headers_can_not_replace_ours(name: str):
    with pytest.raises(InputError):
        header_line(name, "value")


def test_an_extra_header_stands_once():
    with pytest.raises(InputError) as caught:
        build(replace(MAIL, headers=(("List-Id", "<a.b>"), ("list-id", "<c.d>"))))
    assert caught.value.reason == "duplicate"


def test_a_long_unsubscribe_line_leaves_in_one_piece():
    value = f"<https://links.a-rather-long-host-name.shop.example/u/{'A' * 900}>"
    wire = build(replace(MAIL, headers=(("List-Unsubscribe", value), *AUTOMATIC)))
    assert f"\r\nList-Unsubscribe: {value}\r\n".encode() in wire.data
    assert b"\r\nAuto-Submitted: auto-generated\r\n" in wire.data
    assert b"\r\nX-Auto-Response-Suppress: All\r\n" in wire.data
    assert faults(wire.data) == []


def test_the_longest_allowed_line_is_998_octets():
    longest = "x" * (998 - len("List-Id: "))
    wire = build(replace(MAIL, headers=(("List-Id", longest),)))
    assert f"\r\nList-Id: {longest}\r\n".encode() in wire.data
    with pytest.raises(InputError) as caught:
        build(replace(MAIL, headers=(("List-Id", longest + "x"),)))
    assert (caught.value.field, caught.value.reason) == ("List-Id", "too_long")


@pytest.mark.parametrize(
    ("name", "raw"),
    [
        ("Shop GmbH", b"Shop GmbH <news@mail.shop.example>"),
        ("Shop, Inc.", b'"Shop, Inc." <news@mail.shop.example>'),
        ('A "B" \\ C', b'"A \\"B\\" \\\\ C" <news@mail.shop.example>'),
        ("boss@bank.example", b'"boss@bank.example" <news@mail.shop.example>'),
        ("", b"news@mail.shop.example"),
        ("Grüße", b"=?utf-8?b?R3LDvMOfZQ==?= <news@mail.shop.example>"),
        ("=?utf-8?q?x?=", b"=?utf-8?b?PT91dGYtOD9xP3g/PQ==?= <news@mail.shop.example>"),
    ],
)
def test_display_names(name: str, raw: bytes):
    assert header(build(replace(MAIL, from_name=name)), "From") == raw


@pytest.mark.parametrize(("field", "limit"), [("from_name", 200), ("subject", 300)])
def test_names_and_subjects_have_a_length(field: str, limit: int):
    build(replace(MAIL, **{field: "ü" * limit}))
    with pytest.raises(InputError) as caught:
        build(replace(MAIL, **{field: "x" * (limit + 1)}))
    assert (caught.value.field, caught.value.reason) == (field, "too_long")


def decoded(value: str) -> str:
    """RFC 2047 undone, folds included."""
    return str(make_header(decode_header(value.replace("\r\n", ""))))


ONE_LINE = st.text(
    st.characters(
        exclude_categories=["Cc", "Cs", "Zl", "Zp"],
        exclude_characters="\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069",
    ),
    max_size=100,
)


@given(name=ONE_LINE, subject=ONE_LINE.filter(str.strip))
def test_any_name_and_subject_come_back_as_they_were(name: str, subject: str):
    wire = build(replace(MAIL, from_name=name, subject=subject))
    assert faults(wire.data) == []
    head = wire.data.partition(b"\r\n\r\n")[0]
    assert max(map(len, head.split(b"\r\n"))) <= 100 + 100 + 20
    # The old parser: the new one puts a blank between adjacent encoded words of a display name.
    parsed = email.message_from_bytes(wire.data)
    assert decoded(parsed["Subject"]) == " ".join(subject.split())
    phrase, address = parseaddr(parsed["From"])
    assert (decoded(phrase), address) == (" ".join(name.split()), MAIL.from_address)


@given(
    text=st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0\r"), max_size=400)
)
def test_bodies_come_back_as_they_were_and_links_stay_in_one_piece(text: str):
    text = f"{text}{LINK}{text}\n{MASKED}"
    wire = build(replace(MAIL, text=text, html=f"<p>{LINK}</p>"))
    assert faults(wire.data) == []
    assert wire.data.isascii()
    assert wire.data.count(MASKED.encode()) == 3
    parsed = email.message_from_bytes(wire.data, policy=parsing)
    plain = parsed.get_body(("plain",))
    assert plain is not None
    content = plain.get_payload(decode=True)
    assert isinstance(content, bytes)
    assert content.decode() == text.replace("\n", "\r\n") + "\r\n"


@given(
    text=st.text(alphabet="abc.=ä ", max_size=400), piece=st.from_regex(r"\A[ab](\.?[ab]){0,31}\Z")
)
def test_kept_strings_are_never_cut(text: str, piece: str):
    text = text.replace("c", piece)
    encoded = quoted_printable(text, [piece])
    assert encoded.count(piece) >= text.count(piece)
    assert quopri.decodestring(encoded.encode()).decode() == text
    assert all(len(row) <= 76 for row in encoded.split("\n"))


@given(text=st.text(alphabet="ab .=\tF\näro", max_size=300))
def test_quoted_printable_lines_are_short_and_safe(text: str):
    for line in quoted_printable(text).split("\n"):
        assert len(line) <= 76
        assert line.isascii()
        assert not line.endswith((" ", "\t"))
        assert line != "."
        assert not line.startswith("From ")


def test_a_kept_string_that_does_not_fit_is_refused():
    for bad in ("", "x" * 65, "a=b", "a b", "ä", ".a", "a..b"):
        with pytest.raises(ValueError, match="kept strings"):
            quoted_printable("x", [bad])


def test_a_body_line_can_not_look_like_the_boundary():
    boundary = re.search(rb'boundary="([^"]+)"', build(MAIL).data)
    assert boundary is not None
    text = f"--{boundary.group(1).decode()}\n\nnot a part\n"
    parsed = email.message_from_bytes(build(replace(MAIL, text=text)).data, policy=parsing)
    assert len(list(parsed.iter_parts())) == 2


def test_styles_go_into_the_elements_and_media_rules_stay():
    html = (
        "<html><head><style>p{color:#123456}@media (prefers-color-scheme:dark){p{color:#fff}}"
        '</style><link rel="stylesheet" href="http://127.0.0.1:9/x.css"></head>'
        "<body><p>x</p></body></html>"
    )
    body = build(replace(MAIL, html=html)).data.replace(b"=\r\n", b"").replace(b"=3D", b"=")
    assert b'<p style="color: #123456;">' in body
    assert b"@media" in body
    assert b"x.css" not in body


@pytest.mark.parametrize(
    ("address", "wire"),
    [
        ("Erika.M+x@Example.NET", "Erika.M+x@example.net"),
        ("erika@bücher.example", "erika@xn--bcher-kva.example"),
        ("erika@faß.example", "erika@xn--fa-hia.example"),
        ("jo\u0308rg@example.net", "jörg@example.net"),
        ("用户@例子.测试", "用户@xn--fsqu00a.xn--0zwm56d"),
        ("o'hara@example.net", "o'hara@example.net"),
    ],
)
def test_addresses_on_the_wire(address: str, wire: str):
    assert mailbox("recipient", address) == wire


@pytest.mark.parametrize(
    "address",
    [
        "",
        "erika",
        "@example.net",
        "erika@",
        "a@b@example.net",
        '"a b"@example.net',
        "a b@x.example",
        "a@[127.0.0.1]",
        "<a@x.example>",
        "a@x.example>",
        ".a@x.example",
        "a..b@x.example",
        "a.@x.example",
        "a@localhost",
        "a@x..example",
        "a@-x.example",
        "a@x.example.",
        "a@x_y.example",
        "a,b@x.example",
        "a;b@x.example",
        "a\u00a0b@x.example",
        "a(c)@x.example",
        "a@x.example,b@y.example",
        "x" * 65 + "@x.example",
        "a@" + "x" * 64 + ".example",
        "a@" + "x." * 126 + "example",
        "ü" * 33 + "@x.example",
    ],
)
def test_addresses_that_never_reach_the_wire(address: str):
    with pytest.raises(InputError) as caught:
        mailbox("recipient", address)
    assert caught.value.field == "recipient"
    assert caught.value.reason in ("format", "domain", "too_long")


def test_smtputf8_only_when_a_local_part_needs_it():
    plain = build(replace(MAIL, recipient="erika@bücher.example", from_name="Grüße"))
    assert plain.smtputf8 is False
    assert plain.data.isascii()
    assert header(plain, "To") == b"erika@xn--bcher-kva.example"
    wide = build(replace(MAIL, recipient="jörg@bücher.example"))
    assert wide.smtputf8 is True
    assert wide.recipient == "jörg@xn--bcher-kva.example"
    assert header(wide, "To") == "jörg@xn--bcher-kva.example".encode()
    assert faults(wide.data, smtputf8=True) == []
    assert faults(wide.data) == ["to has octets beyond ASCII"]


@pytest.mark.parametrize(
    "bad",
    [
        "",
        "a@b.example",
        "<a@b.example",
        "<a b@c>",
        "<a@b>\r\n",
        "<@b>",
        "<a@b@c>",
        "<" + "a" * 250 + "@b>",
        "<ä@b>",
    ],
)
def test_message_ids_have_one_form(bad: str):
    with pytest.raises(InputError) as caught:
        build(replace(MAIL, message_id=bad))
    assert caught.value.field == "message_id"


HEAD = (
    b"From: a@b.example\r\nTo: c@d.example\r\nSubject: x\r\nDate: x\r\nMessage-ID: <a@b>\r\n"
    b"MIME-Version: 1.0\r\n"
)


@pytest.mark.parametrize(
    ("data", "fault"),
    [
        (
            HEAD + b"List-Unsubscribe: =?utf-8?q?=3Chttps=3A//x=3E?=\r\n\r\nx\r\n",
            "list-unsubscribe has an encoded word",
        ),
        (
            HEAD + b"List-Unsubscribe:\r\n <https://x.example/>\r\n\r\nx\r\n",
            "list-unsubscribe is folded",
        ),
        (HEAD + b"Subject: y\r\n\r\nx\r\n", "subject occurs 2 times"),
        (HEAD.replace(b"Date: x\r\n", b"") + b"\r\nx\r\n", "date is missing"),
        (HEAD + b"X: \xc3\xa4\r\n\r\nx\r\n", "x has octets beyond ASCII"),
        (
            HEAD + b"X: =?utf-8?q?" + b"a" * 64 + b"?=\r\n\r\nx\r\n",
            "x has an encoded word of more than 75 characters",
        ),
        (HEAD + b"\r\na\nb\r\n", "a line ends in a bare CR or LF"),
        (HEAD + b"\r\na", "the last line has no CRLF"),
        (HEAD + b"\r\na\0\r\n", "there is a NUL"),
        (HEAD + b"\r\n" + b"a" * 999 + b"\r\n", "a line is longer than 998 octets"),
        (HEAD + b"nothing\r\n\r\nx\r\n", "a header line is neither a field nor a continuation"),
        (HEAD, "no empty line ends the header"),
    ],
)
def test_faults_on_the_wire_are_seen(data: bytes, fault: str):
    assert fault in faults(data)
    assert faults(HEAD + b"\r\nx\r\n") == []
