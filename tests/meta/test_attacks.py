"""The table of docs/threat-model.md and the attacks that are tried are the same."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from tests.support.attack_list import ATTACKS

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "threat-model.md").read_text()
WHOLE = ("test_attacks_rollback.py", "test_attacks_forged.py")


def test_every_attack_on_rows_has_its_line_and_no_other_has() -> None:
    table = PAGE.partition("| attack (tables) |")[2].partition("\n\n")[0].splitlines()[2:]
    assert table == [attack.line for attack in ATTACKS]


@pytest.mark.parametrize("file", WHOLE)
def test_every_attack_on_the_whole_has_its_line(file: str) -> None:
    tree = ast.parse((ROOT / "tests" / "fault" / file).read_text())
    tests = [one.name for one in tree.body if isinstance(one, ast.FunctionDef)]
    tests = [name for name in tests if name.startswith("test_")]
    assert tests
    assert all(PAGE.count(f"| `{name}` |") == 1 for name in tests)


def test_no_line_names_a_test_that_is_not_there() -> None:
    lines = PAGE.partition("| attack | named by |")[2].partition("\n\n")[0].splitlines()[2:]
    sources = "".join((ROOT / "tests" / "fault" / file).read_text() for file in WHOLE)
    for line in lines:
        name = line.rsplit("| ", 1)[-1].strip(" |`")
        assert f"def {name}(" in sources
