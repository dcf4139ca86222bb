"""Keys that never stand in the database, read from the environment or from files: names, shapes, lists."""

from __future__ import annotations

import shlex
from base64 import urlsafe_b64decode
from binascii import Error as Base64Error
from dataclasses import dataclass, field

from environs import FileAwareEnv

from consentledger.kernel.errors import ConfigurationError
from consentledger.kernel.secret_files import PREFIX as PREFIX
from consentledger.kernel.secret_files import check_files, fingerprint

NAMES = ("LINK_KEYS", "SECRET_KEYS", "APPEND_KEY", "EVIDENCE_KEY", "LOG_KEY", "MASTER_KEY")
KEPT_PRIVATE = (*NAMES, "LOG_KEY_COMMAND", "MAIL_PASSWORD", "DATABASE_URL", "KEYSTORE_URL", "GUARD")
"""What may hold a secret: a file of it that others may read is refused."""
MAKE_ONE = 'python3 -c "import secrets; print(secrets.token_urlsafe(32))"'
SECRET_BYTES = 32


@dataclass(frozen=True, slots=True)
class Secrets:
    """Keys of 32 bytes, each a list: oldest first, the newest one makes, all of them read.

    `log_commands` are commands that sign, each as words; they are newer than every one of `log_keys`.
    """

    link_keys: tuple[bytes, ...] = field(repr=False)
    secret_keys: tuple[bytes, ...] = field(repr=False)
    append_keys: tuple[bytes, ...] = field(repr=False)
    evidence_keys: tuple[bytes, ...] = field(repr=False)
    log_keys: tuple[bytes, ...] = field(repr=False)
    master_keys: tuple[bytes, ...] = field(repr=False)
    log_commands: tuple[tuple[str, ...], ...] = field(default=(), repr=False)


def read_secrets(env: FileAwareEnv) -> Secrets:
    """Reads every key; ConfigurationError names all missing ones, or a malformed one, and says how to make them."""
    check_files(KEPT_PRIVATE)
    commands = _commands(env.str("LOG_KEY_COMMAND", ""))
    read = {
        "LINK_KEYS": _key_list(env, "LINK_KEYS"),
        "SECRET_KEYS": _key_list(env, "SECRET_KEYS"),
        "APPEND_KEY": _key_list(env, "APPEND_KEY"),
        "EVIDENCE_KEY": _key_list(env, "EVIDENCE_KEY"),
        "LOG_KEY": _key_list(env, "LOG_KEY"),
        "MASTER_KEY": _key_list(env, "MASTER_KEY"),
    }
    missing = [n for n, keys in read.items() if not keys and not (n == "LOG_KEY" and commands)]
    if missing:
        raise ConfigurationError(_missing(missing))
    return Secrets(
        link_keys=read["LINK_KEYS"],
        secret_keys=read["SECRET_KEYS"],
        append_keys=read["APPEND_KEY"],
        evidence_keys=read["EVIDENCE_KEY"],
        log_keys=read["LOG_KEY"],
        master_keys=read["MASTER_KEY"],
        log_commands=commands,
    )


@dataclass(frozen=True, slots=True)
class SecretState:
    """What can be said about one secret without showing it."""

    ok: bool
    text: str


def inspect_secrets() -> list[SecretState]:
    """Looks at every secret on its own, whatever is wrong with the others."""
    env = FileAwareEnv(prefix=PREFIX, strip_whitespace=True)
    found = []
    commands: tuple[tuple[str, ...], ...] = ()
    try:
        check_files(["LOG_KEY_COMMAND"])
        commands = _commands(env.str("LOG_KEY_COMMAND", ""))
        if commands:
            found.append(SecretState(True, f"LOG_KEY_COMMAND: {len(commands)} command(s) sign"))
    except ConfigurationError as error:
        found.append(SecretState(False, str(error)))
    return found + [_state(env, name, name == "LOG_KEY" and bool(commands)) for name in NAMES]


def _state(env: FileAwareEnv, name: str, optional: bool) -> SecretState:
    try:
        check_files([name])
        keys = _key_list(env, name)
    except ConfigurationError as error:
        return SecretState(False, str(error))
    if not keys:
        return SecretState(optional, f"{name}: none" if optional else _missing([name]))
    return SecretState(True, f"{name}: {len(keys)} key(s), the newest is {fingerprint(keys[-1])}")


def _missing(names: list[str]) -> str:
    listed = ", ".join(f"{PREFIX}{name}" for name in names)
    are = "is" if len(names) == 1 else "are"
    return (
        f"{listed} {are} missing. Make what is missing with `consentledger secrets make FOLDER`, which prints the "
        f"variables ({PREFIX}{names[0]}_FILE and so on) to set; or set a value made with: {MAKE_ONE}"
    )


def _key_list(env: FileAwareEnv, name: str) -> tuple[bytes, ...]:
    text = env.str(name, "")
    keys = tuple(decode_key(part.strip(), name) for part in text.split(",")) if text else ()
    if len(set(keys)) != len(keys):
        raise ConfigurationError(f"{PREFIX}{name} lists the same key twice")
    return keys


def _commands(text: str) -> tuple[tuple[str, ...], ...]:
    try:
        commands = [tuple(shlex.split(line)) for line in text.splitlines()]
    except ValueError as error:
        raise ConfigurationError(
            f"{PREFIX}LOG_KEY_COMMAND can't be split into words: {error}"
        ) from error
    return tuple(words for words in commands if words)


def decode_key(text: str, name: str) -> bytes:
    """Returns the 32 bytes of one key written in base64url (43 characters); `name` is for the error's sentence."""
    try:
        key = urlsafe_b64decode(text + "=")
    except (Base64Error, ValueError):
        key = b""
    if len(key) != SECRET_BYTES or len(text) != 43:
        raise ConfigurationError(
            f"{PREFIX}{name} must be 32 bytes in base64url, 43 characters. Make one with: {MAKE_ONE}"
        )
    return key
