"""How each register tells its entries, and how every bad line is named."""

from __future__ import annotations

import hashlib
import io

import pytest

from consentledger.kernel.errors import InputError
from consentledger.registers.adapters import Adapter, adapter_of, phone, read

DIGEST = hashlib.sha1(b"anna@person.example", usedforsecurity=False).hexdigest()


def texts(content: str, adapter: Adapter) -> list[tuple[int, str]]:
    return [tuple(one) for one in read(io.BytesIO(content.encode()), adapter)]


def test_a_text_list_holds_addresses_domains_and_numbers() -> None:
    content = "\ufeff# of today\r\nAnna@Person.Example\n\n@shop.example\n kasse.example \n+43 664 / 123-4567\n"
    assert texts(content, Adapter()) == [
        (2, "anna@person.example"),
        (4, "@shop.example"),
        (5, "@kasse.example"),
        (6, "+436641234567"),
    ]


def test_an_international_domain_is_matched_by_its_a_label() -> None:
    assert texts("müller.example\nj@bücher.example\n", Adapter()) == [
        (1, "@xn--mller-kva.example"),
        (2, "j@xn--bcher-kva.example"),
    ]


def test_a_csv_column_and_only_lines_of_one_status() -> None:
    adapter = adapter_of("TR-IYS", only=("status", "ONAY"))
    content = 'recipient;type;status\n"+90 532 123 45 67";ARAMA;ONAY\n05329999999;ARAMA;RET\n5321112233;;ONAY\n'
    assert texts(content, adapter) == [(2, "+905321234567"), (4, "+905321112233")]


def test_json_lines() -> None:
    adapter = adapter_of("XX-NEW", format="ndjson", column="mail", only=("listed", "true"))
    content = '{"mail":"a@b.example","listed":true}\n{"mail":"c@d.example","listed":false}\n'
    assert texts(content, adapter) == [(1, "a@b.example")]


def test_digests_are_taken_as_they_are_told() -> None:
    assert texts(DIGEST.upper() + "\n", adapter_of("AT-ECG")) == [(1, DIGEST)]


@pytest.mark.parametrize(
    ("given", "prefix", "found"),
    [
        ("0664 1234567", "+43", "+436641234567"),
        ("0043 664 1234567", None, "+436641234567"),
        ("2125551234", "+1", "+12125551234"),
        ("12125551234", "+1", "+12125551234"),
        ("27821234567", "+27", "+27821234567"),
        ("271234567", "+27", "+27271234567"),
        ("9123456789", "+91", "+919123456789"),
        ("0612345678", "+39", "+390612345678"),
    ],
)
def test_numbers_become_whole_ones(given: str, prefix: str | None, found: str) -> None:
    assert phone(given, prefix) == found


@pytest.mark.parametrize(
    ("content", "adapter", "named"),
    [
        ("a@b.example\nnot an address\n", Adapter(), "line 2"),
        ("a@b.example\n06641234567\n", Adapter(), "line 2"),
        ("a@b.example\nx@y@z.example\n", Adapter(), "line 2"),
        (DIGEST + "\n" + DIGEST[1:] + "\n", Adapter(matched="sha1"), "line 2"),
        ("a@b.example\n" + "x" * 3000 + "\n", Adapter(), "line 2"),
        ("mail,name\na@b.example,A\n", Adapter("csv", "address"), "line 1"),
        ("address,name\na@b.example\n", Adapter("csv"), "line 2"),
        ('address,name\n"a@b.example,A\n', Adapter("csv"), "line 2"),
        ('{"address":"a@b.example"}\n{"address":1}\n', Adapter("ndjson"), "line 2"),
        ('{"address":"a@b.example"}\n[1]\n', Adapter("ndjson"), "line 2"),
        ('{"address":"a@b.example","address":"c@d.example"}\n', Adapter("ndjson"), "line 1"),
    ],
)
def test_the_first_bad_line_is_named(content: str, adapter: Adapter, named: str) -> None:
    with pytest.raises(InputError, match=named) as caught:
        texts(content, adapter)
    assert caught.value.field == "file"


def test_what_is_no_utf_8_is_named() -> None:
    with pytest.raises(InputError, match="line 2: this is not UTF-8"):
        list(read(io.BytesIO(b"a@b.example\nb\xfc@b.example\n"), Adapter()))


@pytest.mark.parametrize(
    "given", [{"format": "xml"}, {"matched": "md5"}, {"prefix": "43"}, {"prefix": "+0"}]
)
def test_an_unknown_way_to_read_is_refused(given: dict[str, str]) -> None:
    with pytest.raises(InputError):
        adapter_of("AT-ECG", **given)
