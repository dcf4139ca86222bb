"""What people are called, where they are and what they use stands on no disk in the clear: run, then searched."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import re
import subprocess
import sys
import time
from base64 import b64encode
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from sqlalchemy import text

from consentledger.db.fsck import fsck
from consentledger.db.installation import open_installation
from tests.factories import MadeForm, create_key_of, create_organisation, create_published_form
from tests.support.consents import raw_bytes
from tests.support.crash_load import confirm_token, receipts_of
from tests.support.customers import sale
from tests.support.form_tokens import OpenPages
from tests.support.installations import settings_from
from tests.support.keystores import Apart, apart
from tests.support.planted import contents, needles, search
from tests.support.smtp import SmtpPeer

pytestmark = pytest.mark.fault
FIRST = "Planted.Xq7Vz@hidden-jw3kp.example"
SECOND = "Qzwölf.Kl9@verborgen-ü8x.example"
THIRD = "Nobody.Wv4Tr@nowhere-zq5.example"
IP, OTHER_IP = "203.0.113.177", "2001:db8:7a7a:4b4b::9"
AGENT = "Mozilla/5.0 (PlantedAgent; Ynb83) Firefox/131.0"
PAGE = f"https://shop.example/for/{FIRST}/offers?name=Erika-Zumsteg-Qw"
WORDS = (
    "Planted.Xq7Vz", "hidden-jw3kp", "Qzwölf.Kl9", "verborgen-ü8x",
    "Nobody.Wv4Tr", "nowhere-zq5", IP, "203.0.113.0", OTHER_IP, "2001:db8:7a7a", "PlantedAgent",
    "Erika-Zumsteg-Qw", "Collector Hgt61", "Voucher-Rr72", "Order-Pq83z", "Opt-Out-Vm71",
)  # fmt: skip


@dataclass(slots=True)
class Caller:
    """Speaks HTTP to the service, as the planted person behind a trusted proxy, or as the marketer."""

    port: int
    token: str
    answers: list[tuple[str, int]] = field(default_factory=list)

    def send(
        self, method: str, path: str, body: str | None = None, *, api: bool = False, ip: str = IP
    ) -> str:
        kind = "application/json" if api else "application/x-www-form-urlencoded"
        headers = {
            "Content-Type": kind, "X-Forwarded-For": ip, "User-Agent": AGENT, "Referer": PAGE,
        }  # fmt: skip
        if api:
            headers["Authorization"] = f"Bearer {self.token}"
            headers["Idempotency-Key"] = f"Planted.Xq7Vz-{len(self.answers)}"
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        with contextlib.closing(connection):
            connection.request(method, path, body, headers)
            answer = connection.getresponse()
            said = answer.read().decode("utf-8", "replace")
        self.answers.append((f"{method} {path}", answer.status))
        return said

    def api(self, path: str, **given: Any) -> str:
        return self.send("POST", f"/api/v1{path}", json.dumps(given), api=True)

    @property
    def last(self) -> int:
        return self.answers[-1][1]


@dataclass(frozen=True, slots=True)
class Town:
    """A running service with a published form, and every folder that it may write to."""

    made: MadeForm
    caller: Caller
    smtp: SmtpPeer
    folder: Path
    pages: OpenPages


def _eventually(find: Callable[[], Any]) -> Any:
    ends = time.monotonic() + 60
    while not (found := find()):
        assert time.monotonic() < ends, "it did not happen in time"
        time.sleep(0.05)
    return found


@contextlib.contextmanager
def _served(environment: Mapping[str, str], log: Path) -> Iterator[int]:
    """Runs `consentledger serve`, all that it says in a file; gives the port."""
    with log.open("wb") as said:
        process = subprocess.Popen(
            [sys.executable, "-P", "-m", "consentledger", "serve", "--bind", "127.0.0.1:0"],
            env=environment, stdin=subprocess.DEVNULL, stdout=said, stderr=said,
        )  # fmt: skip
        try:
            found = _eventually(lambda: re.search(rb"http://127\.0\.0\.1:(\d+)", log.read_bytes()))
            yield int(found[1])
        finally:
            process.kill()  # its children die with it
            process.wait(timeout=60)


@pytest.fixture(params=("sqlite+sqlite", "postgresql"))
def made(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Apart]:
    with apart(request, tmp_path, request.param) as opened:
        yield opened


@pytest.fixture
def town(made: Apart, smtp: SmtpPeer, tmp_path: Path) -> Iterator[Town]:
    installation = made.installation
    owner = create_organisation(installation.database, installation.settings, ip_policy="full")
    form = create_published_form(
        installation.database, installation.settings, organisation=owner, noise=False
    )
    token = create_key_of(installation.database, owner.organisation_id).token
    for name in ("temporary", "home"):
        (tmp_path / name).mkdir()
    environment = {
        **os.environ,
        **made.environment,
        "CONSENTLEDGER_MAIL_SERVER": smtp.host,
        "CONSENTLEDGER_MAIL_PORT": str(smtp.port),
        "CONSENTLEDGER_TRUSTED_PROXIES": "1",
        "CONSENTLEDGER_CHECKPOINT_SECONDS": "0.2",
        "TMPDIR": str(tmp_path / "temporary"),
        "HOME": str(tmp_path / "home"),
    }
    with _served(environment, tmp_path / "service.log") as port:
        pages = OpenPages(installation.settings)
        yield Town(form, Caller(port, token), smtp, tmp_path, pages)


def _live(town: Town) -> None:
    """A person asks, confirms, gets permits and leaves; the marketer asks about them; much goes wrong."""
    caller, made = town.caller, town.made
    form = f"/f/{made.form_id}"
    purpose = str(made.purpose_ids[0])
    token = town.pages.token(made.form_id)
    signed = {"email": FIRST, "purpose": purpose, "page": PAGE, "token": token}
    caller.send("POST", form, urlencode(signed))
    assert caller.last == 200
    _eventually(lambda: town.smtp.messages)
    link = f"/c/{confirm_token(town.smtp.messages[0].content)}"
    items = re.findall(r'name="shown"\s+value="([^"]+)"', caller.send("GET", link))
    keep = urlencode([("shown", i) for i in items] + [(f"choice.{i}", "keep") for i in items])
    assert receipts_of(caller.send("POST", link, keep, ip=OTHER_IP))
    asked = {"sender": str(made.sender_id), "purpose": purpose, "channel": "email"}
    told = json.loads(caller.api("/permits", **asked, recipients=[FIRST, SECOND]))
    stop = told["permits"][0]["unsubscribe_url"].rpartition("/")[2]
    permit = told["permits"][0]["permit"]
    caller.api("/permits:recheck", permits=[permit])
    caller.api(
        "/consents", form=str(made.form_id), address=SECOND, purposes=[purpose], page=PAGE, ip=OTHER_IP,
        user_agent=AGENT, collected_by="Collector Hgt61", condition="Voucher-Rr72", age_band="16-17",
    )  # fmt: skip
    assert caller.last in (201, 202), caller.answers
    caller.api("/contacts:status", address=FIRST)
    assert caller.last == 200
    sold = sale(SECOND, f"Order-Pq83z of {FIRST}", opt_out_wording="Opt-Out-Vm71")
    caller.api("/customers", rows=[sold, sale(THIRD, "Order-Pq83z", on="x")], partial=True)
    assert caller.last == 200
    caller.api("/withdrawals", address=SECOND, channel="email")
    assert caller.last == 201
    assert "PK" in caller.api("/evidence", address=FIRST)[:2]
    page = caller.send("GET", "/stop")
    sender = re.search(r'value="(\d+-[0-9a-f]{32})"', page)
    caller.send("POST", "/stop", urlencode({"email": FIRST, "sender": sender[1] if sender else ""}))
    assert caller.last == 200
    _eventually(lambda: len(town.smtp.messages) >= 2)
    caller.send("POST", f"/u/{stop}", "List-Unsubscribe=One-Click")
    assert caller.last == 200
    _fail(town, form, link, asked)


def _fail(town: Town, form: str, link: str, asked: dict[str, Any]) -> None:
    caller = town.caller
    wrong = {"email": f"{THIRD}@again", "page": PAGE}
    caller.send("POST", form, urlencode(wrong))
    caller.send("POST", form, urlencode({**wrong, "token": town.pages.token(town.made.form_id)}))
    caller.send("GET", f"{form}?email={THIRD}")
    caller.send("GET", f"/no/such/{THIRD}?ip={IP}")
    caller.send("GET", f"/u/{THIRD}")
    caller.send("POST", f"/c/{b64encode(THIRD.encode()).decode()}", THIRD)
    caller.send("POST", "/stop", urlencode({"email": THIRD, "sender": THIRD}))
    caller.api("/permits", **{**asked, "sender": THIRD}, recipients=[THIRD])
    caller.api("/permits", **asked, recipients=[{"address": THIRD}])
    caller.api("/contacts:status", address=f"{THIRD}\n")
    caller.api("/erasures", address=THIRD, ground=THIRD)
    caller.send("POST", "/api/v1/withdrawals", f'{{"address": "{THIRD}', api=True)
    caller.send("POST", "/api/v1/evidence", json.dumps({"address": THIRD}), api=True)
    caller.send("PUT", link, THIRD)
    assert {status for _, status in caller.answers} >= {400, 404, 405, 422}
    assert not [one for one in caller.answers if one[1] >= 500]


def test_nothing_stands_in_the_clear(made: Apart, town: Town) -> None:
    since = time.time()
    _live(town)
    database = made.installation.database
    with database.read() as session:
        sought = [town.folder]
        if database.name == "postgresql":
            session.connection().execute(text("CHECKPOINT"))
            sought += _data_of(session)
    files = contents(*sought, since=since - 1)
    logged = files[str(town.folder / "service.log")]
    assert b"/api/v1/permits" in logged
    assert b"route=" in logged or b'"route"' in logged
    for part in ("-wal", "keys.db-wal", "/guard/") if len(sought) == 1 else ("/pg_wal/", "/base/"):
        assert any(part in name for name in files), f"nothing of {part} was looked at"
    # Rows again as the engine gives them: a page of the disk may hold them compressed.
    files["rows"] = raw_bytes(database)
    domain = SECOND.partition("@")[2].removesuffix(".example").encode("idna").decode()
    hits = search(files, needles((*WORDS, domain)))
    assert not hits, hits
    again = open_installation(settings_from(made.environment))
    report = fsck(again, town.made.organisation_id, openings=True)
    assert report.ok, report.findings
    assert report.openings > 10, "they are all there, and open with the keys"
    again.database.close()


def _data_of(session: Any) -> list[Path]:
    """The folders of this database and of the write-ahead log, if they can be read here."""
    data = Path(session.scalar(text("SHOW data_directory")))
    own = session.scalar(text("SELECT pg_relation_filepath('contact')"))
    places = [(data / own).parent, data / "pg_wal", data.parent / "server.log"]
    return [place for place in places if os.access(place, os.R_OK)]


@pytest.mark.parametrize(
    "hidden",
    [
        FIRST.encode(),
        FIRST.upper().encode(),
        b"xx" + b64encode(b"a" + FIRST.encode() + b"b"),
        b"x" + b64encode(b"ab" + FIRST.encode()),
        b64encode(f'{{"address":"{FIRST}"}}'.encode()),
        f"a{FIRST}b".encode("utf-16-le"),
        f"a{FIRST}b".encode("utf-16-be"),
        FIRST.encode().hex().upper().encode(),
    ],
)
def test_the_search_finds_what_is_there(hidden: bytes, tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "file").write_bytes(os.urandom(1_000) + hidden + os.urandom(1_000))
    assert search(contents(tmp_path), needles(WORDS))
    (tmp_path / "deep" / "file").write_bytes(os.urandom(3_000))
    assert not search(contents(tmp_path), needles(WORDS))
