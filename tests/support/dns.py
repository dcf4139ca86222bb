"""A real little DNS server on loopback, over UDP, that answers as its zone says and fails on command.

    peer.zone["good.example"] = {"MX": ["10 mx.good.example."]}
    peer.zone["bad.example"] = SERVFAIL      # or REFUSED, GARBAGE, SILENT
    peer.delay = 0.2                         # seconds before each answer
    peer.meanwhile = act                     # does something before each answer
    peer.root = REFUSED                      # no way into the DNS: it knows its own names alone

A name that is not in the zone does not exist; one with an empty table has no records.
"""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Mapping
from types import TracebackType

import dns.flags
import dns.message
import dns.rcode
import dns.rrset

SERVFAIL, REFUSED, GARBAGE, SILENT = "SERVFAIL", "REFUSED", "GARBAGE", "SILENT"
Records = Mapping[str, list[str]] | str


class DnsPeer:
    """The server, in a thread until the `with` block ends; `asked` are the questions so far, as "name TYPE"."""

    def __init__(self) -> None:
        self.zone: dict[str, Records] = {}
        self.root: Records = {"NS": ["a.root-servers.net."]}
        self.delay = 0.0
        self.ttl = 300
        self.soa = True
        self.asked: list[str] = []
        self.meanwhile: Callable[[], object] | None = None
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self._thread = threading.Thread(target=self._serve, daemon=True)

    @property
    def address(self) -> tuple[str, int]:
        """Where it listens."""
        host, port = self._socket.getsockname()
        return str(host), int(port)

    def __enter__(self) -> DnsPeer:
        self._thread.start()
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as last:
            last.sendto(b"", self.address)
        self._thread.join(5)
        self._socket.close()

    def _serve(self) -> None:
        while True:
            wire, sender = self._socket.recvfrom(4096)
            if not wire:
                return
            answer = self._answer(dns.message.from_wire(wire))
            if self.meanwhile is not None:
                self.meanwhile()
            if answer is not None:
                time.sleep(self.delay)
                self._socket.sendto(answer, sender)

    def _answer(self, query: dns.message.Message) -> bytes | None:
        [question] = query.question
        name, kind = str(question.name).lower(), dns.rdatatype.to_text(question.rdtype)
        self.asked.append(f"{name.rstrip('.') or '.'} {kind}")
        records = self.root if name == "." else self.zone.get(name.rstrip("."))
        if records == SILENT:
            return None
        if records == GARBAGE:
            return query.to_wire()[:2] + b"\x80\x00 this is no answer"
        reply = dns.message.make_response(query)
        reply.flags |= dns.flags.RA
        if isinstance(records, str):
            reply.set_rcode(dns.rcode.from_text(records))
            return reply.to_wire()
        if records is None:
            reply.set_rcode(dns.rcode.NXDOMAIN)
        elif kind in records or "CNAME" in records:
            for owner, each, texts in self._found(name, kind, records):
                reply.answer.append(dns.rrset.from_text(owner, self.ttl, "IN", each, *texts))
        if not reply.answer and self.soa:
            text = f"ns.example. admin.example. 1 2 3 4 {self.ttl}"
            reply.authority.append(dns.rrset.from_text("example.", self.ttl, "IN", "SOA", text))
        return reply.to_wire()

    def _found(
        self, name: str, kind: str, records: Mapping[str, list[str]]
    ) -> list[tuple[str, str, list[str]]]:
        if kind in records:
            return [(name, kind, records[kind])]
        [alias] = records["CNAME"]
        target = self.zone[alias.rstrip(".")]
        assert not isinstance(target, str)
        return [(name, "CNAME", [alias]), (alias, kind, target[kind])]
