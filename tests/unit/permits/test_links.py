"""Links and header fields: one line, one address, short enough for mail software that folds."""

from __future__ import annotations

import os
import re
from urllib.parse import urlsplit
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consentledger.kernel.ids import uuid7
from consentledger.kernel.tokens import Tokens
from consentledger.mail.headers import header_line
from consentledger.permits.headers import (
    is_campaign,
    list_unsubscribe,
    one_click,
    shared_headers,
)
from consentledger.permits.links import (
    PermitId,
    batch_text,
    link_base,
    new_batch,
    permit_ids,
    unsubscribe_url,
)

TOKENS = Tokens([os.urandom(32)])
numbers = st.integers(0, 2**32 - 1)
batches = st.integers(0, 2**48 - 1)
rows = st.integers(0, 2**16 - 1)


@given(numbers, batches, rows)
def test_an_id_has_one_spelling_and_reads_back(number: int, batch: int, row: int) -> None:
    permit_id = PermitId(number, batch, row)
    text = str(permit_id)
    assert re.fullmatch(r"[A-Za-z0-9_-]{16}", text)
    assert PermitId.parse(text) == permit_id
    assert PermitId.from_bytes(permit_id.to_bytes()) == permit_id
    token = TOKENS.make("unsubscribe", permit_id.to_bytes())
    link_id = TOKENS.read("unsubscribe", token)
    assert link_id is not None
    assert PermitId.from_bytes(link_id) == permit_id
    assert TOKENS.read("confirm", token) is None


@pytest.mark.parametrize(
    "text", ["", "A" * 15, "A" * 17, "A" * 15 + "=", "A" * 15 + "é", "A" * 15 + "\n", None, 5]
)
def test_other_texts_are_no_ids(text: object) -> None:
    assert PermitId.parse(text) is None


@given(numbers, batches, st.integers(1, 600))
def test_ids_in_bulk_are_those_one_by_one(number: int, batch: int, count: int) -> None:
    made = permit_ids(number, batch, range(count))
    assert len(made) == count
    assert made[-1] == str(PermitId(number, batch, count - 1))
    assert made[0] == str(PermitId(number, batch, 0))
    assert permit_ids(number, batch, [count - 1, 0]) == [made[-1], made[0]]


def test_batches_are_random_and_fit_the_link() -> None:
    drawn = {new_batch() for _ in range(1000)}
    assert len(drawn) == 1000
    assert max(drawn) < 2**48
    assert max(drawn) > 2**40
    assert batch_text(1) == "AAAAAAAB"


@pytest.mark.parametrize(
    ("link_host", "base_url", "begins"),
    [
        (None, "https://consent.example", "https://consent.example/u/"),
        ("u.shop.example", "https://consent.example", "https://u.shop.example/u/"),
        (None, "http://127.0.0.1:8000", "http://127.0.0.1:8000/u/"),
        ("a" * 19 + ".b.example.org"[:11], "https://consent.example", "https://"),
    ],
)  # fmt: skip
def test_a_link_is_short_enough_not_to_be_folded(
    link_host: str | None, base_url: str, begins: str
) -> None:
    base = link_base(link_host, base_url)
    url = unsubscribe_url(base, TOKENS, PermitId(1, 2, 3).to_bytes())
    assert url.startswith(begins)
    host = urlsplit(url).netloc
    if len(host) <= 30:
        assert len(url) < 76
    assert len("List-Unsubscribe: <>" + url) < 998


def fields(**more: object) -> dict[str, str]:
    """Shared header fields of one batch."""
    values: dict[str, object] = {
        "base": "https://u.shop.example/u/",
        "organisation_number": 4_294_967_295,
        "sender_id": uuid7(),
        "purpose_id": uuid7(),
        "from_address": "news@mail.shop.example",
        "campaign": "spring-1",
        **more,
    }
    return shared_headers(**values)  # type: ignore[arg-type]


def test_headers_stand_on_one_line_and_hold_one_address() -> None:
    url = unsubscribe_url("https://u.shop.example/u/", TOKENS, os.urandom(12))
    made = {"List-Unsubscribe": list_unsubscribe(url), **fields(campaign="c" * 64)}
    assert list(made) == ["List-Unsubscribe", "List-Unsubscribe-Post", "List-Id", "Feedback-ID"]
    for name, value in made.items():
        assert (
            header_line(name, value) == f"{name}: {value}"
        )  # refuses folds, encoded words, long lines
    assert made["List-Unsubscribe"] == f"<{url}>"
    assert made["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert "mailto" not in str(made).lower()
    assert "cfbl" not in str(made).lower()


def test_list_id_is_stable_below_the_senders_domain() -> None:
    sender, purpose = UUID(int=1), UUID(int=2)
    one = fields(sender_id=sender, purpose_id=purpose, campaign="a")["List-Id"]
    two = fields(sender_id=sender, purpose_id=purpose, campaign="b")["List-Id"]
    assert one == two
    assert one == "<00000000000000000000000000000002.000000000001.mail.shop.example>"
    assert len(one) <= 257
    assert "List-Id" not in fields(from_address="news@" + "a." * 120 + "example")


def test_feedback_id_ends_in_a_fixed_sender() -> None:
    sender = UUID(int=7)
    for campaign in ("spring", None):
        value = fields(sender_id=sender, campaign=campaign)["Feedback-ID"]
        parts = value.split(":")
        assert len(parts) == 4
        assert parts[3] == "s000000000007"  # 5 to 15 characters
        assert parts[0] == (campaign or "none")


@pytest.mark.parametrize(
    ("base", "announced"),
    [
        ("https://consent.example/u/", True),
        ("http://127.0.0.1:8000/u/", True),
        ("http://[::1]:8000/u/", True),
        ("http://localhost:8000/u/", True),
        ("http://consent.example/u/", False),
        ("http://192.0.2.1/u/", False),
    ],
)
def test_one_click_is_promised_over_https_only(base: str, announced: bool) -> None:
    assert one_click(base) is announced
    assert ("List-Unsubscribe-Post" in fields(base=base)) is announced


@given(st.text(max_size=70))
def test_a_campaign_can_not_smuggle_anything_into_a_header(text: str) -> None:
    if is_campaign(text):
        header_line("Feedback-ID", fields(campaign=text)["Feedback-ID"])
        assert ":" not in text
    else:
        assert re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}", text) is None
