"""Whoever adds a kind, a setting, a command, a route or an outbox kind documents it, or this fails."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"


def test_derived_pages_are_up_to_date() -> None:
    done = subprocess.run(
        [sys.executable, "tools/reference.py", "--check"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def test_every_setting_is_documented_and_no_other() -> None:
    kernel = ROOT / "consentledger" / "kernel"
    source = (kernel / "settings.py").read_text() + (kernel / "secrets.py").read_text()
    read = set(re.findall(r"""env\.\w+\(\s*"([A-Z_]+)\"""", source))
    read |= set(re.findall(r"""_key_list\(env, "([A-Z_]+)\"\)""", source))
    assert len(read) > 10
    documented = set(re.findall(r"^\| `([A-Z_]+)` \|", (DOCS / "settings.md").read_text(), re.M))
    assert documented == read


def test_links_between_documents_lead_somewhere() -> None:
    broken = []
    for page in [*DOCS.rglob("*.md"), *ROOT.glob("*.md")]:
        for target in re.findall(r"\]\(([^)#:\s]+)(?:#[^)]*)?\)", page.read_text()):
            if not (page.parent / target).exists():
                broken.append(f"{page.relative_to(ROOT)} -> {target}")
    assert not broken
