"""Signing commands for tests: the one of docs/examples, and scripts that misbehave."""

from __future__ import annotations

import secrets
import shlex
import sys
from pathlib import Path

EXAMPLE = Path(__file__).resolve().parents[2] / "docs" / "examples" / "signing_command.py"


def example_command(folder: Path, name: str = "hsm") -> str:
    """Makes a key file and returns the command line that signs with it."""
    key = folder / name
    key.write_text(secrets.token_urlsafe(32))
    key.chmod(0o600)
    return shlex.join([sys.executable, str(EXAMPLE), str(key)])


def script(folder: Path, *lines: str) -> Path:
    """Writes an executable shell script; `$1` is `public` or `sign`."""
    file = folder / f"command-{secrets.token_hex(4)}"
    file.write_text("\n".join(["#!/bin/sh", *lines, ""]))
    file.chmod(0o700)
    return file
