"""What is kept about where an act came from."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consentledger.contacts.rules import ip_by_policy, page_of, truncated, user_agent_family

CHROME = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/129.0.0.0 Safari/537.36"


@pytest.mark.parametrize(
    ("ip", "cut"),
    [
        ("203.0.113.77", "203.0.113.0/24"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1::/48"),
        ("::ffff:203.0.113.77", "203.0.113.0/24"),
        ("", None),
        (None, None),
        ("not an address", None),
    ],
)
def test_addresses_are_cut(ip: str | None, cut: str | None) -> None:
    assert truncated(ip) == cut


def test_policies() -> None:
    assert ip_by_policy("203.0.113.77", "none") is None
    assert ip_by_policy("203.0.113.77", "truncated") == "203.0.113.0/24"
    assert ip_by_policy("203.0.113.77", "full") == "203.0.113.77"
    assert ip_by_policy("<script>", "full") is None


@pytest.mark.parametrize(
    ("header", "family"),
    [
        (CHROME, "Chrome 129"),
        (CHROME + " Edg/129.0.0.0", "Edge 129"),
        ("Mozilla/5.0 (X11; rv:131.0) Gecko/20100101 Firefox/131.0", "Firefox 131"),
        (
            "Mozilla/5.0 (Mac) AppleWebKit/605.1.15 (KHTML) Version/18.0 Safari/605.1.15",
            "Safari 18",
        ),
        ("curl/8.5.0", "curl 8"),
        ("my own thing, alice@example.com", "other"),
        ("", None),
        (None, None),
    ],
)
def test_user_agents_are_reduced(header: str | None, family: str | None) -> None:
    assert user_agent_family(header) == family


@given(st.text(max_size=600))
def test_no_user_agent_breaks_it(header: str) -> None:
    found = user_agent_family(header)
    assert found is None or len(found) < 40


@pytest.mark.parametrize(
    ("page", "kept"),
    [
        ("https://shop.example/a/b?email=x#y", "https://shop.example/a/b"),
        ("https://user:secret@shop.example:8443/a", "https://shop.example:8443/a"),
        ("https://shop.example/for/ann@example.com/x", "https://shop.example/"),
        ("https://shop.example/for/ann%2540example.com", "https://shop.example/"),
        ("javascript:alert(1)", None),
        ("https://shop.example:99999/", None),
        ("https://[::1", None),
        ("/a/b", None),
        ("https://shop.example/a\nb", None),
        ("https://shop.example/" + "a" * 3000, None),
        (None, None),
    ],
)
def test_pages_lose_what_may_name_people(page: str | None, kept: str | None) -> None:
    assert page_of(page) == kept


@given(st.text(max_size=100))
def test_no_page_breaks_it(page: str) -> None:
    found = page_of("https://" + page)
    assert found is None or len(found) <= 300
