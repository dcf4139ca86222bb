"""The commands as an operator types them, on both engines."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner, Result

from consentledger.accounts.queries import authenticate
from consentledger.cli import cli
from consentledger.db.installation import Installation
from consentledger.kernel.errors import ConflictError, InputError, NotFoundError, UnauthorisedError


@pytest.fixture
def operator(installation: Installation, environment: dict[str, str]) -> Operator:
    return Operator(environment)


class Operator:
    def __init__(self, environment: dict[str, str]) -> None:
        self._environment = environment

    def types(self, *words: str) -> str:
        result = self._run(*words)
        assert result.exit_code == 0, result.output
        return str(result.output)

    def fails(self, *words: str) -> BaseException:
        result = self._run(*words)
        assert result.exception is not None, result.output
        return result.exception

    def _run(self, *words: str) -> Result:
        return CliRunner().invoke(cli, words, env=self._environment)


def create(operator: Operator, name: str = "alice") -> None:
    operator.types("organisation", "create", name, "--legal-name", "Alice GmbH", "--country", "DE")


def test_an_organisation_is_made_and_listed(operator: Operator) -> None:
    assert "no organisation yet" in operator.types("organisation", "list")
    said = operator.types(
        "organisation", "create", "alice's shop", "--legal-name", "Alice GmbH", "--country", "DE"
    )
    assert "its log is consent.test/log/" in said
    assert "--organisation 'alice'\\''s shop'" in said
    assert "alice's shop  Alice GmbH (DE)" in operator.types("organisation", "list")
    made = json.loads(
        operator.types(
            *("organisation", "create", "bob", "--legal-name", "Bob", "--country", "AT", "--json")
        )
    )
    assert made["log_key"].startswith(made["origin"] + "+")
    listed = json.loads(operator.types("organisation", "list", "--json"))["organisations"]
    assert [each["name"] for each in listed] == ["alice's shop", "bob"]


def test_a_wrong_or_taken_organisation_is_an_error(operator: Operator) -> None:
    create(operator)
    words = ("organisation", "create", "alice", "--legal-name", "Alice GmbH", "--country")
    assert isinstance(operator.fails(*words, "DE"), ConflictError)
    assert isinstance(operator.fails(*words, "Germany"), InputError)


def test_a_key_is_shown_once_and_revoked(operator: Operator, installation: Installation) -> None:
    create(operator)
    options = ("--organisation", "alice")
    assert "no keys yet" in operator.types("key", "list", *options)
    said = operator.types("key", "create", *options, "--name", "shop", "--scope", "permits:write")
    token = said.splitlines()[-1]
    with installation.database.read() as session:
        facts = authenticate(session, token)
    assert facts.scopes == ("permits:write",)
    listed = operator.types("key", "list", *options)
    assert f"{facts.key_id}  shop  valid  permits:write" in listed
    assert token not in listed
    assert "is revoked" in operator.types("key", "revoke", *options, str(facts.key_id))
    assert "was revoked before" in operator.types("key", "revoke", *options, str(facts.key_id))
    assert "revoked 2" in operator.types("key", "list", *options)
    with installation.database.read() as session, pytest.raises(UnauthorisedError):
        authenticate(session, token)


def test_keys_need_scopes_and_an_organisation(operator: Operator) -> None:
    create(operator)
    create(operator, "bob")
    words = ("key", "create", "--name", "shop", "--organisation")
    assert isinstance(operator.fails(*words, "alice"), SystemExit)
    assert isinstance(operator.fails(*words, "alice", "--scope", "all"), InputError)
    assert isinstance(operator.fails(*words, "nobody", "--all-scopes"), NotFoundError)
    made = json.loads(operator.types(*words, "alice", "--all-scopes", "--json"))
    revoke = operator.fails("key", "revoke", "--organisation", "bob", made["key_id"])
    assert isinstance(revoke, NotFoundError)
    assert made["key"] not in operator.types("key", "list", "--organisation", "alice", "--json")


def test_what_becomes_of_kinds_of_addresses_is_shown_and_changed(
    installation: Installation, operator: Operator
) -> None:
    create(operator)
    told = operator.types("organisation", "addresses", "alice")
    assert told == "Disposable addresses: flag. Role addresses: flag.\n"
    changed = operator.types("organisation", "addresses", "alice", "--role", "refuse", "--json")
    assert json.loads(changed) == {"disposable": "flag", "role": "refuse"}
    assert "Role addresses: refuse." in operator.types("organisation", "addresses", "alice")
    assert isinstance(operator.fails("organisation", "addresses", "bob"), NotFoundError)
