"""`secrets make, check, add, rotate`: from nothing to an installation, and each key to its successor."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import update

from consentledger.app import create_app
from consentledger.cli.secrets.command import ROTATIONS
from consentledger.db.installation import Installation
from consentledger.db.models import LogHead
from consentledger.kernel.errors import IntegrityError
from consentledger.kernel.secrets import NAMES
from consentledger.ledger.merkle import Frontier
from consentledger.permits.links import PATH, PermitId
from tests.factories import create_organisation, create_published_form
from tests.support.evidence import Path as Story
from tests.support.logs import setting
from tests.support.rotation import Command, Opened, openings


@pytest.fixture
def opened(environment: dict[str, str]) -> Iterator[Opened]:
    with openings(environment) as opened:
        yield opened


def longer(environment: dict[str, str], name: str) -> str:
    return f"{environment[f'CONSENTLEDGER_{name}']},{secrets.token_urlsafe(32)}"


def append(installation: Installation, organisation_id: object) -> None:
    with installation.database.begin() as tx:
        tx.log.append(tx, organisation_id, [setting()])  # type: ignore[arg-type]


def test_made_secrets_run_an_installation(command: Command, tmp_path: Path) -> None:
    unset = dict.fromkeys(NAMES, "")
    code, said, _ = command("secrets", "check", **unset)
    assert code == 78
    assert said.count("FAIL CONSENTLEDGER_") == len(NAMES)
    folder = tmp_path / "secrets"
    code, said, told = command("secrets", "make", folder, **unset)
    assert (code, told.splitlines()[0]) == (0, f"{len(NAMES)} made, 0 were there.")
    files = dict(line.removeprefix("CONSENTLEDGER_").split("=") for line in said.splitlines())
    assert "0 made" in command("secrets", "make", folder, **unset)[2]
    words = ("organisation", "create", "Shop", "--legal-name", "Shop GmbH", "--country", "DE")
    assert command(*words, **unset, **files)[0] == 0
    code, said, _ = command("secrets", "check", **unset, **files)
    assert (code, "FAIL" in said) == (0, False)
    for file in folder.iterdir():
        assert file.read_text() not in said
    (folder / "master_key").chmod(0o644)
    code, said, _ = command("secrets", "check", **unset, **files)
    assert code == 78
    assert "chmod 600" in said


def test_a_command_that_signs_needs_no_log_key(command: Command, tmp_path: Path) -> None:
    said = command("secrets", "make", tmp_path / "secrets", LOG_KEY_COMMAND="hsm")[1]
    assert "LOG_KEY_FILE" not in said
    assert not (tmp_path / "secrets" / "log_key").exists()


def test_check_says_which_key_does_not_fit(installation: Installation, command: Command) -> None:
    made = create_organisation(installation.database, installation.settings)
    for name, sentence in (
        ("APPEND_KEY", "CONSENTLEDGER_APPEND_KEY is not the one"),
        ("LOG_KEY", "LOG_KEY does not hold the key that the log names"),
        ("EVIDENCE_KEY", "EVIDENCE_KEY does not hold the key that the log names"),
        ("MASTER_KEY", "MASTER_KEY"),
    ):
        code, said, _ = command("secrets", "check", **{name: secrets.token_urlsafe(32)})
        assert code == 78
        (wrong,) = [line for line in said.splitlines() if line.startswith("FAIL")]
        assert made.origin in wrong
        assert sentence in wrong


def test_a_key_is_added_to_its_file(
    command: Command, tmp_path: Path, environment: dict[str, str]
) -> None:
    file = tmp_path / "link_keys"
    first = environment["CONSENTLEDGER_LINK_KEYS"]
    file.write_text(first)
    file.chmod(0o600)
    files = {"LINK_KEYS": "", "LINK_KEYS_FILE": str(file)}
    assert command("secrets", "add", "LINK_KEYS", **files)[0] == 0
    assert command("secrets", "add", "LINK_KEYS", "--in-front", **files)[0] == 0
    assert file.read_text().split(",")[1] == first
    assert "LINK_KEYS: 3 key(s)" in command("secrets", "check", **files)[1]
    assert command("secrets", "add", "LOG_KEY")[0] == 78  # it comes from a variable
    assert command("secrets", "add", "SALT_KEY")[0] == 2


def test_the_append_key_rotates(
    installation: Installation, opened: Opened, command: Command, environment: dict[str, str]
) -> None:
    made = [create_organisation(installation.database, installation.settings) for _ in range(2)]
    both = {"APPEND_KEY": longer(environment, "APPEND_KEY")}
    alone = {"APPEND_KEY": both["APPEND_KEY"].partition(",")[2]}
    assert command("secrets", "rotate", "APPEND_KEY")[0] == 78  # nothing to rotate to
    append(opened(**both), made[0].organisation_id)
    said = command("secrets", "check", **both)[1]
    assert said.count("carries an older key's MAC") == 1
    with pytest.raises(IntegrityError, match="APPEND_KEY"):
        append(opened(**alone), made[1].organisation_id)
    code, said, _ = command("secrets", "rotate", "APPEND_KEY", **both)
    assert code == 0
    assert "2 log(s): 1 moved to the newest key." in said
    assert "0 moved" in command("secrets", "rotate", "APPEND_KEY", **both)[1]
    assert "older key's MAC" not in command("secrets", "check", **both)[1]
    after = opened(**alone)
    append(after, made[1].organisation_id)
    assert after.signer.sign_due() == 2
    with pytest.raises(IntegrityError, match="APPEND_KEY"):
        append(installation, made[1].organisation_id)


def test_a_lost_append_key_is_replaced_where_the_guard_vouches(
    installation: Installation, opened: Opened, command: Command
) -> None:
    signed, ahead, forged = (
        create_organisation(installation.database, installation.settings) for _ in range(3)
    )
    installation.signer.sign_due()
    for made in (ahead, forged):
        append(installation, made.organisation_id)
    with installation.database.begin() as tx:  # a head that its entries don't give
        where = LogHead.organisation_id == forged.organisation_id
        frontier = Frontier.empty().append([bytes([n]) * 32 for n in range(4)])[0]
        values = {"root": frontier.root(), "frontier": frontier.to_bytes()}
        tx.session.execute(update(LogHead).where(where).values(**values))
    new = {"APPEND_KEY": secrets.token_urlsafe(32)}
    code, said, error = command("secrets", "replace-append-key", **new)
    assert (code, said) == (78, "3 log(s): 1 got the new key's MAC.\n")
    for made in (ahead, forged):
        assert f"{made.origin}: the last 1 entries were never signed" in error
    code, said, error = command("secrets", "replace-append-key", "--vouch", **new)
    assert (code, said) == (65, "3 log(s): 1 got the new key's MAC.\n")
    assert f"the head of {forged.origin} is not that of its entries" in error
    after = opened(**new)
    for made in (signed, ahead):
        append(after, made.organisation_id)
        assert after.signer.sign(made.organisation_id) is not None
    with pytest.raises(IntegrityError, match="changed by hand"):
        append(after, forged.organisation_id)


def test_a_head_changed_by_hand_does_not_get_a_mac(
    installation: Installation, command: Command, environment: dict[str, str]
) -> None:
    """A rotation must not turn a forged head into a true one, nor stop at it."""
    forged, true = (
        create_organisation(installation.database, installation.settings) for _ in range(2)
    )
    with installation.database.begin() as tx:
        where = LogHead.organisation_id == forged.organisation_id
        tx.session.execute(update(LogHead).where(where).values(mac=bytes(32)))
    both = {"APPEND_KEY": longer(environment, "APPEND_KEY")}
    code, said, error = command("secrets", "rotate", "APPEND_KEY", **both)
    assert code == 65
    assert "1 moved" in said
    assert forged.origin in error
    assert true.origin not in error
    assert "Keep the older keys" in error


def test_links_of_every_age_work(
    installation: Installation, opened: Opened, environment: dict[str, str]
) -> None:
    form = create_published_form(installation.database, installation.settings)
    story = Story(installation, form)
    link = story.decide(story.request())
    assert link is not None
    story.press(link)
    after = opened(LINK_KEYS=longer(environment, "LINK_KEYS"))
    client = create_app(after.settings, after).test_client()
    before = create_app(installation.settings, installation).test_client()
    old, new = (i.tokens.make("confirm", link) for i in (installation, after))
    assert old != new
    assert [client.get(f"/c/{token}").status_code for token in (old, new)] == [200, 200]
    assert [before.get(f"/c/{token}").status_code for token in (old, new)] == [200, 404]
    issued = story.permit()
    permit = PermitId(form.form.organisation_number, issued.batch, 0).to_bytes()
    token = installation.tokens.make("unsubscribe", permit)
    assert client.post(f"{PATH}{token}").status_code == 200


@pytest.mark.parametrize("name", ["LINK_KEYS", "SECRET_KEYS", "LOG_KEY", "EVIDENCE_KEY"])
def test_what_needs_no_move_is_explained(capsys: pytest.CaptureFixture[str], name: str) -> None:
    assert ROTATIONS[name]() == 0
    assert f"secrets add {name}" in capsys.readouterr().out


def test_an_unknown_secret_is_named(command: Command) -> None:
    code, _, error = command("secrets", "rotate", "SALT_KEY")
    assert code == 78
    assert "APPEND_KEY" in error
