"""Origins, return addresses and hosts: what is taken, how it is written, and what is refused and why."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consentledger.kernel.errors import InputError
from consentledger.organisations import addresses


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("https://shop.example", "https://shop.example"),
        ("HTTPS://Shop.Example", "https://shop.example"),
        ("https://shop.example:443", "https://shop.example"),
        ("https://shop.example:8443", "https://shop.example:8443"),
        ("https://bücher.example", "https://xn--bcher-kva.example"),
        ("https://xn--bcher-kva.example", "https://xn--bcher-kva.example"),
        ("https://ドメイン.example", "https://xn--eckwd4c7c.example"),
        ("http://localhost:5000", "http://localhost:5000"),
        ("http://127.0.0.1", "http://127.0.0.1"),
        ("http://127.0.0.1:80", "http://127.0.0.1"),
        ("http://[::1]:8080", "http://[::1]:8080"),
        ("http://shop.localhost:8002", "http://shop.localhost:8002"),
        ("https://[2001:DB8::0:1]", "https://[2001:db8::1]"),
        ("https://192.0.2.7", "https://192.0.2.7"),
    ],
)
def test_an_origin_is_written_as_browsers_write_it(given: str, kept: str) -> None:
    assert addresses.origin(given) == kept
    assert addresses.origin(kept) == kept


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ("", "missing"),
        (None, "type"),
        ("null", "null"),
        ("*", "scheme"),
        ("shop.example", "scheme"),
        ("//shop.example", "scheme"),
        ("https:shop.example", "format"),
        ("https:/shop.example", "format"),
        ("https://", "host"),
        ("https://*.shop.example", "wildcard"),
        ("https://shop.example/", "path"),
        ("https://shop.example/a", "path"),
        ("https://shop.example?", "path"),
        ("https://shop.example?a=b", "path"),
        ("https://shop.example#", "format"),
        ("https://user@shop.example", "format"),
        ("https://user:pass@shop.example", "format"),
        ("https://shop.example\\@evil.example", "format"),
        ("https://shop.example evil.example", "format"),
        ("https://shop.example\nhttps://evil.example", "control_character"),
        ("https://shop.example\x00", "control_character"),
        ("https://shop.example:", "port"),
        ("https://shop.example:0", "port"),
        ("https://shop.example:65536", "port"),
        ("https://shop.example:８０", "port"),
        ("https://shop..example", "host"),
        ("https://.shop.example", "host"),
        ("https://-shop.example", "host"),
        ("https://shop.example.", "host"),
        ("https://" + "a" * 64 + ".example", "host"),
        ("https://xn--a.example", "host"),
        ("https://xn--.example", "host"),
        ("https://127.1", "host"),
        ("https://0x7f.1", "host"),
        ("https://[::1", "port"),
        ("https://[::1%25eth0]", "host"),
        ("http://shop.example", "scheme"),
        ("http://localhost.evil.example", "scheme"),
        ("ftp://shop.example", "scheme"),
        ("javascript://shop.example/%0aalert(1)", "scheme"),
        ("data:text/html,x", "scheme"),
        ("file:///etc/passwd", "scheme"),
        ("https://shop.example" + "/" * 2001, "too_long"),
        ("https://\u202eelpmaxe.pohs", "control_character"),
    ],
)
def test_what_is_no_origin_says_why(given: object, reason: str) -> None:
    with pytest.raises(InputError) as raised:
        addresses.origin(given)
    assert (raised.value.field, raised.value.reason) == ("origins", reason)


def test_origins_stand_once_and_in_order() -> None:
    values = ["https://b.example", "https://a.example:443", "https://A.example"]
    assert addresses.form_origins(values) == ("https://b.example", "https://a.example")
    with pytest.raises(InputError) as raised:
        addresses.form_origins([f"https://a{n}.example" for n in range(51)])
    assert raised.value.reason == "too_many"


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("https://shop.example", "https://shop.example/"),
        ("https://Shop.example/thanks", "https://shop.example/thanks"),
        ("https://shop.example:443/a/b/", "https://shop.example/a/b/"),
        ("http://127.0.0.1:8002/danke", "http://127.0.0.1:8002/danke"),
    ],
)
def test_a_return_address_is_an_origin_and_a_prefix(given: str, kept: str) -> None:
    assert addresses.return_address(given) == kept


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ("javascript:alert(1)", "scheme"),
        ("JavaScript:alert(1)", "scheme"),
        ("java\tscript:alert(1)", "control_character"),
        ("data:text/html,x", "scheme"),
        ("vbscript:x", "scheme"),
        ("/thanks", "scheme"),
        ("https://shop.example/a?next=b", "query"),
        ("https://shop.example/a?", "query"),
        ("https://shop.example/a/../b", "path"),
        ("https://shop.example/a/%2E%2e/b", "path"),
        ("https://shop.example/a%2fb", "path"),
        ("https://shop.example//evil.example", "path"),
        ("https://shop.example/\\evil.example", "format"),
        ("https://shop.example/a#b", "format"),
    ],
)
def test_what_is_no_return_address_says_why(given: str, reason: str) -> None:
    with pytest.raises(InputError) as raised:
        addresses.return_address(given)
    assert (raised.value.field, raised.value.reason) == ("returns", reason)


RETURNS = ("https://shop.example/thanks", "https://other.example/")


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ("https://shop.example/thanks", "https://shop.example/thanks"),
        ("https://shop.example/thanks?order=7", "https://shop.example/thanks?order=7"),
        ("https://shop.example/thanks/you", "https://shop.example/thanks/you"),
        ("https://SHOP.example:443/thanks", "https://shop.example/thanks"),
        ("https://other.example", "https://other.example/"),
        ("https://other.example/any/where", "https://other.example/any/where"),
        ("https://shop.example/thanksgiving", None),
        ("https://shop.example/", None),
        ("https://shop.example:444/thanks", None),
        ("http://shop.example/thanks", None),
        ("https://shop.example.evil.example/thanks", None),
        ("https://shop.example@evil.example/thanks", None),
        ("https://shop.example/thanks/../admin", None),
        ("https://shop.example/thanks/%2e%2e/admin", None),
        ("//shop.example/thanks", None),
        ("/thanks", None),
        ("javascript:alert(1)//https://shop.example/thanks", None),
        ("https://shop.example/thanks\r\nSet-Cookie: a=b", None),
        ("", None),
        (None, None),
    ],
)
def test_only_listed_addresses_lead_back(wanted: str | None, found: str | None) -> None:
    assert addresses.allowed_return(RETURNS, wanted) == found


@given(st.text(max_size=60) | st.text("htps:/.example@%2e\\?#", max_size=60))
def test_no_text_leads_anywhere_else(wanted: str) -> None:
    found = addresses.allowed_return(RETURNS, wanted)
    assert found is None or found.startswith(RETURNS)


@given(st.text(max_size=40))
def test_reading_an_origin_raises_nothing_but_our_error(tail: str) -> None:
    for text in (tail, f"https://{tail}", f"https://shop.example{tail}"):
        try:
            kept = addresses.origin(text)
        except InputError:
            continue
        assert addresses.origin(kept) == kept


@pytest.mark.parametrize(
    "value", ["localhost", "10.0.0.1", "::1", "a b.example", "a.example:25", "", None]
)
def test_a_host_is_a_full_name(value: object) -> None:
    with pytest.raises(InputError) as raised:
        addresses.host(value, "link_host")
    assert raised.value.field == "link_host"
