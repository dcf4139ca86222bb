"""The SMTP peer itself: a failure that never happens would make the mail tests pass for nothing."""

from __future__ import annotations

import smtplib
import socket
import ssl

import pytest

from tests.support.certificates import Authority
from tests.support.smtp import DROP, HANG, SmtpPeer

MAIL = b"From: a@example.org\r\nSubject: hello\r\n\r\n.leading dot\r\nend\r\n"


def _send(peer: SmtpPeer, *, timeout: float = 5) -> None:
    with smtplib.SMTP(peer.host, peer.port, timeout=timeout) as client:
        client.sendmail("a@example.org", ["b@example.org"], MAIL)


def test_it_keeps_the_message_and_the_bytes_on_the_wire(smtp: SmtpPeer) -> None:
    _send(smtp)
    (received,) = smtp.wait()
    assert received.content == MAIL
    assert received.rcpt_tos == ("b@example.org",)
    assert received.header_lines("subject") == [b"hello"]
    assert b"\r\n..leading dot\r\n" in smtp.wire


@pytest.mark.parametrize("stage", ["mail", "rcpt", "data", "accepted"])
def test_it_answers_once_as_told_and_then_as_usual(smtp: SmtpPeer, stage: str) -> None:
    smtp.next(stage, "451 4.3.0 later")
    with pytest.raises(smtplib.SMTPException):
        _send(smtp)
    assert not smtp.messages
    assert smtp.pending() == 0
    _send(smtp)
    assert len(smtp.messages) == 1


@pytest.mark.parametrize("stage", ["connect", "ehlo", "mail", "rcpt", "data", "content"])
def test_it_drops_the_connection_where_told(smtp: SmtpPeer, stage: str) -> None:
    smtp.next(stage, DROP)
    with pytest.raises((smtplib.SMTPException, ConnectionError)):
        _send(smtp)
    assert not smtp.messages


@pytest.mark.parametrize("stage", ["connect", "mail", "data", "content", "accepted"])
def test_it_hangs_where_told(smtp: SmtpPeer, stage: str) -> None:
    smtp.next(stage, HANG)
    with pytest.raises((TimeoutError, smtplib.SMTPException)):
        _send(smtp, timeout=0.3)
    assert len(smtp.messages) == (stage == "accepted")


def test_dropping_after_data_keeps_the_message(smtp: SmtpPeer) -> None:
    smtp.next("accepted", DROP)
    with pytest.raises(smtplib.SMTPException):
        _send(smtp)
    assert len(smtp.messages) == 1


def test_a_stopped_peer_refuses_and_can_come_back_on_its_port() -> None:
    peer = SmtpPeer().start()
    port = peer.port
    peer.stop()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((peer.host, port), timeout=2)
    with peer:
        assert peer.port == port
        _send(peer)
    assert len(peer.messages) == 1


@pytest.mark.parametrize("tls", ["starttls", "implicit"])
def test_it_speaks_tls_under_its_own_authority(authority: Authority, tls: str) -> None:
    trusting = ssl.create_default_context(cafile=str(authority.ca_file))
    context = authority.server_context()
    with SmtpPeer(tls=tls, context=context, login=("user", "secret")) as peer:
        client: smtplib.SMTP
        if tls == "implicit":
            client = smtplib.SMTP_SSL(peer.host, peer.port, timeout=5, context=trusting)
        else:
            client = smtplib.SMTP(peer.host, peer.port, timeout=5)
            client.starttls(context=trusting)
        with client:
            client.login("user", "secret")
            client.sendmail("a@example.org", ["b@example.org"], MAIL)
        assert peer.wait()[0].content == MAIL
        assert peer.connections[0].encrypted


def test_a_wrong_password_is_refused(authority: Authority) -> None:
    with SmtpPeer(tls="implicit", context=authority.server_context(), login=("u", "right")) as peer:
        trusting = ssl.create_default_context(cafile=str(authority.ca_file))
        with (
            smtplib.SMTP_SSL(peer.host, peer.port, timeout=5, context=trusting) as client,
            pytest.raises(smtplib.SMTPAuthenticationError),
        ):
            client.login("u", "wrong")
