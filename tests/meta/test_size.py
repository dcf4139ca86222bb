"""Small modules and small functions: what outgrows these is two things, and gets split."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
MODULE_LINES = 300
FUNCTION_LINES = 40
# A list of cases may be longer than code, and a migration is one list of statements.
TEST_LINES = 400


def _modules(*folders: str) -> list[Path]:
    return sorted(file for folder in folders for file in (ROOT / folder).rglob("*.py"))


def _name(path: Path) -> str:
    return str(path.relative_to(ROOT))


def _length(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Return the lines of a function's body: neither signature nor docstring make it do more."""
    body = node.body[1:] if ast.get_docstring(node) is not None else node.body
    return (body[-1].end_lineno or 0) - body[0].lineno + 1 if body else 0


@pytest.mark.parametrize("module", _modules("consentledger", "bench", "migrations"), ids=_name)
def test_modules_stay_small(module: Path) -> None:
    lines = module.read_text().count("\n")
    assert lines <= MODULE_LINES


@pytest.mark.parametrize("module", _modules("tests"), ids=_name)
def test_tests_stay_small(module: Path) -> None:
    lines = module.read_text().count("\n")
    assert lines <= TEST_LINES


@pytest.mark.parametrize("module", _modules("consentledger", "bench"), ids=_name)
def test_functions_stay_small(module: Path) -> None:
    lengths = {
        node.name: _length(node)
        for node in ast.walk(ast.parse(module.read_text()))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }
    too_long = {name: lines for name, lines in lengths.items() if lines > FUNCTION_LINES}
    assert not too_long, f"functions over {FUNCTION_LINES} lines"
