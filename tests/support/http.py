"""A real HTTP(S) server on 127.0.0.1 that keeps what it was sent and misbehaves on command.

    peer.next(500)                # answers like this once
    peer.next(redirect(url))      # 302 to somewhere
    peer.next(HANG)               # takes the request and says nothing
    peer.next(DRIP)               # sends its answer one octet at a time, for ever
    peer.next(HUGE)               # an answer without end

Without anything in the queue it answers 204.
"""

from __future__ import annotations

import ssl
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self


@dataclass(frozen=True, slots=True)
class Request:
    """One request as it came; header names are in small letters."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes


Answer = Callable[["_Handler"], None]


def HANG(handler: _Handler) -> None:
    """Says nothing until the peer goes or the test ends."""
    handler.peer.ended.wait(20)


def DRIP(handler: _Handler) -> None:
    """Sends a header one octet at a time: each wait is short, the whole has no end."""
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nX-Long: ")
    _on_and_on(handler, b"x", pause=0.02)


def HUGE(handler: _Handler) -> None:
    """Sends a body without end, as fast as it is read."""
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\n")
    _on_and_on(handler, b"x" * 65_536, pause=0)


def redirect(url: str) -> Answer:
    """Leads to somewhere else."""

    def answer(handler: _Handler) -> None:
        handler.send_response(302)
        handler.send_header("Location", url)
        handler.send_header("Content-Length", "0")
        handler.end_headers()

    return answer


def _on_and_on(handler: _Handler, piece: bytes, pause: float) -> None:
    sent = 0
    try:
        while not handler.peer.ended.is_set():
            handler.wfile.write(piece)
            sent += len(piece)
            time.sleep(pause)
    except OSError:
        pass
    finally:
        handler.peer.cut_after.append(sent)


class _Handler(BaseHTTPRequestHandler):
    server: _Server

    @property
    def peer(self) -> HttpPeer:
        """The peer that this connection came to."""
        return self.server.peer

    def do_POST(self) -> None:
        """Keeps the request and answers as told."""
        length = int(self.headers["Content-Length"])
        headers = {name.lower(): value for name, value in self.headers.items()}
        self.peer.requests.append(Request("POST", self.path, headers, self.rfile.read(length)))
        answer = self.peer.answers.popleft() if self.peer.answers else 204
        if callable(answer):
            answer(self)
        else:
            self.send_response(answer)
            self.send_header("Content-Length", "0")
            self.end_headers()

    def log_message(self, *_words: Any) -> None:
        """Says nothing on stderr."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    peer: HttpPeer
    context: ssl.SSLContext | None = None

    def finish_request(self, request: Any, client_address: Any) -> None:
        """Speaks TLS first if the peer does; in the connection's own thread."""
        if self.context is None:
            super().finish_request(request, client_address)
            return
        with self.context.wrap_socket(request, server_side=True) as secured:
            super().finish_request(secured, client_address)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that goes away is what many tests want."""


@dataclass(slots=True)
class HttpPeer:
    """Runs from entering the block to its end; with `context` over TLS."""

    context: ssl.SSLContext | None = None
    requests: list[Request] = field(default_factory=list)
    answers: deque[int | Answer] = field(default_factory=deque)
    cut_after: list[int] = field(default_factory=list)  # octets sent when a client hung up
    ended: threading.Event = field(default_factory=threading.Event)
    _server: _Server | None = None

    def next(self, *answers: int | Answer) -> None:
        """Makes these the next answers, each once."""
        self.answers.extend(answers)

    @property
    def port(self) -> int:
        """The port it listens on."""
        assert self._server is not None
        return int(self._server.server_address[1])

    def url(self, path: str = "/hook", host: str = "localhost") -> str:
        """An address of this peer."""
        scheme = "http" if self.context is None else "https"
        return f"{scheme}://{host}:{self.port}{path}"

    def __enter__(self) -> Self:
        self._server = _Server(("127.0.0.1", 0), _Handler)
        self._server.peer, self._server.context = self, self.context
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        assert self._server is not None
        self.ended.set()
        self._server.shutdown()
        self._server.server_close()
