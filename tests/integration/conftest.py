"""What tests of commands share."""

from __future__ import annotations

import pytest

from tests.support.rotation import Command, commands


@pytest.fixture
def command(
    environment: dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Command:
    """Runs a command as a shell does: exit code, stdout, stderr."""
    return commands(environment, monkeypatch, capsys)
