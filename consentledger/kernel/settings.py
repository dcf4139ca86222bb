"""Settings: environment variables CONSENTLEDGER_…, each secret also as …_FILE; documented in docs/settings.md."""

from __future__ import annotations

from dataclasses import dataclass, field
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import urlsplit

from environs import EnvError, FileAwareEnv

from consentledger.kernel.errors import ConfigurationError
from consentledger.kernel.secrets import PREFIX, Secrets, decode_key, read_secrets

MAIL_TLS = ("starttls", "implicit", "none")


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
    """Everything that one process is told from outside; immutable, made once at the start.

    `keystore_url` None: keys stand in the main database. `guard` is a folder, or the address of a
    database of its own for several hosts; None and `journal` None: under the user's state folder.
    `escrow_key` is the public X25519 key that restricted evidence is sealed to, 32 bytes.
    `dns_servers` are addresses with ports; none: the system's.
    """

    database_url: str
    keystore_url: str | None
    base_url: str
    log_host: str
    guard: str | None
    journal: Path | None
    secrets: Secrets
    mail: MailSettings
    trusted_proxies: int
    max_body_bytes: int
    max_bulk_bytes: int
    signup_limits: bool
    webhook_allow_loopback: bool
    checkpoint_seconds: float
    lock_timeout_seconds: float
    escrow_key: bytes | None = None
    mx_check: bool = True
    dns_servers: tuple[tuple[str, int], ...] = ()

    @classmethod
    def load(cls) -> Settings:
        """Reads CONSENTLEDGER_… from the environment; a ConfigurationError names what is amiss and how to mend it."""
        env = FileAwareEnv(prefix=PREFIX, strip_whitespace=True)
        try:
            return cls(
                database_url=env.str("DATABASE_URL", "sqlite:///instance/consentledger.db"),
                keystore_url=env.str("KEYSTORE_URL", "") or None,
                base_url=_base_url(env.str("BASE_URL", "http://127.0.0.1:8000")),
                log_host=env.str("LOG_HOST", "")
                or _host(env.str("BASE_URL", "http://127.0.0.1:8000")),
                guard=env.str("GUARD", "") or None,
                journal=Path(env.str("JOURNAL")) if env.str("JOURNAL", "") else None,
                secrets=read_secrets(env),
                mail=_mail(env),
                trusted_proxies=env.int("TRUSTED_PROXIES", 0),
                max_body_bytes=env.int("MAX_BODY_BYTES", 8 * 1024 * 1024),
                max_bulk_bytes=env.int("MAX_BULK_BYTES", 1024 * 1024 * 1024),
                signup_limits=env.bool("SIGNUP_LIMITS", True),
                webhook_allow_loopback=env.bool("WEBHOOK_ALLOW_LOOPBACK", False),
                checkpoint_seconds=env.float("CHECKPOINT_SECONDS", 2.0),
                lock_timeout_seconds=env.float("LOCK_TIMEOUT_SECONDS", 10.0),
                escrow_key=_escrow_key(env.str("ESCROW_KEY", "")),
                mx_check=env.bool("MX_CHECK", True),
                dns_servers=_dns_servers(env.str("DNS_SERVERS", "")),
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


def _escrow_key(text: str) -> bytes | None:
    try:
        return decode_key(text, "ESCROW_KEY") if text else None
    except ConfigurationError as error:
        raise ConfigurationError(
            f"{PREFIX}ESCROW_KEY must be the public key that `consentledger restriction keygen FILE` printed"
        ) from error


def _dns_servers(text: str) -> tuple[tuple[str, int], ...]:
    found = []
    for part in filter(None, (each.strip() for each in text.split(","))):
        # A lone IPv6 address has colons of its own; with a port it stands in brackets.
        alone = part.count(":") > 1 and "[" not in part
        try:
            split = urlsplit(f"//[{part}]" if alone else f"//{part}")
            if split.path or split.query or split.username is not None:
                raise ValueError("more than an address and a port")
            found.append((str(ip_address(split.hostname or "")), split.port or 53))
        except ValueError as error:
            raise ConfigurationError(
                f"{PREFIX}DNS_SERVERS must be addresses such as 9.9.9.9, 127.0.0.1:5353 or [::1]:53, not {part!r}"
            ) from error
    return tuple(found)


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
