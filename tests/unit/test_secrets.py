"""Secrets come whole or not at all: what is missing, what others may read, what is no key."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from consentledger.kernel import secret_files
from consentledger.kernel.errors import ConfigurationError
from consentledger.kernel.secrets import NAMES
from tests.support.installations import environment_for, settings_from

KEY, OTHER = "A" * 43, "B" * 42 + "A"


def environment(folder: Path, *without: str, **more: str) -> dict[str, str]:
    whole = environment_for("sqlite://", folder, **more)
    return {k: v for k, v in whole.items() if k.removeprefix("CONSENTLEDGER_") not in without}


def test_all_missing_secrets_are_named_at_once(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError) as error:
        settings_from(environment(tmp_path, "LINK_KEYS", "LOG_KEY"))
    assert "CONSENTLEDGER_LINK_KEYS, CONSENTLEDGER_LOG_KEY are missing" in str(error.value)
    assert "consentledger secrets make" in str(error.value)
    assert "MASTER_KEY" not in str(error.value)


def test_a_command_stands_in_for_the_log_key_only(tmp_path: Path) -> None:
    read = settings_from(environment(tmp_path, "LOG_KEY", LOG_KEY_COMMAND="hsm --slot '0 1'\n"))
    assert read.secrets.log_commands == (("hsm", "--slot", "0 1"),)
    assert read.secrets.log_keys == ()
    with pytest.raises(ConfigurationError, match="CONSENTLEDGER_APPEND_KEY is missing"):
        settings_from(environment(tmp_path, "LOG_KEY", "APPEND_KEY", LOG_KEY_COMMAND="hsm"))
    with pytest.raises(ConfigurationError, match="LOG_KEY_COMMAND can't be split"):
        settings_from(environment(tmp_path, LOG_KEY_COMMAND="hsm 'x"))


def test_lists_are_read_in_order_and_hold_nothing_twice(tmp_path: Path) -> None:
    read = settings_from(environment(tmp_path, APPEND_KEY=f"{KEY}, {OTHER}"))
    assert len(read.secrets.append_keys) == 2
    assert read.secrets.append_keys[0] == bytes(32)
    for wrong in (f"{KEY},{KEY}", f"{KEY},", KEY[:-1], KEY + "=", "é" * 43):
        with pytest.raises(ConfigurationError, match="CONSENTLEDGER_APPEND_KEY") as error:
            settings_from(environment(tmp_path, APPEND_KEY=wrong))
        assert KEY not in str(error.value)


def test_made_files_are_private_whole_and_never_overwritten(tmp_path: Path) -> None:
    folder = tmp_path / "deep" / "secrets"
    made = secret_files.make_files(folder, NAMES)
    assert sorted(made) == sorted(NAMES)
    assert folder.stat().st_mode & 0o777 == 0o700
    assert {file.stat().st_mode & 0o777 for file in made.values()} == {0o600}
    kept = made["LOG_KEY"].read_text()
    made["LINK_KEYS"].unlink()
    assert list(secret_files.make_files(folder, NAMES)) == ["LINK_KEYS"]
    assert made["LOG_KEY"].read_text() == kept
    assert len(list(folder.iterdir())) == len(NAMES)
    files = {f"{name}_FILE": str(file) for name, file in made.items()}
    read = settings_from(environment(tmp_path, *NAMES, **files))
    assert len({read.secrets.log_keys, read.secrets.append_keys, read.secrets.link_keys}) == 3


def test_an_open_folder_is_not_filled(tmp_path: Path) -> None:
    folder = tmp_path / "open"
    folder.mkdir(mode=0o755)
    with pytest.raises(ConfigurationError, match=r"chmod 700 .*open"):
        secret_files.make_files(folder, NAMES)
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o610, 0o444])
@pytest.mark.parametrize("name", ["MASTER_KEY", "MAIL_PASSWORD", "DATABASE_URL"])
def test_a_file_that_others_may_read_is_refused(tmp_path: Path, mode: int, name: str) -> None:
    file = tmp_path / "mounted"
    file.write_text(KEY)
    file.chmod(mode)
    (tmp_path / "link").symlink_to(file)
    with pytest.raises(ConfigurationError, match=rf"{name}_FILE: .*mode {mode:04o}.*chmod 600"):
        settings_from(environment(tmp_path, name, **{f"{name}_FILE": str(tmp_path / "link")}))


def test_a_private_file_behind_a_link_is_read(tmp_path: Path) -> None:
    file = tmp_path / "mounted"
    file.write_text(f"{KEY}\n")
    file.chmod(0o400)
    (tmp_path / "link").symlink_to(file)
    more = {"MASTER_KEY_FILE": str(tmp_path / "link")}
    assert settings_from(environment(tmp_path, "MASTER_KEY", **more)).secrets.master_keys == (
        bytes(32),
    )


def test_what_is_no_file_is_named(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "none"):
        with pytest.raises(ConfigurationError, match=f"LOG_KEY_FILE: {path}"):
            settings_from(environment(tmp_path, "LOG_KEY", LOG_KEY_FILE=str(path)))


def test_another_users_file_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "theirs"
    file.write_text(KEY)
    file.chmod(0o600)
    if os.geteuid() == 0:
        os.chown(file, 12345, 12345)
    else:  # only root can give a file away: then it is we who become somebody else
        monkeypatch.setattr(os, "geteuid", lambda: 12345)
    with pytest.raises(ConfigurationError, match="belongs to another user"):
        settings_from(environment(tmp_path, "LOG_KEY", LOG_KEY_FILE=str(file)))


def test_a_key_is_added_at_the_end_or_in_front(tmp_path: Path) -> None:
    (file,) = secret_files.make_files(tmp_path / "s", ["APPEND_KEY"]).values()
    first = file.read_text()
    secret_files.append_key(file)
    secret_files.append_key(file, in_front=True)
    keys = file.read_text().split(",")
    assert keys[1] == first
    assert len(set(keys)) == 3
    assert file.stat().st_mode & 0o777 == 0o600
    assert len(list(file.parent.iterdir())) == 1
