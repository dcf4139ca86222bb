"""A command that signs in place of LOG_KEY: what it answers is used only after it was checked."""

from __future__ import annotations

import base64
import os
import shlex
from pathlib import Path

import pytest

from consentledger.db.signing.command import SigningCommand
from consentledger.db.signing.signers import CommandKey, LogSigners
from consentledger.kernel.errors import UnavailableError
from consentledger.ledger.checkpoint import Checkpoint, open_checkpoint, sign_checkpoint
from consentledger.ledger.note import Signer
from tests.support.signing import example_command, script

ORIGIN = "consent.test/log/a"
CHECKPOINT = Checkpoint(ORIGIN, 3, b"\1" * 32)
SEED = bytes(range(32))
PUBLIC = base64.b64encode(Signer.from_seed("x", SEED).verifier.public_key).decode()


def signature(text: str) -> str:
    line = Signer.from_seed(ORIGIN, SEED).sign(text)
    return base64.b64encode(base64.b64decode(line.split(" ")[2])[4:]).decode()


SIGNED, WRONG = signature(CHECKPOINT.text()), signature("another text")


def test_a_command_and_an_older_key_sign_one_checkpoint(tmp_path: Path) -> None:
    signers = LogSigners([SEED], [shlex.split(example_command(tmp_path))])
    note = sign_checkpoint(CHECKPOINT, signers.signers(ORIGIN))
    newest, older = signers.verifiers(ORIGIN)
    assert older == Signer.from_seed(ORIGIN, SEED).verifier
    for verifier in (newest, older):
        assert open_checkpoint(note, [verifier]) == CHECKPOINT
    assert signers.vkey(ORIGIN) == newest.vkey


def test_a_command_is_asked_for_its_key_once(tmp_path: Path) -> None:
    asked = tmp_path / "asked"
    file = script(tmp_path, f"echo $1 >> {asked}", f"echo {PUBLIC}")
    signers = LogSigners([], [[str(file)]])
    assert signers.vkey(ORIGIN) == Signer.from_seed(ORIGIN, SEED).vkey
    signers.vkey("consent.test/log/b")
    assert asked.read_text() == "public\n"


def test_a_command_gets_the_text_on_stdin_and_none_of_our_secrets(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CONSENTLEDGER_MASTER_KEY", "secret")
    monkeypatch.setenv("PGPASSWORD", "secret")
    got, known = tmp_path / "got", tmp_path / "env"
    file = script(
        tmp_path,
        f'if [ "$2" = sign ]; then cat > {got}; env > {known}; echo {SIGNED}; else echo {PUBLIC}; fi',
    )
    CommandKey([str(file), "two words; exit 1"]).sign(CHECKPOINT.text())
    assert got.read_text() == CHECKPOINT.text()
    names = {line.partition("=")[0] for line in known.read_text().splitlines()}
    assert "PATH" in names
    assert not {name for name in names if name.startswith(("CONSENTLEDGER_", "PG"))}


@pytest.mark.parametrize(
    ("lines", "sentence"),
    [
        ([f"echo {PUBLIC}"], "does not verify"),
        ([f'[ "$1" = public ] && echo {PUBLIC} || echo {WRONG}'], "does not verify"),
        ([f'[ "$1" = public ] && echo {PUBLIC} || echo "not base64"'], "prints no base64"),
        ([f'[ "$1" = public ] && echo {PUBLIC}'], "failed with exit code 1"),
        (["echo 'token not present' >&2; exit 7"], "exit code 7: token not present"),
        (["kill -9 $$"], "exit code -9"),
        (["head -c 100000 /dev/zero"], "more than 4096 bytes"),
        (["head -c 100000 /dev/zero >&2"], "more than 4096 bytes"),
        (["echo AAAA"], "prints no Ed25519 key"),
        ([f"echo {base64.b64encode(bytes(32)).decode()}"], "prints no Ed25519 key"),
    ],
    ids=[
        "key for signature", "wrong", "garbage", "silent", "fails", "dies", "floods", "complains",
        "short key", "unsound key",
    ],
)  # fmt: skip
def test_what_a_command_says_wrongly_is_never_used(
    tmp_path: Path, lines: list[str], sentence: str
) -> None:
    key = CommandKey([str(script(tmp_path, *lines))])
    with pytest.raises(UnavailableError, match=sentence):
        key.sign(CHECKPOINT.text())


def test_a_command_that_hangs_is_ended(tmp_path: Path) -> None:
    pid = tmp_path / "pid"
    for line in ("sleep 600", "exec >&- 2>&-; sleep 600"):
        file = script(tmp_path, f"echo $$ > {pid}", line)
        with pytest.raises(UnavailableError, match=r"within 0\.5 s|does not end"):
            SigningCommand([str(file)], seconds=0.5).run("sign", b"x")
        if pid.exists():  # else a busy machine ended it before it came so far
            with pytest.raises(ProcessLookupError):
                os.kill(int(pid.read_text()), 0)
            pid.unlink()


def test_a_command_that_is_not_there_is_named_without_its_arguments(tmp_path: Path) -> None:
    with pytest.raises(UnavailableError, match="does not start: No such file") as error:
        CommandKey([str(tmp_path / "none"), "--pin", "1234"]).public()
    assert "1234" not in str(error.value)


def test_an_outage_ends(tmp_path: Path) -> None:
    up = tmp_path / "up"
    key = CommandKey([str(script(tmp_path, f"[ -e {up} ] && echo {PUBLIC}"))], pause=0)
    with pytest.raises(UnavailableError):
        key.public()
    up.touch()
    assert key.public() == base64.b64decode(PUBLIC)


def test_a_module_that_fails_is_left_alone_for_a_while(tmp_path: Path) -> None:
    asked = tmp_path / "asked"
    key = CommandKey([str(script(tmp_path, f"echo $1 >> {asked}", "exit 3"))], pause=600)
    for _ in range(3):
        with pytest.raises(UnavailableError, match="exit code 3"):
            key.public()
    assert asked.read_text() == "public\n"
