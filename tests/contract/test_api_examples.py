"""The examples of docs/api.md, run by bash and curl against a live service, just as they stand there."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from consentledger.organisations import rules
from tests.conftest import missing
from tests.e2e.live import service
from tests.factories import create_key_of, create_organisation

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "api.md"


@pytest.fixture
def tools(tmp_path: Path) -> Path:
    """A folder with `consentledger` in it, for PATH; and curl is there."""
    if shutil.which("curl") is None:
        missing("curl", "run tools/system-packages")
    script = tmp_path / "bin" / "consentledger"
    script.parent.mkdir()
    script.write_text(f'#!/bin/sh\nexec "{sys.executable}" -P -m consentledger "$@"\n')
    script.chmod(0o755)
    return script.parent


@pytest.fixture
def live(environment: dict[str, str]) -> Iterator[tuple[str, str]]:
    """A running service and a key that may do everything."""
    with service(environment) as (installation, address):
        owner = create_organisation(installation.database, installation.settings)
        key = create_key_of(installation.database, owner.organisation_id)
        yield address, key.token


def test_every_example_runs(live: tuple[str, str], tools: Path, tmp_path: Path) -> None:
    blocks = re.findall(r"^```sh\n(.*?)^```", PAGE.read_text(), re.S | re.M)
    assert len(blocks) >= 8
    script = "set -euo pipefail\n" + "\necho\necho '== next'\n".join(blocks)
    address, key = live
    kept = {k: v for k, v in os.environ.items() if not k.startswith("CONSENTLEDGER_")}
    done = subprocess.run(
        ["bash", "-c", script],
        cwd=tmp_path,
        env={**kept, "PATH": f"{tools}:{kept['PATH']}", "SERVICE": address, "KEY": key},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    said = done.stdout.split("== next")
    assert len(said) == len(blocks)
    assert '"state":"requested"' in done.stdout
    assert '"allowed":false' in done.stdout
    assert "<title>" in done.stdout
    assert "policy" in said[-1] or "checkpoint" in said[-1], said[-1]


def test_every_reason_of_publishing_is_documented() -> None:
    documented = set(re.findall(r"`([a-z_]+)`", PAGE.read_text().partition("## Reasons")[2]))
    folder = Path(rules.__file__).parent
    used = set()
    for file in [*folder.glob("*.py"), *(ROOT / "consentledger/web/api").glob("*.py")]:
        text = file.read_text()
        used |= set(re.findall(r'reason="([a-z_]+)"', text))
        used |= set(re.findall(r'(?:wrong|Gap)\(\s*[\w"\'.]+,\s*"([a-z_]+)"', text))
    assert len(used) > 20
    assert used <= documented | {"invalid"}, used - documented
