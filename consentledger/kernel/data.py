"""Finds the folders of data that travel with the package: templates and migrations.

A wheel carries them inside the package. A checkout and an editable install keep them beside it,
at the top of the repository; copies that an editable install leaves in site-packages go stale and
are never looked at, because the search starts from where this very module was imported.
"""

from __future__ import annotations

from pathlib import Path

from consentledger.kernel.errors import ConfigurationError

_PACKAGE = Path(__file__).resolve().parent.parent


def data_dir(name: str, *, package: Path = _PACKAGE) -> Path:
    """Return the folder ``name`` inside the package, or else the one beside it.

    Raises ConfigurationError when neither is there: the installation is incomplete.
    """
    for folder in (package / name, package.parent / name):
        if folder.is_dir():
            return folder
    raise ConfigurationError(
        f"This installation of consentledger has no '{name}' folder, neither inside the package "
        "nor beside it. Install the wheel again, or run from a complete checkout."
    )
