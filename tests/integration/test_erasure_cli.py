"""Erasures, holds and policies as an operator types them, on both engines."""

from __future__ import annotations

import json
from typing import Any

import pytest
import time_machine
from click.testing import CliRunner

from consentledger.cli import cli
from consentledger.db.installation import Installation
from consentledger.kernel.errors import ConflictError, NotFoundError
from tests.factories import create_published_form
from tests.support.evidence import ANNA, Path


class Operator:
    """Types commands; every answer asked for as JSON."""

    def __init__(self, environment: dict[str, str], organisation: str) -> None:
        self.environment, self.organisation = environment, organisation

    def asks(self, *words: str) -> dict[str, Any]:
        result = CliRunner().invoke(cli, [*words, "--json"], env=self.environment)
        assert result.exit_code == 0, (result.output, result.exception)
        return dict(json.loads(result.output.splitlines()[-1]))

    def says(self, *words: str) -> str:
        result = CliRunner().invoke(cli, words, env=self.environment)
        assert result.exit_code == 0, (result.output, result.exception)
        return result.output

    def fails(self, *words: str) -> BaseException:
        result = CliRunner().invoke(cli, words, env=self.environment)
        assert result.exception is not None
        return result.exception

    @property
    def mine(self) -> tuple[str, str]:
        return ("--organisation", self.organisation)


@pytest.fixture
def path(installation: Installation) -> Path:
    made = create_published_form(installation.database, installation.settings)
    path = Path(installation, made)
    link = path.decide(path.request())
    assert link
    path.press(link)
    return path


@pytest.fixture
def operator(path: Path, environment: dict[str, str]) -> Operator:
    found = CliRunner().invoke(cli, ["organisation", "list", "--json"], env=environment)
    everyone = json.loads(found.output)["organisations"]
    mine = str(path.made.organisation_id)
    [name] = [each["name"] for each in everyone if each["organisation_id"] == mine]
    return Operator(environment, name)


def test_one_person_is_erased_at_once_with_a_receipt(operator: Operator, path: Path) -> None:
    words = ("erase", ANNA, *operator.mine)
    seen = operator.asks(*words, "--dry-run")
    assert (seen["dry_run"], seen["rows"]["contact"]) == (True, 1)
    assert "Nothing was changed." in operator.says(*words, "--dry-run")
    assert operator.asks(*words)["state"] == "requested"
    done = operator.asks(*words, "--now")
    assert done["state"] == "destroyed"
    assert done["gone"]["contact"] == 1
    said = operator.says(*words, "--now")
    assert "is destroyed." in said
    assert "A keyed hash of the address" in said
    with pytest.raises(NotFoundError):
        path.export()


def test_a_hold_makes_it_wait(operator: Operator, path: Path) -> None:
    order = ("--person", "Judge J", "--reason", "case 4711")
    hold = operator.asks("hold", "place", *operator.mine, "--address", ANNA, *order)
    assert operator.asks("erase", ANNA, *operator.mine, "--now")["state"] == "held"
    assert "in force  by Judge J: case 4711" in operator.says("hold", "list", *operator.mine)
    operator.asks("hold", "release", *operator.mine, hold["hold_id"], "--person", "Judge J")
    assert operator.asks("erase", ANNA, *operator.mine, "--now")["state"] == "destroyed"
    assert "no legal hold" in operator.says(
        "hold", "list", *operator.mine
    )  # it went with its contact
    unknown = ("--address", "nobody@nowhere.example", *order)
    assert isinstance(operator.fails("hold", "place", *operator.mine, *unknown), NotFoundError)


def test_days_are_shown_and_changed(operator: Operator) -> None:
    name = operator.organisation
    shown = {"keep_for_claims_days": 0, "retention_days": 1095}
    assert operator.asks("organisation", "policy", name) == shown
    assert "400 days" in operator.says("organisation", "policy", name, "--retention-days", "400")
    error = operator.fails("organisation", "policy", name, "--keep-for-claims-days", "30")
    assert isinstance(error, ConflictError)
    assert "restriction keygen" in str(error)


def test_what_retention_would_end_is_counted(operator: Operator) -> None:
    assert "technical: 90 days after the entry" in operator.says("retention", *operator.mine)
    with time_machine.travel("2126-01-01T00:00:00+00:00", tick=True):
        seen = operator.asks("retention", *operator.mine)
    assert (seen["technical_openings_due"], seen["contacts_due"]) == (3, 0)
    assert seen["retention_days"] == 1095
