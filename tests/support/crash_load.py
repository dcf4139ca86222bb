"""People and a marketer over real HTTP while the service is being killed: what was acknowledged is written down.

Only an answer counts: a 2xx that arrived as a whole. What broke off may have happened or not, and is only counted.
"""

from __future__ import annotations

import email.policy
import http.client
import json
import random
import re
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import EmailMessage
from urllib.parse import urlencode

from tests.support.form_tokens import OpenPages
from tests.support.smtp import SmtpPeer

FORM_TYPE = "application/x-www-form-urlencoded"
STOPPED = "<h1>Your stop holds</h1>"
PATIENCE = 20.0  # seconds that a client waits for an answer


@dataclass(frozen=True, slots=True)
class Acknowledged:
    """One act that the service said was done: where its entry stands, and its leaf hash if that was told."""

    index: int
    kinds: tuple[str, ...]
    leaf_hash: str | None = None


@dataclass(slots=True)
class Acts:
    """What all clients know together."""

    done: list[Acknowledged] = field(default_factory=list)
    sign_ups: Counter[str] = field(default_factory=Counter)
    answers: Counter[str] = field(default_factory=Counter)
    broken: int = 0
    confirmed: list[str] = field(default_factory=list)
    links: list[str] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def copy(self) -> tuple[list[Acknowledged], Counter[str]]:
        """What was acknowledged up to now."""
        with self.lock:
            return list(self.done), Counter(self.sign_ups)


@dataclass(frozen=True, slots=True)
class Target:
    """Where the service listens, and what the clients ask it about."""

    port: int
    form_id: str
    sender: str
    purpose: str
    token: str
    pages: OpenPages


class Mailbox:
    """Confirm links out of the mails on the wire, each handed out once."""

    def __init__(self, peer: SmtpPeer) -> None:
        self._peer = peer
        self._read = 0
        self._seen: set[str] = set()
        self._fresh: list[tuple[str, str]] = []
        self._lock = threading.Lock()

    def take(self, chance: random.Random) -> tuple[str, str] | None:
        """Returns (address, token) of a mail that nobody has answered yet."""
        with self._lock:
            for received in self._peer.messages[self._read :]:
                self._read += 1
                token = confirm_token(received.content)
                if token not in self._seen:
                    self._seen.add(token)
                    self._fresh.append((received.rcpt_tos[0], token))
            if not self._fresh:
                return None
            return self._fresh.pop(chance.randrange(len(self._fresh)))


def confirm_token(content: bytes) -> str:
    """Returns the token of the confirm link in a mail."""
    parsed = message_from_bytes(content, policy=email.policy.default)
    assert isinstance(parsed, EmailMessage)
    body = parsed.get_body(("plain",))
    assert body is not None
    found = re.search(r"/c/([A-Za-z0-9_.-]{33})", body.get_content())
    assert found, "a mail without a confirm link"
    return found[1]


class Client(threading.Thread):
    """One client that signs up, confirms, asks for permits and leaves, until told to stop."""

    def __init__(self, name: str, target: Target, box: Mailbox, acts: Acts, pause: float) -> None:
        super().__init__(name=name, daemon=True)
        self._target, self._box, self._acts = target, box, acts
        self._pause = pause
        self._chance = random.Random(name)
        self._stopped = threading.Event()
        self._numbers: dict[str, int] = defaultdict(int)
        self._last: str | None = None
        self.failure: BaseException | None = None

    def stop(self) -> None:
        """Ends the thread after the act in hand."""
        self._stopped.set()

    def run(self) -> None:
        """Acts until stopped; an answer that makes no sense ends the thread and fails the run."""
        acts = (self._sign_up, self._confirm, self._confirm, self._ask, self._leave)
        try:
            while not self._stopped.wait(self._pause):
                try:
                    self._chance.choice(acts)()
                except (OSError, http.client.HTTPException):
                    with self._acts.lock:
                        self._acts.broken += 1
                    self._stopped.wait(0.05)
        except BaseException as error:
            self.failure = error

    def _sign_up(self) -> None:
        # One in five asks again: for the same address a second mail must not go out.
        if self._last is None or self._chance.random() > 0.2:
            self._numbers["person"] += 1
            self._last = f"{self.name}.{self._numbers['person']}@example.net"
        address = self._last
        form = self._target.form_id
        fields = {
            "email": address, "purpose": self._target.purpose, "token": self._target.pages.token(form),
        }  # fmt: skip
        if self._send("POST", f"/f/{form}", urlencode(fields), "sign-up") is None:
            return
        with self._acts.lock:
            self._acts.sign_ups[address] += 1

    def _confirm(self) -> None:
        found = self._box.take(self._chance)
        if found is None:
            return
        address, token = found
        while not self._stopped.is_set():
            try:
                if self._pressed(address, token):
                    return
            except (OSError, http.client.HTTPException):
                with self._acts.lock:
                    self._acts.broken += 1
            self._stopped.wait(0.05)

    def _pressed(self, address: str, token: str) -> bool:
        page = self._send("GET", f"/c/{token}", "", "page")
        if page is None:
            return False
        shown = re.findall(r'name="shown"\s+value="([^"]+)"', page)
        if not shown:
            return True  # the press came through, its answer did not
        fields = [("shown", item) for item in shown] + [(f"choice.{i}", "keep") for i in shown]
        done = self._send("POST", f"/c/{token}", urlencode(fields), "confirm")
        if done is None:
            return False
        receipts = receipts_of(done)
        if not receipts:
            assert STOPPED in done, "a press without a receipt"
            return True
        with self._acts.lock:
            for index, digest in receipts:
                kinds = ("consent.confirmed", "consent.declined")
                self._acts.done.append(Acknowledged(index, kinds, digest))
            self._acts.confirmed.append(address)
        return True

    def _ask(self) -> None:
        with self._acts.lock:
            known = list(self._acts.confirmed)
        people = self._chance.sample(known, min(len(known), 8)) or ["stranger@example.net"]
        question = {
            "sender": self._target.sender, "purpose": self._target.purpose,
            "channel": "email", "recipients": people,
        }  # fmt: skip
        answer = self._send("POST", "/api/v1/permits", json.dumps(question), "permits")
        if answer is None:
            return
        told = json.loads(answer)
        assert told["count"] == len(people)
        with self._acts.lock:
            self._acts.done.append(Acknowledged(told["entry_index"], ("permits.issued",)))
            links = [row["unsubscribe_url"] for row in told["permits"] if row["unsubscribe_url"]]
            self._acts.links += [link.rpartition("/")[2] for link in links[:2]]

    def _leave(self) -> None:
        with self._acts.lock:
            if not self._acts.links:
                return
            token = self._chance.choice(self._acts.links)
        page = self._chance.random() < 0.5
        body = "act=purpose" if page else "List-Unsubscribe=One-Click"
        done = self._send("POST", f"/u/{token}", body, "unsubscribe")
        if done is None:
            return
        kinds = ("consent.withdrawn", "objection.recorded")
        receipts = receipts_of(done) if page else [self._receipt(done)]
        assert receipts, "a stop without a receipt"
        with self._acts.lock:
            for index, digest in receipts:
                self._acts.done.append(Acknowledged(index, kinds, digest))

    def _receipt(self, answer: str) -> tuple[int, str | None]:
        """The short answer names the receipt's page only: read it there, if it can be read now."""
        path = re.search(r"/r/[A-Za-z0-9_.-]{33}", answer)
        assert path, answer
        ends = time.monotonic() + 4 * PATIENCE
        while time.monotonic() < ends:
            try:
                page = self._send("GET", path[0], "", "receipt")
            except (OSError, http.client.HTTPException):
                page = None
            if page is not None:
                return receipts_of(page)[0]
            time.sleep(0.05)
        raise AssertionError("a receipt could never be read")

    def _send(self, method: str, path: str, body: str, what: str) -> str | None:
        """Sends one request on a connection of its own; None for a 503 (it was not done)."""
        headers = {"Content-Type": FORM_TYPE}
        if path.startswith("/api/"):
            headers = {
                "Content-Type": "application/json",
                "Authorization": f"Bearer {self._target.token}",
            }
        connection = http.client.HTTPConnection("127.0.0.1", self._target.port, timeout=PATIENCE)
        try:
            connection.request(method, path, body if method == "POST" else None, headers)
            answer = connection.getresponse()
            text = answer.read().decode()
        finally:
            connection.close()
        with self._acts.lock:
            self._acts.answers[f"{what} {answer.status}"] += 1
        if answer.status == 503:
            return None
        assert answer.status == 200, f"{what}: {answer.status} {text[:500]}"
        return text


def receipts_of(page: str) -> Sequence[tuple[int, str | None]]:
    """Reads (index, leaf hash) of every proof on a page."""
    found = re.findall(r"<dt>Entry</dt>\s*<dd>(\d+)</dd>.*?>([0-9a-f]{64})<", page, re.S)
    return [(int(index), digest) for index, digest in found]
