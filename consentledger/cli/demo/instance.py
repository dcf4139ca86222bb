"""The demo's own installation in ./instance: secrets, database, guard, all private to this user."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from consentledger.kernel.secret_files import PREFIX, file_of, make_files
from consentledger.kernel.secrets import NAMES


@dataclass(frozen=True, slots=True)
class Instance:
    """A folder with everything that belongs to one demo installation."""

    folder: Path

    @classmethod
    def open(cls, folder: Path) -> Instance:
        """Make the folder (mode 0700) and its secrets (0600) unless they are there already."""
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        instance = cls(folder.resolve())
        make_files(instance.folder / "secrets", NAMES)
        return instance

    def environment(self, base_url: str, smtp_port: int) -> dict[str, str]:
        """Return the environment of the demo's processes: ours, less foreign settings, plus its own."""
        foreign = [name for name in os.environ if name.startswith(PREFIX)]
        kept = {name: value for name, value in os.environ.items() if name not in foreign}
        values = {
            "DATABASE_URL": f"sqlite:///{self.folder / 'consentledger.db'}",
            "GUARD": str(self.folder / "guard"),
            "BASE_URL": base_url,
            # The log's name must survive another port at the next start.
            "LOG_HOST": "demo.consentledger.example",
            "MAIL_SERVER": "127.0.0.1",
            "MAIL_PORT": str(smtp_port),
            "MAIL_TLS": "none",
            "CHECKPOINT_SECONDS": "0.5",
            # Its people live at domains that only exist here.
            "MX_CHECK": "false",
            **{f"{name}_FILE": str(file_of(self.folder / "secrets", name)) for name in NAMES},
        }
        return {**kept, **{PREFIX + name: value for name, value in values.items()}}
