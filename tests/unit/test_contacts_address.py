"""Addresses: what is refused and why, what is kept, and what folds compare."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consentledger.contacts.address import fold, fold_for_limits, fold_parsed, mask, parse
from consentledger.contacts.scripts import mixed_scripts, scripts
from consentledger.kernel.errors import InputError

LONG_LOCAL = "a" * 64
LONG_DOMAIN = ".".join(["b" * 60] * 3)


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        (None, "missing"),
        (7, "missing"),
        ("", "missing"),
        ("   ", "missing"),
        ("alice", "no_at"),
        ("alice@", "format"),
        ("@example.com", "format"),
        ("alice@localhost", "format"),
        ("alice@@example.com", "two_at"),
        ("a@b@example.com", "two_at"),
        (f"{LONG_LOCAL}@{LONG_DOMAIN}.{'c' * 10}", "too_long"),
        (f"{LONG_LOCAL}a@example.com", "local_too_long"),
        (f"{'ü' * 33}@example.com", "local_too_long"),
        ("alice@example.com\r\nBcc: x@example.com", "control_character"),
        ("alice\n@example.com", "control_character"),
        ("alice\x00@example.com", "control_character"),
        ("alice\x1b@example.com", "control_character"),
        ("alice\x85@example.com", "control_character"),
        ("alice\u2028@example.com", "control_character"),
        ('"alice smith"@example.com', "quoted"),
        ('"alice@home"@example.com', "quoted"),
        ("alice@[192.0.2.1]", "format"),
        ("al ice@example.com", "format"),
        ("alice@exa mple.com", "format"),
        (".alice@example.com", "format"),
        ("alice.@example.com", "format"),
        ("al..ice@example.com", "format"),
        ("alice@-example.com", "format"),
        ("alice@example-.com", "format"),
        ("alice@example..com", "format"),
        ("Alice <alice@example.com>", "format"),
        ("alice@xn--a.com", "format"),
        ("alice@ex\u00ad\u200bample.com", "format"),
        ("alice@\u0430pple.com", "mixed_scripts"),
        ("alice@g\u03bfogle.com", "mixed_scripts"),
        ("alice\ud800@example.com", "format"),
        ("alice@example.com\ud800", "format"),
    ],
)
def test_bad_addresses_are_refused_by_field_and_reason(given: object, reason: str) -> None:
    with pytest.raises(InputError) as caught:
        parse(given, "address")
    assert (caught.value.field, caught.value.reason) == ("address", reason)


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("alice@example.com", "alice@example.com"),
        ("  alice@example.com ", "alice@example.com"),
        ("Alice.Smith+News@EXAMPLE.Com", "Alice.Smith+News@example.com"),
        ("o'hara@example.co.uk", "o'hara@example.co.uk"),
        ("jürgen@example.com", "jürgen@example.com"),
        ("ju\u0308rgen@example.com", "jürgen@example.com"),
        ("alice@bücher.example", "alice@xn--bcher-kva.example"),
        ("alice@xn--bcher-kva.example", "alice@xn--bcher-kva.example"),
        ("alice@straße.example", "alice@xn--strae-oqa.example"),
        ("alice@例え.example", "alice@xn--r8jz45g.example"),
        ("почта@почта.example", "почта@xn--80a1acny.example"),
    ],
)
def test_good_addresses_are_kept_with_a_labels(given: str, kept: str) -> None:
    assert parse(given).text == kept


def test_an_idn_says_so() -> None:
    found = parse("alice@xn--bcher-kva.example")
    assert found.internationalised
    assert (found.domain, found.unicode_domain) == ("xn--bcher-kva.example", "bücher.example")
    assert not parse("alice@example.com").internationalised


@pytest.mark.parametrize(
    "same",
    [
        ("Alice@Example.COM", "alice@example.com"),
        ("JÜRGEN@example.com", "ju\u0308rgen@EXAMPLE.com"),
        ("alice@BÜCHER.example", "alice@xn--bcher-kva.example"),
        ("STRASSE@example.com", "strasse@example.com"),
    ],
)
def test_folds_that_are_alike(same: tuple[str, str]) -> None:
    assert fold(same[0]) == fold(same[1])


@pytest.mark.parametrize(
    "other",
    [
        ("alice@example.com", "alice+x@example.com"),
        ("a.lice@gmail.com", "alice@gmail.com"),
        ("alice@strasse.example", "alice@straße.example"),
    ],
)
def test_folds_never_join_people(other: tuple[str, str]) -> None:
    assert fold(other[0]) != fold(other[1])


@pytest.mark.parametrize(
    "same",
    [
        ("a.l.ice+1@gmail.com", "alice@googlemail.com"),
        ("alice+1@outlook.com", "alice@outlook.com"),
        ("alice+1@hotmail.co.uk", "alice@hotmail.co.uk"),
        ("alice+1@Outlook.de", "alice@outlook.de"),
        ("alice@pm.me", "alice+x@protonmail.com"),
        ("alice@me.com", "alice@icloud.com"),
        ("alice+1@ya.ru", "alice@yandex.com"),
        ("ALICE@example.com", "alice@example.com"),
    ],
)
def test_limits_count_aliases_together(same: tuple[str, str]) -> None:
    assert fold_for_limits(same[0]) == fold_for_limits(same[1])


def test_limits_do_not_join_what_other_providers_keep_apart() -> None:
    assert fold_for_limits("a.b@example.com") != fold_for_limits("ab@example.com")
    assert fold_for_limits("a+b@example.com") != fold_for_limits("a@example.com")
    assert fold_for_limits("+tag@gmail.com") == "+tag@gmail.com"
    assert fold_for_limits("a+b@live.example.com") != fold_for_limits("a@live.example.com")
    assert fold_for_limits("a@hotmail.fr") != fold_for_limits("a@hotmail.com")


@given(
    st.from_regex(r"\A[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]{1,20}(\.[A-Za-z0-9]{1,8}){0,3}\Z"),
    st.from_regex(r"\A([A-Za-z0-9]{1,10}(-[A-Za-z0-9]{1,5})?\.){1,3}[A-Za-z]{2,6}\Z"),
)
def test_the_fast_path_is_the_slow_path(local: str, domain: str) -> None:
    address = f"{local}@{domain}"
    assert fold(address) == fold_parsed(parse(address))
    assert fold(fold(address)) == fold(address)


@given(st.text(max_size=300))
def test_any_text_is_an_address_or_an_input_error(text: str) -> None:
    try:
        found = parse(text)
    except InputError:
        return
    assert found.text.count("@") == 1
    assert len(found.text.encode()) <= 254
    assert fold(found.text) == fold_parsed(found)
    assert found.domain.isascii()


def test_long_input_is_refused_before_it_is_parsed() -> None:
    begin = time.perf_counter()
    for text in ("a" * 10**6 + "@example.com", "a@" + "b." * 10**6 + "com", "@" * 10**6):
        with pytest.raises(InputError):
            parse(text)
        with pytest.raises(InputError):
            fold(text)
    assert time.perf_counter() - begin < 1


def test_plain_folds_are_fast_enough_for_permits() -> None:
    addresses = [f"Person{n}@Example.com" for n in range(20_000)]
    begin = time.perf_counter()
    for address in addresses:
        fold(address)
    assert len(addresses) / (time.perf_counter() - begin) > 30_000


def test_a_mask_shows_little() -> None:
    assert mask("alice@mail.example.com") == "a***@m***.com"


@pytest.mark.parametrize(
    ("label", "mixed"),
    [
        ("apple", False),
        ("аррӏе", False),
        ("аpple", True),
        ("例え", False),
        ("カード", False),
        ("日本カードshop", False),
        ("shop日本", False),
        ("한국shop", False),
        ("αpple", True),
        ("bücher", False),
        ("123", False),
    ],
)
def test_mixed_scripts(label: str, mixed: bool) -> None:
    assert mixed_scripts(label) is mixed


def test_scripts_are_named() -> None:
    assert scripts("aж") == {"LATIN", "CYRILLIC"}
