"""`log export` and `log recover` as commands: exit codes, sentences, files that are whole and private."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest

from consentledger.db.installation import Installation
from tests.support.restores import backup
from tests.support.rotation import Command
from tests.web import acts
from tests.web.town import Shop, open_shop


@pytest.fixture
def shop(installation: Installation) -> Shop:
    return open_shop(installation, "Alpenkraut")


def test_a_restore_is_recovered_from_an_export_by_commands(
    installation: Installation, shop: Shop, command: Command, tmp_path: Path
) -> None:
    assert command("log", "recover")[:1] == (0,)
    kept = tmp_path / "kept.jsonl"
    with backup(installation.database) as taken:
        acts.allowed(installation, shop)
        installation.signer.sign_due()
        code, out, _ = command("log", "export", "--organisation", "Alpenkraut", kept)
        assert code == 0
        assert "sealed; keep it apart from the keys" in out
        assert stat.S_IMODE(kept.stat().st_mode) == 0o600
        taken.restore()
    code, out, _ = command("log", "recover")
    assert code == 65
    assert "it was restored or truncated, and 1 are missing." in out
    assert "Give what you have with --entries" in out
    code, _, err = command("log", "export", "--organisation", "Alpenkraut", kept)
    assert code == 65, "a restored database must not overwrite what it is brought back by"
    assert "Run `consentledger log recover`" in err
    header = json.loads(kept.read_text().splitlines()[0])
    assert header["size"] == header["first"] + len(kept.read_text().splitlines()) - 2
    code, out, _ = command("log", "recover", "--entries", kept, "--dry-run")
    assert code == 65
    assert "Nothing was changed." in out
    code, out, _ = command("log", "recover", "--entries", kept)
    assert code == 0, out
    assert "1 entries were put back; the tree is what was signed." in out
    assert "It is thawed" in out
    code, out, _ = command("log", "recover")
    assert code == 0
    assert "Nothing has to be done." in out


def test_a_new_origin_is_asked_for_by_name(
    installation: Installation, shop: Shop, command: Command, tmp_path: Path
) -> None:
    installation.signer.sign_due()
    code, _, err = command("log", "recover", "--new-origin")
    assert code == 2
    assert "--new-origin needs --organisation" in err
    code, out, _ = command("log", "recover", "--organisation", "Alpenkraut", "--new-origin")
    assert code == 0
    assert f"{shop.origin} is frozen for ever. The log goes on as " in out
    other = tmp_path / "other.jsonl"
    other.write_text('{"format":"consentledger/entries/v1","organisation":"x","origin":"o",'
                     '"began_as":"o","first":0,"size":1,"root":""}\n')  # fmt: skip
    code, _, err = command("log", "recover", "--entries", other)
    assert code == 1
    assert "holds entries of a log that is not here (o)" in err


def test_a_log_that_the_database_lacks_is_named(
    installation: Installation, command: Command
) -> None:
    with backup(installation.database) as taken:
        open_shop(installation, "Alpenkraut")
        installation.signer.sign_due()
        taken.restore()
    code, out, _ = command("log", "recover")
    assert code == 65
    assert "the database has no such log" in out
