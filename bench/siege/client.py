"""One HTTP request at a time, as our trusted proxy would pass it on: who sends it stands last in X-Forwarded-For."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from bench.load import request

FORM = "application/x-www-form-urlencoded"
JSON = "application/json"
PATIENCE = 30  # seconds that anybody waits for an answer
AGENT = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back: header names in small letters; `seconds` from before connecting to the last byte."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    seconds: float

    @property
    def text(self) -> str:
        """The body as text."""
        return self.body.decode("utf-8", "replace")

    def json(self) -> dict[str, Any]:
        """The body as a JSON object; empty when it is none."""
        try:
            found = json.loads(self.body)
        except ValueError:
            return {}
        return found if isinstance(found, dict) else {}

    def wait(self) -> float:
        """The seconds that the answer asks to wait; 0 when it names none."""
        told = self.headers.get("retry-after", "")
        return float(told) if told.isdigit() else 0.0


@dataclass(frozen=True, slots=True)
class Caller:
    """Whoever sends requests to the service on `port` from one address; `left` are hops that it made up."""

    port: int
    ip: str
    left: tuple[str, ...] = ()

    def get(self, path: str, *, origin: str | None = None, method: str = "GET") -> Answer:
        """Asks for a page."""
        return self._exchange(method, path, b"", self._headers(origin))

    def post(self, path: str, fields: Mapping[str, Any], *, origin: str | None = None) -> Answer:
        """Posts a form as a browser does."""
        body = urlencode(fields, doseq=True).encode()
        return self._exchange("POST", path, body, self._headers(origin, FORM))

    def post_json(
        self, path: str, fields: Mapping[str, Any], *, origin: str | None = None
    ) -> Answer:
        """Posts JSON as the element does."""
        return self._exchange(
            "POST", path, json.dumps(fields).encode(), self._headers(origin, JSON)
        )

    def _headers(self, origin: str | None, kind: str | None = None) -> dict[str, str]:
        found = {
            "X_Forwarded_For": ", ".join((*self.left, self.ip)),
            "User_Agent": AGENT,
            "Connection": "close",
        }
        if origin is not None:
            found["Origin"] = origin
        if kind is not None:
            found["Content_Type"] = kind
        return found

    def _exchange(self, method: str, path: str, body: bytes, headers: dict[str, str]) -> Answer:
        started = time.perf_counter()
        with socket.create_connection(("127.0.0.1", self.port), timeout=PATIENCE) as connection:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            connection.sendall(request(method, path, body, **headers))
            data = b"".join(iter(lambda: connection.recv(65_536), b""))
        return _parsed(data, time.perf_counter() - started)


def _parsed(data: bytes, seconds: float) -> Answer:
    head, found, body = data.partition(b"\r\n\r\n")
    if not found:
        raise ConnectionError("the answer broke off")
    status, *lines = head.decode("latin-1").split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (x.partition(":") for x in lines)}
    return Answer(int(status.split()[1]), headers, body, seconds)
