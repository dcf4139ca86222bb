"""docs/backup.md, tried as written: its commands are run by a shell, in its order, and what it promises is seen."""

from __future__ import annotations

import json
import os
import shutil
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from consentledger.app import create_app
from consentledger.db.installation import open_database, open_installation
from consentledger.db.migrate import upgrade
from tests.conftest import missing
from tests.factories import create_key_of
from tests.support.cluster import Cluster, cluster
from tests.support.guide import Machine, blocks, unsaid
from tests.support.installations import environment_for, settings_from
from tests.web import acts
from tests.web.town import Shop, open_shop

pytestmark = pytest.mark.fault
ROOT = Path(__file__).resolve().parents[2]
GUIDE = blocks(ROOT / "docs" / "backup.md")
OUTPUTS = blocks(ROOT / "docs" / "backup.md", "")
NAMES = GUIDE["What to keep, and where"]
EXPORT, KEYS = "By the clock: export the entries", "The key store apart, for days"
QUICK = {"CHECKPOINT_SECONDS": "0.2", "MAIL_PORT": "9"}
ORGANISATION = "Quay Street"
MARIA, NORA = "maria@example.org", "nora@example.org"


@dataclass(frozen=True, slots=True)
class People:
    """Two people who agreed to mail, with the unsubscribe links they were sent, and the shop's key."""

    shop: Shop
    maria: str
    nora: str
    key: str


@pytest.fixture(autouse=True)
def tools() -> None:
    if shutil.which("curl") is None:
        missing("curl", "run tools/system-packages")


@pytest.fixture
def server() -> Iterator[Cluster]:
    with cluster(os.environ["PATH"]) as made:
        if made is None:
            missing("PostgreSQL's server binaries", "run tools/system-packages")
        yield made


def settled(environment: dict[str, str]) -> People:
    """Makes the schema, a shop and its people, before the service is started."""
    settings = settings_from(environment)
    database = open_database(settings)
    upgrade(database)
    database.close()
    installation = open_installation(settings)
    shop = open_shop(installation, ORGANISATION)
    client = create_app(settings, installation).test_client(use_cookies=False)
    for address in (MARIA, NORA):
        token = acts.confirm_token(installation, client, shop, address)
        assert acts.press(client, token).status_code == 200
    links = [acts.unsubscribe_token(installation, shop, each) for each in (MARIA, NORA)]
    key = create_key_of(installation.database, shop.organisation_id)
    installation.database.close()
    return People(shop, *links, key.token)


def acknowledged(environment: dict[str, str], path: str) -> None:
    """Has a stop acknowledged, and signed as the worker does within CHECKPOINT_SECONDS."""
    settings = settings_from(environment)
    installation = open_installation(settings)
    client = create_app(settings, installation).test_client(use_cookies=False)
    assert client.post(path).status_code == 200
    installation.signer.sign_due()
    installation.database.close()


def posted(url: str, body: Any = None, **headers: str) -> tuple[int, str]:
    """Sends a POST and returns status and text, whatever the status."""
    data = json.dumps(body).encode() if body is not None else b""
    request = urllib.request.Request(url, data, headers, method="POST")
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()


def ask(machine: Machine, people: People) -> tuple[int, Any]:
    """Asks by API whether messages may go to both."""
    shop = people.shop
    body = {
        "sender": str(shop.sender_id),
        "purpose": str(shop.offers),
        "channel": "email",
        "campaign": "after",
        "recipients": [{"address": MARIA}, {"address": NORA}],
    }
    status, text = posted(
        f"{machine.address}/api/v1/permits",
        body,
        **{"Authorization": f"Bearer {people.key}", "Content-Type": "application/json"},
    )
    return status, json.loads(text)


def follow(machine: Machine, *headings: str) -> None:
    """Runs what stands below headings of the guide, and sees the outputs that stand there."""
    for heading in headings:
        assert GUIDE[heading], heading
        said = machine.run(*GUIDE[heading])
        missing_lines = [line for shown in OUTPUTS[heading] for line in unsaid(shown, said)]
        assert not missing_lines, said


def frozen(machine: Machine, people: People) -> None:
    """Sees what the guide says is seen of a restored database."""
    follow(machine, "SQLite / What you see")
    status, problem = ask(machine, people)
    assert (status, problem["type"]) == (503, "urn:consentledger:problem:log_frozen")
    assert posted(f"{machine.address}/u/{people.nora}")[0] == 202
    with urllib.request.urlopen(f"{machine.address}/readyz") as answer:
        assert answer.status == 200


def recovered(machine: Machine, people: People) -> None:
    """Sees everything acknowledged come back: what was exported, and what was said to the journal."""
    follow(machine, "SQLite / Recover")
    status, answer = ask(machine, people)
    assert status == 200
    verdicts = [(each["allowed"], each["basis"]) for each in answer["permits"]]
    assert verdicts == [(False, None), (False, None)], answer
    reasons = [[reason["code"] for reason in each["reasons"]] for each in answer["permits"]]
    assert reasons[0] == reasons[1] != ["no_basis"]


def test_on_sqlite_with_the_keys_apart(tmp_path: Path) -> None:
    database = tmp_path / "data" / "consentledger.db"
    database.parent.mkdir()
    environment = environment_for(
        f"sqlite:///{database}",
        tmp_path,
        KEYSTORE_URL=f"sqlite:///{tmp_path / 'data' / 'keys.db'}",
        **QUICK,
    )
    people = settled(environment)
    places = {"BACKUPS": str(tmp_path / "backups"), "DATABASE": str(database)}
    machine = prepared(tmp_path, {**environment, **places})
    try:
        machine.run("systemctl start consentledger")
        follow(machine, "SQLite / Take a backup", KEYS)
        assert len(list((tmp_path / "backups" / "keys").iterdir())) == 1
        acknowledged(environment, f"/u/{people.maria}")
        follow(machine, EXPORT, "SQLite / Restore")
        frozen(machine, people)
        recovered(machine, people)
    finally:
        machine.close()


def test_on_postgresql_to_a_moment(tmp_path: Path, server: Cluster) -> None:
    environment = environment_for(server.url, tmp_path, **QUICK)
    places = {"BACKUPS": str(server.home / "backups")}
    machine = prepared(tmp_path, {**environment, **server.environment, **places})
    try:
        said = machine.run(
            "systemctl start postgresql",
            "sudo -u postgres createdb consentledger",
            "sudo -u postgres mkdir -p $BACKUPS",
            *GUIDE["PostgreSQL / Archive the write-ahead log"],
            *GUIDE["PostgreSQL / Take a base backup"],
        )
        assert said.splitlines()[0] == "on"
        assert "backup successfully verified" in said
        people = settled(environment)
        good = machine.run("sudo -u postgres psql -At -c 'SELECT clock_timestamp()'").strip()
        acknowledged(environment, f"/u/{people.maria}")
        machine.run(*GUIDE[EXPORT], f"MOMENT='{good}'", *GUIDE["PostgreSQL / Restore to a moment"])
        frozen(machine, people)
        recovered(machine, people)
    finally:
        machine.close()


def prepared(folder: Path, environment: dict[str, str]) -> Machine:
    entries = {"ENTRIES": str(folder / "entries"), "ORGANISATION": ORGANISATION}
    return Machine(folder / "machine", {**environment, **entries}, NAMES)
