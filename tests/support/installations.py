"""Settings of throw-away installations, as environment variables and as the object made from them."""

from __future__ import annotations

import os
import secrets
from collections.abc import Mapping
from pathlib import Path
from unittest import mock

from consentledger.kernel.settings import Settings

SECRETS = ("LINK_KEYS", "SECRET_KEYS", "APPEND_KEY", "EVIDENCE_KEY", "LOG_KEY", "MASTER_KEY")


def environment_for(url: str, folder: Path, **more: str) -> dict[str, str]:
    """Return CONSENTLEDGER_… variables with fresh secrets; `more` overrides by name without prefix."""
    values = {
        "DATABASE_URL": url,
        "BASE_URL": "https://consent.test",
        "GUARD": str(folder / "guard"),
        "MAIL_TLS": "none",
        # Addresses of tests are at domains that nobody has.
        "MX_CHECK": "false",
        **{name: secrets.token_urlsafe(32) for name in SECRETS},
        **more,
    }
    return {f"CONSENTLEDGER_{name}": value for name, value in values.items()}


def settings_from(environment: Mapping[str, str]) -> Settings:
    """Return the settings that a process with this environment would have."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith("CONSENTLEDGER_")}
    with mock.patch.dict(os.environ, {**kept, **environment}, clear=True):
        return Settings.load()
