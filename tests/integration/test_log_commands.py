"""`log fsck` and `log rebuild-state`: what they say, their exit codes; a real process is stopped and goes on."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import NamedTuple

import pytest
from sqlalchemy import text

from consentledger.cli import main
from consentledger.db.fsck.state import FORMAT
from consentledger.db.installation import Installation
from tests.support.consents import People, people
from tests.support.logs import setting

ENTRIES = 12_000


class Told(NamedTuple):
    """What a command said, and its exit code."""

    returncode: int
    stdout: str
    stderr: str


class Shell:
    """Runs commands of ours in this process, as its environment says."""

    def __init__(
        self,
        environment: dict[str, str],
        capsys: pytest.CaptureFixture[str],
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        self.environment, self._capsys, self._monkeypatch = environment, capsys, monkeypatch
        self.set(environment)

    def set(self, environment: dict[str, str]) -> None:
        """Changes the environment."""
        for name, value in environment.items():
            self._monkeypatch.setenv(name, value)

    def run(self, *words: str) -> Told:
        """Runs `consentledger log …` to its end."""
        self._capsys.readouterr()
        with pytest.raises(SystemExit) as left:
            main(["log", *words])
        assert isinstance(left.value.code, int)
        return Told(left.value.code, *self._capsys.readouterr())


@pytest.fixture
def shell(
    environment: dict[str, str],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> Shell:
    """A shell with this test's environment."""
    return Shell(environment, capsys, monkeypatch)


@pytest.fixture
def shop(installation: Installation) -> People:
    """A shop with one subscriber, and a stranger's log beside it."""
    shop = people(installation)
    shop.subscribe()
    installation.signer.sign(shop.org)
    return shop


def test_a_sound_log_is_told_as_json_with_code_0(shell: Shell, shop: People) -> None:
    done = shell.run("fsck", "--openings", "--json")
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert (told["finished"], told["ok"], len(told["logs"])) == (True, True, 2)
    mine = max(told["logs"], key=lambda log: log["size"])
    assert mine["openings"] == mine["size"] == shop.size()
    assert mine["contacts"] == 1


def test_changed_state_is_named_with_code_65_and_mended(shell: Shell, shop: People) -> None:
    name = shop.made.form.organisation_name
    with shop.database.begin() as tx:
        tx.session.execute(text("UPDATE consent SET state = 'withdrawn'"))
        tx.session.execute(text("DELETE FROM consent_request"))
    assert shell.run("fsck").returncode == 0  # the log itself is sound
    found = shell.run("fsck", "--openings", "--organisation", name)
    assert found.returncode == 65
    assert "state: not what the log gives" in found.stdout
    assert "consent_request" in found.stdout
    planned = shell.run("rebuild-state", "--dry-run", "--organisation", name, "--json")
    assert planned.returncode == 65
    assert len(json.loads(planned.stdout)["logs"][0]["differed"]) == 2
    mended = shell.run("rebuild-state")
    assert mended.returncode == 0, mended.stderr
    assert "2 row(s) written" in mended.stdout
    assert shell.run("fsck", "--openings").returncode == 0
    assert shop.state() == "confirmed"


def test_an_unknown_organisation_is_code_66(shell: Shell, shop: People) -> None:
    for words in (
        ("fsck", "--organisation", "nobody"),
        ("rebuild-state", "--organisation", "nobody"),
    ):
        done = shell.run(*words)
        assert done.returncode == 66
        assert "nobody" in done.stderr


def test_a_database_that_is_gone_is_code_69(shell: Shell, shop: People) -> None:
    urls = {
        "sqlite": "sqlite:////no-such-folder/consentledger.db",
        "postgresql": "postgresql://nobody@127.0.0.1:1/none",
    }
    shell.set({"CONSENTLEDGER_DATABASE_URL": urls[shop.database.name]})
    done = shell.run("fsck")
    assert done.returncode == 69, done.stderr
    assert "can't be reached" in done.stderr


def test_a_stopped_run_goes_on_and_tells_the_same(
    shell: Shell, shop: People, tmp_path: Path
) -> None:
    with shop.database.begin() as tx:
        tx.log.append(tx, shop.org, [setting(n) for n in range(ENTRIES)])
        tx.session.connection().exec_driver_sql("DELETE FROM consent_request")
    straight = json.loads(shell.run("fsck", "--openings", "--json").stdout)
    assert straight["ok"] is False
    file = tmp_path / "state"
    words = ("fsck", "--openings", "--json", "--resume", str(file))
    started = subprocess.Popen(
        [sys.executable, "-m", "consentledger", "log", *words],
        env={**os.environ, **shell.environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    while not file.exists() and started.poll() is None:  # from here on it walks
        time.sleep(0.005)
    started.send_signal(signal.SIGINT)
    told, said = started.communicate(timeout=60)
    assert started.returncode == 75, said
    assert json.loads(told)["finished"] is False
    assert json.loads(file.read_text())["format"] == FORMAT
    assert file.stat().st_mode & 0o777 == 0o600
    other = shell.run("fsck", "--resume", str(file))
    assert other.returncode == 1
    assert "with --openings" in other.stderr
    again = shell.run(*words)
    assert again.returncode == 65, again.stderr
    assert json.loads(again.stdout) == straight
    assert not file.exists()
