"""Settings: environment variables CONSENTLEDGER_…, each secret also as …_FILE; documented in docs/settings.md."""

from __future__ import annotations

from base64 import urlsafe_b64decode
from binascii import Error as Base64Error
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from environs import EnvError, FileAwareEnv

from consentledger.kernel.errors import ConfigurationError

PREFIX = "CONSENTLEDGER_"
MAKE_ONE = 'python3 -c "import secrets; print(secrets.token_urlsafe(32))"'
SECRET_BYTES = 32
MAIL_TLS = ("starttls", "implicit", "none")


@dataclass(frozen=True, slots=True)
class Secrets:
    """Keys that never stand in the database; each is 32 bytes. Lists: oldest first, the newest one acts."""

    link_keys: tuple[bytes, ...] = field(repr=False)
    secret_keys: tuple[bytes, ...] = field(repr=False)
    append_key: bytes = field(repr=False)
    evidence_key: bytes = field(repr=False)
    log_key: bytes = field(repr=False)
    master_key: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class MailSettings:
    """The installation's SMTP peer; `tls` is starttls (default), implicit or none; times in seconds."""

    server: str
    port: int
    tls: str
    username: str | None
    password: str | None = field(repr=False)
    timeout: float


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything that one process is told from outside; immutable, made once at the start."""

    database_url: str
    base_url: str
    log_host: str
    guard: Path | None
    secrets: Secrets
    mail: MailSettings
    trusted_proxies: int
    max_body_bytes: int
    signup_limits: bool
    checkpoint_seconds: float
    lock_timeout_seconds: float

    @classmethod
    def load(cls) -> Settings:
        """Reads CONSENTLEDGER_… from the environment; a ConfigurationError names what is amiss and how to mend it."""
        env = FileAwareEnv(prefix=PREFIX, strip_whitespace=True)
        try:
            return cls(
                database_url=env.str("DATABASE_URL", "sqlite:///instance/consentledger.db"),
                base_url=_base_url(env.str("BASE_URL", "http://127.0.0.1:8000")),
                log_host=env.str("LOG_HOST", "")
                or _host(env.str("BASE_URL", "http://127.0.0.1:8000")),
                guard=Path(env.str("GUARD")) if env.str("GUARD", "") else None,
                secrets=_secrets(env),
                mail=_mail(env),
                trusted_proxies=env.int("TRUSTED_PROXIES", 0),
                max_body_bytes=env.int("MAX_BODY_BYTES", 8 * 1024 * 1024),
                signup_limits=env.bool("SIGNUP_LIMITS", True),
                checkpoint_seconds=env.float("CHECKPOINT_SECONDS", 2.0),
                lock_timeout_seconds=env.float("LOCK_TIMEOUT_SECONDS", 10.0),
            )
        except (EnvError, ValueError) as error:
            raise ConfigurationError(str(error)) from error


def _base_url(text: str) -> str:
    parts = urlsplit(text)
    if parts.scheme not in ("http", "https") or not parts.netloc or parts.query or parts.fragment:
        raise ConfigurationError(
            f"{PREFIX}BASE_URL must be an http(s) address such as https://consent.example, not {text!r}"
        )
    return text.rstrip("/")


def _host(base_url: str) -> str:
    # The origin of a log survives a change of host; LOG_HOST pins it, BASE_URL's host is only its first value.
    return urlsplit(base_url).netloc


def _mail(env: FileAwareEnv) -> MailSettings:
    tls = env.str("MAIL_TLS", "starttls")
    if tls not in MAIL_TLS:
        raise ConfigurationError(
            f"{PREFIX}MAIL_TLS must be one of {', '.join(MAIL_TLS)}, not {tls!r}"
        )
    return MailSettings(
        server=env.str("MAIL_SERVER", "127.0.0.1"),
        port=env.int("MAIL_PORT", 587),
        tls=tls,
        username=env.str("MAIL_USERNAME", "") or None,
        password=env.str("MAIL_PASSWORD", "") or None,
        timeout=env.float("MAIL_TIMEOUT", 30.0),
    )


def _secrets(env: FileAwareEnv) -> Secrets:
    return Secrets(
        link_keys=_key_list(env, "LINK_KEYS"),
        secret_keys=_key_list(env, "SECRET_KEYS"),
        append_key=_key_list(env, "APPEND_KEY")[-1],
        evidence_key=_key_list(env, "EVIDENCE_KEY")[-1],
        log_key=_key_list(env, "LOG_KEY")[-1],
        master_key=_key_list(env, "MASTER_KEY")[-1],
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
