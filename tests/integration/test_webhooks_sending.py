"""One POST to a real server: what is on the wire, what is refused, and that no server can hold us."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from consentledger.webhooks.sending import Bounds, Posted, Way, post
from tests.support.certificates import Authority
from tests.support.http import DRIP, HANG, HUGE, HttpPeer, redirect

BRISK = Bounds(connect=2.0, read=0.3, whole=0.6)


@pytest.fixture
def peer(authority: Authority, monkeypatch: pytest.MonkeyPatch) -> Iterator[HttpPeer]:
    """An HTTPS server with a good certificate for localhost, from an authority that we trust."""
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.ca_file))
    with HttpPeer(authority.server_context()) as running:
        yield running


def to(peer: HttpPeer, path: str = "/hook", host: str = "localhost", **more: Any) -> Posted:
    way = Way(peer.url(path, host), loopback=True)
    return post(way, b'{"a":1}', {"webhook-id": "msg_1"}, **{"bounds": BRISK, **more})


def answering(*addresses: str) -> Callable[..., list[tuple[Any, ...]]]:
    """A name server that knows one answer."""
    return lambda host, port, **more: [
        (socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in addresses
    ]


def test_what_is_sent(peer: HttpPeer) -> None:
    posted = to(peer, "/hook?a=%C3%A4", bounds=Bounds())
    assert (posted.told, posted.status) == (True, 204)
    (request,) = peer.requests
    assert (request.method, request.target, request.body) == ("POST", "/hook?a=%C3%A4", b'{"a":1}')
    assert request.headers["host"] == f"localhost:{peer.port}"
    assert request.headers["content-type"] == "application/json"
    assert request.headers["webhook-id"] == "msg_1"
    assert request.headers["user-agent"].startswith("consentledger/")


def test_a_redirect_is_not_followed(peer: HttpPeer) -> None:
    with HttpPeer() as elsewhere:
        peer.next(redirect(elsewhere.url()))
        posted = to(peer, bounds=Bounds())
        assert (posted.told, posted.status) == (False, 302)
        assert elsewhere.requests == []


@pytest.mark.parametrize(("behaviour", "reason"), [(HANG, "in time"), (DRIP, "in time")])
def test_a_server_that_does_not_answer_holds_nobody(
    peer: HttpPeer, behaviour: Any, reason: str
) -> None:
    peer.next(behaviour)
    posted = to(peer)
    assert (posted.told, posted.status, posted.ill) == (False, None, True)
    assert reason in posted.reason


def test_a_server_that_never_finishes_its_handshake_holds_nobody() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        way = Way(f"https://localhost:{silent.getsockname()[1]}/", loopback=True)
        posted = post(way, b"{}", {}, bounds=BRISK)
    assert (posted.status, posted.reason) == (None, "no answer in time")


def test_an_answer_without_end_is_read_to_a_bound(peer: HttpPeer) -> None:
    peer.next(HUGE)
    posted = to(peer, bounds=Bounds())
    assert posted.told
    while not peer.cut_after:
        peer.ended.wait(0.01)
    # What lay in the two sockets' buffers was sent too, but not without end.
    assert peer.cut_after[0] < 32 * 2**20


@pytest.mark.parametrize(
    "lines", [b"nonsense\r\n\r\n", b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 200 + b"\r\n", b""]
)
def test_a_server_that_speaks_no_http_is_an_ordinary_failure(lines: bytes) -> None:
    with HttpPeer() as peer:
        peer.next(lambda handler: handler.wfile.write(lines) and None)
        posted = to(peer, bounds=Bounds())
    assert (posted.status, posted.reason) == (None, "the connection broke")


def test_nobody_there_is_an_ordinary_failure() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    posted = post(Way(f"http://127.0.0.1:{port}/", loopback=True), b"{}", {})
    assert (posted.status, posted.reason, posted.ill) == (None, "no connection", True)


@pytest.mark.parametrize("certificate", ["other.example", "expired", "unknown authority"])
def test_a_certificate_that_does_not_hold_gets_nothing(
    authority: Authority, certificate: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if certificate != "unknown authority":
        monkeypatch.setenv("SSL_CERT_FILE", str(authority.ca_file))
    host = certificate if certificate == "other.example" else "localhost"
    context = authority.server_context(host, expired=certificate == "expired")
    with HttpPeer(context) as peer:
        posted = to(peer, bounds=Bounds())
        assert posted.status is None
        assert posted.reason.startswith("certificate: ")
        assert peer.requests == []


@pytest.mark.parametrize(
    "answer",
    [
        ("127.0.0.1",),
        ("10.0.0.1",),
        ("::1",),
        ("64:ff9b::7f00:1",),
        ("1.1.1.1", "127.0.0.1"),  # one private answer spoils all: the next try might take it
        (),
    ],
)
def test_a_name_that_leads_inside_gets_nothing(answer: tuple[str, ...]) -> None:
    with HttpPeer() as peer:
        way = Way(f"https://crm.example:{peer.port}/")
        posted = post(way, b"{}", {}, resolver=answering(*answer))
        assert (posted.status, posted.reason) == (None, "the name leads to no public address")
        assert peer.requests == []


def test_without_the_setting_this_machine_gets_nothing(peer: HttpPeer) -> None:
    for url in (peer.url(), f"http://127.0.0.1:{peer.port}/", f"https://[::1]:{peer.port}/"):
        assert post(Way(url), b"{}", {}).status is None
    assert peer.requests == []


def test_plain_http_is_for_this_machine_only_even_with_the_setting() -> None:
    resolver = answering("1.1.1.1")
    posted = post(Way("http://crm.example/", loopback=True), b"{}", {}, resolver=resolver)
    assert posted.reason == "the address must begin with https://"


def test_a_name_that_changes_its_mind_is_asked_once_and_taken_at_its_word(
    authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    """DNS rebinding: the connection goes to the address that was judged, TLS by the name."""
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.ca_file))
    asked = []

    def turncoat(host: str, port: int, **more: Any) -> list[tuple[Any, ...]]:
        asked.append(host)
        return answering("127.0.0.1" if len(asked) == 1 else "127.0.0.2")(host, port)

    # The system's own resolver would answer otherwise: any second look-up fails the test.
    monkeypatch.setattr(socket, "getaddrinfo", _pinned_only(socket.getaddrinfo))
    with HttpPeer(authority.server_context("crm.example")) as peer:
        way = Way(peer.url(host="crm.example"), loopback=True)
        posted = post(way, b"{}", {}, resolver=turncoat)
        assert posted.told, posted.reason
        assert asked == ["crm.example"]
        assert peer.requests[0].headers["host"] == f"crm.example:{peer.port}"


def _pinned_only(real: Callable[..., Any]) -> Callable[..., Any]:
    def look_up(host: str, *words: Any, **more: Any) -> Any:
        assert host == "127.0.0.1", f"{host} was looked up again"
        return real(host, *words, **more)

    return look_up
