"""The command line's frame: exit codes, sentences, and commands that load alone."""

from __future__ import annotations

import socket
import subprocess
import sys

import click
import pytest

from consentledger.cli import COMMANDS, cli, errors, main
from consentledger.cli.sockets import address_of, listen
from consentledger.kernel.errors import (
    ConfigurationError,
    ConsentLedgerError,
    InputError,
    IntegrityError,
    NotFoundError,
    UnavailableError,
    VerificationError,
)


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_each_command_loads_and_helps(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        main([name, "--help"])
    assert left.value.code == 0
    assert f"consentledger {name}" in capsys.readouterr().out


def test_the_help_names_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--help"])
    out = capsys.readouterr().out
    assert all(name in out for name in COMMANDS)


def test_every_command_and_option_says_what_it_does() -> None:
    context = click.Context(cli)
    groups = [cli]
    while groups:
        group = groups.pop()
        for name in group.list_commands(context):
            command = group.get_command(context, name)
            assert command is not None
            assert command.help, name
            if isinstance(command, click.Group):
                groups.append(command)
            for option in command.params:
                if isinstance(option, click.Option):
                    assert option.help, f"{name} {option.name}"


def test_an_unknown_command_is_a_usage_error(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        main(["certify"])
    assert left.value.code == 2
    assert "certify" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("error", "code", "words"),
    [
        (ConfigurationError("set X"), 78, "set X"),
        (UnavailableError("locked.", retry_after=7), 75, "try again in 7 s"),
        (IntegrityError("forked."), 65, "log fsck"),
        (InputError("too long", field="email", reason="too_long"), 1, "email: too_long"),
        (NotFoundError("no such thing"), 1, "no such thing"),
        (VerificationError("differs", rule="leaf", file="entries/1"), 1, "entries/1"),
    ],
)
def test_each_error_has_a_code_and_a_sentence(
    error: ConsentLedgerError, code: int, words: str
) -> None:
    assert errors.exit_code(error) == code
    assert words in errors.sentence(error)


def test_missing_settings_end_with_78_and_say_how_to_make_them(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("CONSENTLEDGER_LINK_KEYS", raising=False)
    with pytest.raises(SystemExit) as left:
        main(["db", "upgrade"])
    assert left.value.code == 78
    said = capsys.readouterr().err
    assert said.startswith("consentledger: CONSENTLEDGER_LINK_KEYS")
    assert "secrets.token_urlsafe" in said


def test_the_auditors_command_needs_no_web_and_no_database() -> None:
    program = (
        "import sys; from consentledger.cli import cli; import click;"
        "cli.get_command(click.Context(cli), 'verify');"
        "print([m for m in ('flask', 'sqlalchemy', 'gunicorn') if m in sys.modules])"
    )
    said = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert said.stdout.strip() == "[]"


def test_a_bind_takes_a_free_port() -> None:
    with listen("127.0.0.1:0") as listener:
        assert address_of(listener) == f"http://127.0.0.1:{listener.getsockname()[1]}"


@pytest.mark.parametrize("bind", ["8000", "127.0.0.1", "127.0.0.1:x", "127.0.0.1:70000", "host:٨٠"])
def test_a_bind_that_is_no_address_is_refused(bind: str) -> None:
    with pytest.raises(ConfigurationError, match="ADDRESS:PORT"):
        listen(bind)


def test_a_port_that_is_taken_says_so() -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as taken,
        pytest.raises(ConfigurationError, match="Cannot listen"),
    ):
        listen(f"127.0.0.1:{taken.getsockname()[1]}")
