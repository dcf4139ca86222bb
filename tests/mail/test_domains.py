"""Whether a domain takes mail, asked of a real little DNS server: only a clear no refuses."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
import time_machine

from consentledger.mail.domains import Domains
from tests.support.dns import GARBAGE, REFUSED, SERVFAIL, SILENT, DnsPeer, Records

NAME = "person.example"
PATIENT = 5.0


@pytest.fixture
def dns() -> Iterator[DnsPeer]:
    with DnsPeer() as peer:
        yield peer


def look(dns: DnsPeer, name: str = NAME, seconds: float = PATIENT) -> tuple[int | None, bool]:
    """Returns the code of the refusal, None when mail may go, and whether nobody answered in time."""
    looked = Domains([dns.address], seconds).look(name)
    return looked.refused and looked.refused.code, looked.slow


@pytest.mark.parametrize(
    ("records", "code"),
    [
        ({"MX": ["10 mx.person.example."]}, None),
        ({"MX": ["0 ."]}, 556),
        ({"MX": ["0 .", "10 mx.person.example."]}, None),
        ({"A": ["192.0.2.1"]}, None),
        ({"AAAA": ["2001:db8::1"]}, None),
        ({}, 550),
        ({"TXT": ["v=spf1"]}, 550),
        (None, 550),
        (SERVFAIL, None),
        (REFUSED, None),
        (GARBAGE, None),
    ],
    ids=str,
)
def test_only_a_clear_no_refuses(dns: DnsPeer, records: Records | None, code: int | None):
    if records is not None:
        dns.zone[NAME] = records
    # Nobody answers a datagram that is none: here it need not be waited for long.
    seconds = 0.3 if records == GARBAGE else PATIENT
    assert look(dns, seconds=seconds)[0] == code


def test_a_refusal_says_that_it_was_our_own_look_up(dns: DnsPeer):
    refused = Domains([dns.address], PATIENT).look("nobody.example").refused
    assert refused is not None
    assert refused.refused
    assert refused.text.startswith("5.1.2 not sent: by our own look-up")
    assert "nobody" not in refused.text


@pytest.mark.parametrize("name", ["a" * 64 + ".example", "a..example", "ü.example"])
def test_a_name_that_can_not_be_asked_about_is_let_go(dns: DnsPeer, name: str):
    dns.zone["xn--tda.example"] = {"MX": ["10 mx.example."]}
    assert look(dns, name) == (None, False)


def test_silence_ends_in_time_and_is_told(dns: DnsPeer):
    dns.zone[NAME] = SILENT
    begun = time.monotonic()
    assert look(dns, seconds=0.2) == (None, True)
    assert time.monotonic() - begun < PATIENT


def test_all_questions_of_one_look_up_share_its_time(dns: DnsPeer):
    dns.zone[NAME] = {}
    dns.delay = 0.4  # MX, A and AAAA would take 1.2 s
    assert look(dns, seconds=0.6) == (None, True)


def test_slow_is_not_silent(dns: DnsPeer):
    dns.delay = 0.1
    assert look(dns, "nobody.example") == (550, False)


@pytest.mark.parametrize("root", [REFUSED, SERVFAIL, SILENT, {}], ids=str)
def test_the_no_of_a_server_without_a_root_is_not_believed(dns: DnsPeer, root: Records):
    dns.root = root
    assert look(dns, "nobody.example", seconds=0.5)[0] is None


def test_nobody_there_is_no_refusal():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
    assert Domains([("127.0.0.1", port)], 0.3).look(NAME).refused is None


def test_an_alias_is_followed(dns: DnsPeer):
    dns.zone[NAME] = {"CNAME": ["other.example."]}
    dns.zone["other.example"] = {"MX": ["0 ."]}
    assert look(dns) == (556, False)
    dns.zone["other.example"] = {"MX": ["10 mx.other.example."]}
    assert look(dns) == (None, False)


def test_a_domain_is_asked_about_once_while_its_answer_lives(dns: DnsPeer):
    domains = Domains([dns.address], PATIENT)
    dns.zone[NAME] = {"MX": ["10 mx.person.example."]}
    for _ in range(3):
        assert domains.look(NAME.upper()).refused is None
        assert domains.look("nobody.example").refused is not None
    assert sorted(dns.asked) == [". NS", "nobody.example MX", f"{NAME} MX"]


@pytest.mark.parametrize(
    ("soa", "name", "known_for"),
    [(True, NAME, 3600), (True, "nobody.example", 300), (False, "nobody.example", 300)],
)
def test_no_ttl_keeps_an_answer_for_ever(dns: DnsPeer, soa: bool, name: str, known_for: float):
    domains = Domains([dns.address], PATIENT)
    dns.ttl, dns.soa = 2**31 - 1, soa
    dns.zone[NAME] = {"MX": ["10 mx.person.example."]}
    question, start = f"{name} MX", datetime.now(UTC)
    for seconds, asked in ((0, 1), (known_for - 30, 1), (known_for + 30, 2)):
        with time_machine.travel(start + timedelta(seconds=seconds), tick=True):
            domains.look(name)
        assert dns.asked.count(question) == asked, seconds


def test_an_answer_without_a_life_is_asked_for_again(dns: DnsPeer):
    dns.ttl = 0
    dns.zone[NAME] = {"MX": ["10 mx.person.example."]}
    domains = Domains([dns.address], PATIENT)
    domains.look(NAME)
    domains.look(NAME)
    assert dns.asked == [f"{NAME} MX"] * 2
