"""The way out against real peers: what leaves, what is believed, and what each failure becomes."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace

import pytest

from consentledger.kernel.errors import ConfigurationError
from consentledger.mail.message import WireMail, build
from consentledger.mail.peer import Patience, public_addresses
from consentledger.mail.transport import Transport, TransportSettings
from tests.mail.test_message import MAIL
from tests.support.certificates import Authority
from tests.support.smtp import DROP, HANG, SmtpPeer

WIRE = build(MAIL)
HASTY = Patience(answer=0.3, after_data=0.6, whole=5)


def plain(peer: SmtpPeer, **changes: object) -> TransportSettings:
    """Settings for a peer on this host without TLS."""
    settings = TransportSettings("127.0.0.1", peer.port, tls="none", patience=HASTY)
    return replace(settings, **changes)


def secure(peer: SmtpPeer, authority: Authority, **changes: object) -> TransportSettings:
    """Settings for a peer on this host with STARTTLS, its authority trusted."""
    settings = TransportSettings(
        "localhost", peer.port, ca_file=str(authority.ca_file), patience=Patience(answer=5)
    )
    return replace(settings, **changes)


def once(settings: TransportSettings, wire: WireMail = WIRE):
    """One try on a connection of its own."""
    with Transport(settings) as transport:
        return transport.send(wire)


def test_the_bytes_on_the_wire_are_the_bytes_that_were_built(smtp: SmtpPeer):
    value = f"<https://links.a-rather-long-host-name.shop.example/u/{'A' * 300}>"
    wire = build(replace(MAIL, headers=(("List-Unsubscribe", value),), text=".\n..dots\n"))
    delivery = once(plain(smtp), wire)
    assert (delivery.outcome, delivery.phase, delivery.code) == ("accepted", "data", 250)
    assert delivery.text == "2.0.0 kept"
    (received,) = smtp.wait()
    assert received.content == wire.data
    assert received.header_lines("List-Unsubscribe") == [value.encode()]
    assert received.mail_from == MAIL.from_address
    assert received.rcpt_tos == (MAIL.recipient,)
    assert b"ehlo localhost.localdomain\r\n" in smtp.wire


def test_one_connection_carries_many_messages(smtp: SmtpPeer):
    with Transport(plain(smtp)) as transport:
        assert all(transport.send(WIRE).accepted for _ in range(5))
    assert len(smtp.wait(5)) == 5
    assert len(smtp.connections) == 1
    assert smtp.wire.lower().endswith(b"quit\r\n")


def test_a_connection_has_a_last_message(smtp: SmtpPeer):
    with Transport(plain(smtp, most_per_connection=2)) as transport:
        assert all(transport.send(WIRE).accepted for _ in range(5))
    assert len(smtp.connections) == 3


def test_an_idle_connection_is_not_trusted(smtp: SmtpPeer):
    with Transport(plain(smtp, most_idle=0.05)) as transport:
        assert transport.send(WIRE).accepted
        time.sleep(0.1)
        assert transport.send(WIRE).accepted
    assert len(smtp.connections) == 2


@pytest.mark.parametrize("action", [DROP, "421 4.4.2 idle too long"])
def test_a_connection_that_the_peer_gave_up_is_made_anew(smtp: SmtpPeer, action: str):
    with Transport(plain(smtp)) as transport:
        assert transport.send(WIRE).accepted
        smtp.next("mail", action)
        assert transport.send(WIRE).accepted
    assert len(smtp.messages) == 2
    assert len(smtp.connections) == 2


def test_a_peer_that_gives_up_a_new_connection_is_not_asked_twice(smtp: SmtpPeer):
    smtp.next("mail", DROP)
    assert once(plain(smtp)).outcome == "deferred"
    assert len(smtp.connections) == 1


@pytest.mark.parametrize("code", [550, 552, 553, 554])
@pytest.mark.parametrize(
    ("stage", "phase"),
    [("mail", "sender"), ("rcpt", "recipient"), ("data", "data"), ("accepted", "data")],
)
def test_5xx_is_final(smtp: SmtpPeer, stage: str, phase: str, code: int):
    smtp.next(stage, f"{code} 5.1.1 no such <erika@example.net>")
    with Transport(plain(smtp)) as transport:
        delivery = transport.send(WIRE)
        assert (delivery.outcome, delivery.phase, delivery.code) == ("refused", phase, code)
        assert delivery.text == "5.1.1 no such <erika@example.net>"
        assert "erika" not in repr(delivery)
        assert delivery.reason == f"{phase} {code}"
        assert smtp.messages == []
        assert transport.send(WIRE).accepted, "the connection is good for the next message"
    assert len(smtp.connections) == 1


@pytest.mark.parametrize(
    ("stage", "phase"),
    [("mail", "sender"), ("rcpt", "recipient"), ("data", "data"), ("accepted", "data")],
)
def test_4xx_is_tried_again(smtp: SmtpPeer, stage: str, phase: str):
    smtp.next(stage, "451 4.7.1 greylisted")
    delivery = once(plain(smtp))
    assert (delivery.outcome, delivery.phase, delivery.code) == ("deferred", phase, 451)
    assert not delivery.uncertain
    assert once(plain(smtp)).accepted


@pytest.mark.parametrize("answer", ["421 4.3.2 go away", "554 5.3.2 go away"])
def test_a_peer_that_wants_nobody_is_tried_again(smtp: SmtpPeer, answer: str):
    smtp.next("connect", answer)
    delivery = once(plain(smtp))
    assert (delivery.outcome, delivery.phase) == ("deferred", "connect")
    assert delivery.code == int(answer[:3])


def test_nobody_listens(smtp: SmtpPeer):
    smtp.stop()
    delivery = once(plain(smtp))
    assert (delivery.outcome, delivery.phase, delivery.code) == ("deferred", "connect", None)


def test_a_host_that_does_not_exist():
    delivery = once(TransportSettings("nowhere.invalid", patience=HASTY))
    assert (delivery.outcome, delivery.phase) == ("deferred", "connect")


@pytest.mark.parametrize(
    ("stage", "uncertain"),
    [
        ("connect", False),
        ("ehlo", False),
        ("mail", False),
        ("rcpt", False),
        ("data", False),
        ("accepted", True),
    ],
)
def test_a_peer_that_hangs(smtp: SmtpPeer, stage: str, uncertain: bool):
    smtp.next(stage, HANG)
    began = time.monotonic()
    delivery = once(plain(smtp))
    assert (delivery.outcome, delivery.phase) == ("deferred", "timeout")
    assert delivery.uncertain is uncertain
    assert time.monotonic() - began < 3


@pytest.mark.parametrize(
    ("stage", "uncertain"),
    [
        ("connect", False),
        ("ehlo", False),
        ("mail", False),
        ("rcpt", False),
        ("data", False),
        ("accepted", True),
    ],
)
def test_a_peer_that_drops(smtp: SmtpPeer, stage: str, uncertain: bool):
    smtp.next(stage, DROP)
    delivery = once(plain(smtp))
    assert delivery.outcome == "deferred"
    assert delivery.phase in ("drop", "connect")
    assert delivery.uncertain is uncertain


def test_a_peer_that_drops_in_the_middle_of_data(smtp: SmtpPeer):
    smtp.next("content", DROP)
    big = replace(WIRE, data=WIRE.data + b"x\r\n" * 4_000_000)  # beyond every socket's buffer
    delivery = once(plain(smtp), big)
    assert (delivery.outcome, delivery.phase) == ("deferred", "drop")
    assert smtp.messages == []
    assert once(plain(smtp)).accepted


@contextmanager
def raw_server(talk) -> Iterator[int]:
    """A socket that speaks as `talk(connection)` does, for what no SMTP library would say."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            connection, _ = server.accept()
            with connection, suppress(OSError):
                talk(connection)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield server.getsockname()[1]
        thread.join(5)


def test_a_peer_that_drips_one_octet_at_a_time_is_cut_off():
    def drip(connection: socket.socket) -> None:
        for _ in range(200):
            connection.sendall(b"2")
            time.sleep(0.05)

    with raw_server(drip) as port:
        began = time.monotonic()
        delivery = once(
            TransportSettings("127.0.0.1", port, tls="none", patience=Patience(answer=1, whole=0.5))
        )
        assert (delivery.outcome, delivery.phase) == ("deferred", "deadline")
        assert time.monotonic() - began < 3


@pytest.mark.parametrize(
    "noise",
    [
        b"",
        b"\0\xff\r\n",
        b"HTTP/1.1 400 Bad Request\r\n\r\n",
        b"2" * 20_000 + b"\r\n",
        b"999 what\r\n",
        b"100 what\r\n",
    ],
)
def test_a_peer_that_speaks_no_smtp(noise: bytes):
    with raw_server(lambda connection: connection.sendall(noise)) as port:
        delivery = once(TransportSettings("127.0.0.1", port, tls="none", patience=HASTY))
        assert delivery.outcome == "deferred"
        assert delivery.text.isprintable()
        assert len(delivery.text) <= 300


def test_a_peer_whose_answer_to_rcpt_makes_no_sense(smtp: SmtpPeer):
    smtp.next("rcpt", "999 5.1.1 what")
    assert once(plain(smtp)).outcome == "deferred"


def test_starttls_with_a_verified_certificate(authority: Authority):
    with SmtpPeer(tls="starttls", context=authority.server_context()) as peer:
        delivery = once(secure(peer, authority))
        assert delivery.accepted, delivery.text
        assert peer.wait()[0].content == WIRE.data
        assert all(connection.encrypted for connection in peer.connections)


def test_tls_from_the_first_octet(authority: Authority):
    with SmtpPeer(tls="implicit", context=authority.server_context()) as peer:
        delivery = once(secure(peer, authority, tls="implicit"))
        assert delivery.accepted, delivery.text
        assert peer.wait()[0].content == WIRE.data


def test_starttls_that_somebody_stripped_is_not_given_up(smtp: SmtpPeer, authority: Authority):
    delivery = once(secure(smtp, authority, username="u", password="secret"))
    assert (delivery.outcome, delivery.phase) == ("deferred", "tls")
    assert b"mail from" not in smtp.wire.lower()
    assert b"auth" not in smtp.wire.lower()


def test_words_slipped_in_before_tls_are_not_believed(authority: Authority):
    context = authority.server_context()
    heard: list[bytes] = []

    def talk(connection: socket.socket) -> None:
        connection.settimeout(3)
        connection.sendall(b"220 here\r\n")
        connection.recv(999)
        connection.sendall(b"250-here\r\n250 STARTTLS\r\n")
        connection.recv(999)
        # In one packet with the answer: whoever keeps a buffer over the handshake reads it as EHLO's.
        connection.sendall(b"220 go\r\n250 SMTPUTF8 from somebody in between\r\n")
        with context.wrap_socket(connection, server_side=True) as inside:
            heard.append(inside.recv(999))
            heard.append(inside.recv(999))

    with raw_server(talk) as port:
        settings = TransportSettings(
            "localhost", port, ca_file=str(authority.ca_file), patience=HASTY
        )
        assert once(settings).outcome == "deferred"
    assert not any(b"mail" in words.lower() for words in heard)


@pytest.mark.parametrize("tls", ["starttls", "implicit"])
@pytest.mark.parametrize("flaw", ["unknown authority", "expired", "other host"])
def test_a_bad_certificate_ends_it(authority: Authority, tls: str, flaw: str):
    context = authority.server_context(
        "elsewhere.example" if flaw == "other host" else "localhost", expired=flaw == "expired"
    )
    with SmtpPeer(tls=tls, context=context) as peer:
        settings = secure(peer, authority, tls=tls)
        if flaw == "unknown authority":
            settings = replace(settings, ca_file=None)
        delivery = once(settings)
        assert (delivery.outcome, delivery.phase) == ("deferred", "tls")
        assert "certificate not verified" in delivery.text
        assert peer.messages == []
        assert b"mail from" not in peer.wire.lower()


def test_a_login(authority: Authority):
    context = authority.server_context()
    with SmtpPeer(tls="starttls", context=context, login=("user", "pass")) as peer:
        delivery = once(secure(peer, authority, username="user", password="pass"))
        assert delivery.accepted, delivery.text


@pytest.mark.parametrize(("name", "phase"), [("user", "login"), (None, "sender")])
def test_a_wrong_login_costs_no_mail(authority: Authority, name: str | None, phase: str):
    context = authority.server_context()
    with SmtpPeer(tls="starttls", context=context, login=("user", "pass")) as peer:
        delivery = once(secure(peer, authority, username=name, password="wrong"))
        assert (delivery.outcome, delivery.phase) == ("deferred", phase)
        assert "wrong" not in repr(secure(peer, authority, password="wrong"))


def test_a_local_part_beyond_ascii(smtp: SmtpPeer):
    wire = build(replace(MAIL, recipient="jörg@bücher.example"))
    assert once(plain(smtp), wire).accepted
    (received,) = smtp.wait()
    assert received.rcpt_tos == ("jörg@xn--bcher-kva.example",)
    assert received.content == wire.data
    assert b"SMTPUTF8" in smtp.wire.upper()


def test_a_peer_without_smtputf8_refuses_such_an_address_only(smtp: SmtpPeer):
    smtp.next("ehlo", "250 peer.test")
    with Transport(plain(smtp)) as transport:
        wire = build(replace(MAIL, recipient="jörg@bücher.example"))
        delivery = transport.send(wire)
        assert (delivery.outcome, delivery.phase, delivery.code) == ("refused", "smtputf8", None)
    assert once(plain(smtp)).accepted


@pytest.mark.parametrize("tls", ["none", "starttls", "implicit"])
def test_a_marketer_s_server_is_never_a_private_one(smtp: SmtpPeer, tls: str):
    for host in ("127.0.0.1", "localhost"):
        delivery = once(plain(smtp, host=host, tls=tls, public_only=True))
        assert (delivery.outcome, delivery.phase) == ("deferred", "connect")
        assert "no public address" in delivery.text
    assert smtp.connections == []


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "10.0.0.1",
        "192.168.1.1",
        "172.16.0.1",
        "169.254.169.254",
        "100.64.0.1",
        "0.0.0.0",
        "224.0.0.1",
        "::1",
        "fe80::1",
        "fc00::1",
        "::ffff:127.0.0.1",
        "::ffff:10.0.0.1",
    ],
)
def test_private_addresses(address: str):
    with pytest.raises(OSError, match="no public address"):
        public_addresses(address, 25)


@pytest.mark.parametrize("address", ["1.1.1.1", "2606:4700:4700::1111"])
def test_public_addresses(address: str):
    assert public_addresses(address, 25) == [address]


@pytest.mark.parametrize(
    "changes",
    [
        {"tls": "maybe"},
        {"username": "u", "tls": "none"},
        {"port": 0},
        {"port": 70_000},
        {"host": ""},
    ],
)
def test_settings_that_can_not_work(changes: dict[str, object]):
    with pytest.raises(ConfigurationError):
        replace(TransportSettings("mail.example"), **changes)
