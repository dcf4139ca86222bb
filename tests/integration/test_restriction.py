"""Evidence kept for claims: shut until a named person opens it with a key from outside, destroyed at its date."""

from __future__ import annotations

import io
import json
from pathlib import Path as File
from typing import Any

import pytest
import time_machine
from click.testing import CliRunner
from sqlalchemy import func, select

from consentledger.cli import cli
from consentledger.db.installation import Installation
from consentledger.db.models import ContactKey, Opening
from consentledger.erasure import escrow, service
from consentledger.erasure.commands import ChangePolicy, Receipt
from consentledger.erasure.models import Restriction
from consentledger.erasure.restricting import open_restriction
from consentledger.evidence.service import ExportEvidence, export
from consentledger.kernel.errors import IntegrityError, NotFoundError
from consentledger.replay.service import fsck
from consentledger.verify.bundle import verify_bundle
from tests.factories import create_published_form
from tests.support import erasures
from tests.support.consents import People, raw_bytes
from tests.support.evidence import ANNA, BERT, Path

DAY = 86_400
NOON = "2036-03-02T12:00:00+00:00"
PRIVATE = escrow.new_private()
PUBLIC = escrow.public_of(PRIVATE)


@pytest.fixture
def path(installation: Installation) -> Path:
    with time_machine.travel("2036-03-01T12:00:00+00:00", tick=False):
        made = create_published_form(installation.database, installation.settings)
        with installation.database.begin() as tx:
            command = ChangePolicy(made.organisation_id, "operator", keep_for_claims_days=30)
            service.change_policy(tx, command, PUBLIC)
    return Path(installation, made)


def subscribe(path: Path, address: str = ANNA) -> None:
    link = path.decide(path.request(address))
    assert link
    path.press(link)


def erase(path: Path, address: str = ANNA) -> Receipt:
    org = path.made.organisation_id
    return erasures.erase(path.installation, org, address, escrow_key=PUBLIC)


def count(path: Path, model: Any) -> int:
    with path.installation.database.read() as session:
        return session.scalar(select(func.count()).select_from(model)) or 0


def whole(path: Path) -> bool:
    return fsck(path.installation, path.made.organisation_id).findings == []


def test_what_is_kept_is_shut_told_opened_with_a_reason_and_ends(path: Path) -> None:
    database, org = path.installation.database, path.made.organisation_id
    with time_machine.travel(NOON, tick=True) as clock:
        subscribe(path)
        subscribe(path, BERT)
        issued = path.permit(BERT, ANNA)
        path.leave(issued, row=1)
        person = People(database, path.made).contact(ANNA)
        assert person is not None
        done = erase(path)
        assert done.state == "restricted"
        assert done.kept_until is not None
        assert (done.kept_until - done.requested_at).days == 30
        assert People(database, path.made).contact(ANNA) is None
        with database.read() as session:
            assert session.get(ContactKey, (org, person.key_id)) is None
        stored = raw_bytes(database).lower()
        assert ANNA.lower().encode() not in stored
        assert b"shop-customer" not in stored
        assert whole(path)
        path.verified(BERT)
        with database.begin() as tx:
            address, kept = open_restriction(
                tx, org, done.erasure_id, private=PRIVATE, person="Dr. R", reason="claim 7"
            )
        assert address == ANNA
        file = io.BytesIO()
        told = export(path.installation, ExportEvidence(org, address, kept=kept), file)
        assert told.permits == 1
        report = verify_bundle(file, policy=path.policy())
        assert report.exit_code == 0, report.text()
        assert "1 permits and 0 denials" in report.text()
        [leaf] = erasures.logged(database, org, "restriction.opened")
        assert leaf.label is None
        clock.shift(30 * DAY - 600)
        assert service.erase_due(database) == 0
        clock.shift(600)
        before = count(path, Opening)
        assert service.erase_due(database) == 1
        erasures.destroy_due(database)
        assert count(path, Restriction) == 0
        assert count(path, Opening) < before
        assert erasures.receipt(database, org, done.erasure_id).state == "ended"
        reasons = [leaf.plain["reason"] for leaf in erasures.logged(database, org)]
        assert reasons == ["restricted", "ended"]
        assert whole(path)
        path.verified(BERT)


def test_another_key_opens_nothing_and_is_no_entry(path: Path) -> None:
    database, org = path.installation.database, path.made.organisation_id
    subscribe(path)
    done = erase(path)
    size = People(database, path.made).size()
    for private, erasure_id, error in (
        (escrow.new_private(), done.erasure_id, IntegrityError),
        (PRIVATE, org, NotFoundError),
    ):
        with pytest.raises(error), database.begin() as tx:
            open_restriction(tx, org, erasure_id, private=private, person="M", reason="x")
    assert People(database, path.made).size() == size


def test_without_the_escrow_key_nothing_goes(path: Path) -> None:
    database, org = path.installation.database, path.made.organisation_id
    subscribe(path)
    asked = erasures.ask(database, org, ANNA)
    assert service.collect_requested(database, org, None) == 0
    assert erasures.receipt(database, org, asked.erasure_id).state == "requested"
    assert service.collect_requested(database, org, PUBLIC) == 1


def test_what_came_between_log_and_destruction_is_kept_with_the_rest(path: Path) -> None:
    database, org = path.installation.database, path.made.organisation_id
    subscribe(path)
    path.permit(ANNA)
    asked = erasures.ask(database, org, ANNA)
    service.collect_requested(database, org, PUBLIC)
    path.request()  # somebody types the address in again
    erasures.destroy_due(database)
    again = erasures.receipt(database, org, asked.erasure_id)
    assert again.state == "requested"
    with database.begin() as tx:
        opened = open_restriction(
            tx, org, asked.erasure_id, private=PRIVATE, person="Dr. R", reason="claim 7"
        )
    assert len(opened[1].entries) == 5
    service.collect_requested(database, org, PUBLIC)
    erasures.destroy_due(database)
    assert erasures.receipt(database, org, asked.erasure_id).state == "restricted"
    with database.begin() as tx:
        opened = open_restriction(
            tx, org, asked.erasure_id, private=PRIVATE, person="Dr. R", reason="claim 7"
        )
    assert len(opened[1].entries) == 6
    assert len(opened[1].permits) == 1
    assert whole(path)


def test_who_comes_back_is_not_restricted(path: Path) -> None:
    database, org = path.installation.database, path.made.organisation_id
    with time_machine.travel(NOON, tick=True) as clock:
        subscribe(path)
        asked = erasures.ask(database, org, ANNA)
        clock.shift(60)
        subscribe(path)
        assert service.collect_requested(database, org, PUBLIC) == 1
        erasures.destroy_due(database)
        assert erasures.receipt(database, org, asked.erasure_id).state == "destroyed"
        assert count(path, Restriction) == 0
        path.verified()


@time_machine.travel(NOON, tick=True)
def test_by_command(path: Path, environment: dict[str, str], tmp_path: File) -> None:
    def types(*words: str) -> str:
        variables = {**environment, "CONSENTLEDGER_ESCROW_KEY": escrow.write_key(PUBLIC)}
        result = CliRunner().invoke(cli, words, env=variables)
        assert result.exit_code == 0, (result.output, result.exception)
        return result.output

    made = tmp_path / "escrow.key"
    said = types("restriction", "keygen", str(made))
    public = said.split("CONSENTLEDGER_ESCROW_KEY=")[1].splitlines()[0]
    assert made.stat().st_mode & 0o777 == 0o600
    assert escrow.public_of(escrow.read_key(made.read_text().strip())) == escrow.read_key(public)
    subscribe(path)
    listed = json.loads(types("organisation", "list", "--json"))["organisations"]
    mine = str(path.made.organisation_id)
    [name] = [each["name"] for each in listed if each["organisation_id"] == mine]
    done = json.loads(types("erase", ANNA, "--organisation", name, "--now", "--json"))
    assert done["state"] == "restricted"
    assert "sealed to a key" in done["remains"][1]
    assert done["erasure_id"] in types("restriction", "list", "--organisation", name)
    key, bundle = tmp_path / "mine.key", tmp_path / "bundle.zip"
    key.write_text(escrow.write_key(PRIVATE))
    words = ("--key", str(key), "--person", "Dr. R", "--reason", "claim 7", "-o", str(bundle))
    types("restriction", "open", "--organisation", name, done["erasure_id"], *words)
    with bundle.open("rb") as file:
        assert verify_bundle(file, policy=path.policy()).exit_code == 0
