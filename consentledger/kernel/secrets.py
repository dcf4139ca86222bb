"""Keys that never stand in the database, read from the environment or from files: names, shapes, lists."""

from __future__ import annotations

from base64 import urlsafe_b64decode
from binascii import Error as Base64Error
from dataclasses import dataclass, field

from environs import FileAwareEnv

from consentledger.kernel.errors import ConfigurationError

PREFIX = "CONSENTLEDGER_"
MAKE_ONE = 'python3 -c "import secrets; print(secrets.token_urlsafe(32))"'
SECRET_BYTES = 32


@dataclass(frozen=True, slots=True)
class Secrets:
    """Keys of 32 bytes, each a list: oldest first, the newest one makes, all of them read."""

    link_keys: tuple[bytes, ...] = field(repr=False)
    secret_keys: tuple[bytes, ...] = field(repr=False)
    append_keys: tuple[bytes, ...] = field(repr=False)
    evidence_keys: tuple[bytes, ...] = field(repr=False)
    log_keys: tuple[bytes, ...] = field(repr=False)
    master_keys: tuple[bytes, ...] = field(repr=False)

    @property
    def evidence_key(self) -> bytes:
        """The key that signs bundles from now on."""
        return self.evidence_keys[-1]

    @property
    def log_key(self) -> bytes:
        """The key that signs checkpoints from now on."""
        return self.log_keys[-1]


def read_secrets(env: FileAwareEnv) -> Secrets:
    """Reads every key; ConfigurationError names the missing or malformed one and says how to make it."""
    return Secrets(
        link_keys=_key_list(env, "LINK_KEYS"),
        secret_keys=_key_list(env, "SECRET_KEYS"),
        append_keys=_key_list(env, "APPEND_KEY"),
        evidence_keys=_key_list(env, "EVIDENCE_KEY"),
        log_keys=_key_list(env, "LOG_KEY"),
        master_keys=_key_list(env, "MASTER_KEY"),
    )


def _key_list(env: FileAwareEnv, name: str) -> tuple[bytes, ...]:
    text = env.str(name, "")
    if not text:
        raise ConfigurationError(
            f"{PREFIX}{name} (or {PREFIX}{name}_FILE) is missing. Make one with: {MAKE_ONE}"
        )
    return tuple(decode_key(part.strip(), name) for part in text.split(","))


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
