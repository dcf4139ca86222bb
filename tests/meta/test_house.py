"""The house's own order: dependencies in use and declared, locks without addresses, no machine's paths."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", re.split(r"[\[<>=;~! ]", name, maxsplit=1)[0]).lower()


def _imported() -> set[str]:
    """Return the top-level names of everything foreign that the package or a migration imports."""
    found: set[str] = set()
    files = [*(ROOT / "consentledger").rglob("*.py"), *(ROOT / "migrations").rglob("*.py")]
    for file in [*files, ROOT / "wsgi.py"]:
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Import):
                found |= {alias.name.partition(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
                found.add(node.module.partition(".")[0])
    return found - sys.stdlib_module_names - {"consentledger", "__future__"}


def test_every_import_is_declared_and_every_declaration_is_in_use() -> None:
    extras = PROJECT["project"]["optional-dependencies"]
    declared = {_normal(name) for name in PROJECT["project"]["dependencies"]}
    optional = {_normal(name) for names in extras.values() for name in names}
    homes = packages_distributions()
    used = {_normal(homes[name][0]) for name in _imported()}
    missing = used - declared - optional
    assert not missing, "imported, but not declared in pyproject.toml"
    idle = declared - used - {"tzdata"}  # zoneinfo reads it where the machine has no zones
    assert not idle, "declared in pyproject.toml, but not imported"


@pytest.mark.parametrize("lock", sorted(ROOT.glob("requirements*.txt")), ids=lambda path: path.name)
def test_locks_have_hashes_and_name_no_address(lock: Path) -> None:
    text = lock.read_text()
    assert not re.search(r"://|file:|^-|\s@\s", text, re.M)
    pinned = re.findall(r"^\S+==\S+.*?(?=^\S|\Z)", text, re.M | re.S)
    assert pinned
    assert all("--hash=sha256:" in entry for entry in pinned)


def test_the_locks_agree_and_cover_what_is_declared() -> None:
    pins = {
        lock.name: dict(re.findall(r"^(\S+?)==(\S+)", lock.read_text(), re.M))
        for lock in ROOT.glob("requirements*.txt")
    }
    development = pins["requirements-dev.txt"]
    for name, pinned in pins.items():
        assert pinned.items() <= development.items(), name
    for dependency in PROJECT["project"]["dependencies"]:
        assert _normal(dependency) in pins["requirements.txt"], dependency
    assert "psycopg" not in pins["requirements.txt"], "SQLite must do without PostgreSQL's driver"
    assert "psycopg" in pins["requirements-postgres.txt"]


def test_no_file_names_a_machine_where_it_was_made() -> None:
    # Put together here, so that this file does not find itself.
    words = ["/" + "work/", "/" + "root/", "/" + "tmp/plan"]
    files = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard", "-z"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    ).stdout.split("\0")  # fmt: skip
    found = []
    for name in filter(None, files):
        file = ROOT / name
        if file.is_file():
            text = file.read_bytes().decode(errors="ignore")
            found += [f"{name}: {word}" for word in words if word in text]
    assert not found


def test_only_python_versions_that_ci_runs_are_named() -> None:
    named = [c for c in PROJECT["project"]["classifiers"] if re.search(r":: 3\.\d+$", c)]
    assert named == ["Programming Language :: Python :: 3.11"]
