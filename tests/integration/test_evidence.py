"""Export on both engines: what the verbs wrote comes out as a bundle that verifies offline."""

from __future__ import annotations

import base64
import io
import json
import zipfile

import pytest
import time_machine

from consentledger.consents import service as consents
from consentledger.consents.commands import (
    NotMe,
)
from consentledger.db.installation import Installation
from consentledger.erasure import service as erasure
from consentledger.evidence.service import ExportEvidence, export
from consentledger.kernel.errors import InputError, NotFoundError
from consentledger.outbox import service as outbox
from consentledger.permits.links import PermitId
from consentledger.stops import service as stops
from consentledger.stops.commands import StopByAddress, Withdraw
from consentledger.verify.bundle import verify_bundle
from consentledger.verify.report import Report
from tests.factories import create_published_form
from tests.support.evidence import ANNA, BERT, Path


@pytest.fixture
def path(installation: Installation) -> Path:
    made = create_published_form(
        installation.database, installation.settings, titles=("weekly offers", "events")
    )
    return Path(installation, made)


def states(report: Report) -> list[str]:
    return sorted(state for consents in report.contacts.values() for state in consents.values())


def test_the_main_path_verifies_offline(path: Path):
    link = path.decide(path.request())
    path.decide(path.request(BERT))
    assert link
    path.press(link)
    first = path.permit(BERT, ANNA, "stranger@nowhere.example")
    path.leave(first, row=1)
    path.permit(ANNA)
    data, report = path.verified()
    assert states(report) == ["withdrawn"]
    assert len(report.contacts) == 1
    text = report.text()
    assert "1 permits and 1 denials" in text
    assert "published by the project" in text
    own = verify_bundle(io.BytesIO(data))
    assert own.exit_code == 3
    assert path.verified(BERT)[1].contacts.keys().isdisjoint(report.contacts)


def test_nothing_of_anybody_else_and_no_live_link(path: Path):
    link = path.decide(path.request())
    path.decide(path.request(BERT))
    assert link
    path.press(link)
    issued = path.permit(ANNA, BERT)
    data, _ = path.export()
    with zipfile.ZipFile(io.BytesIO(data)) as opened:
        contents = {name: opened.read(name) for name in opened.namelist()}
    everything = b"\n".join(contents.values())
    tokens = path.installation.tokens
    for row in (0, 1):
        permit = PermitId(path.made.form.organisation_number, issued.batch, row)
        assert tokens.make("unsubscribe", permit.to_bytes()).encode() not in everything
    assert tokens.make("confirm", link).encode() not in everything
    opened_texts = [
        json.loads(base64.urlsafe_b64decode(line + b"=="))
        for name, content in contents.items()
        if name.endswith(".disclosures")
        for line in content.split()
    ]
    said = json.dumps(opened_texts)
    assert ANNA in said
    assert BERT not in said
    assert sum(name.startswith("permits/") for name in contents) == 1
    assert sum(name.startswith("labels/") for name in contents) == 1


def test_alike_exports_are_alike(path: Path):
    link = path.decide(path.request())
    assert link
    path.press(link)
    assert path.export() == path.export()


def test_every_turn_of_the_story(path: Path):
    first = path.decide(path.request(ANNA, 0, 1))
    path.decide(path.request(ANNA, 1))  # joins the pending mail
    assert first
    path.press(first, keep=1)
    issued = path.permit()
    path.leave(issued, scope="organisation")
    path.permit()
    with path.installation.database.begin() as tx:
        tx_command = StopByAddress(path.made.organisation_id, path.made.sender_id, ANNA, "en")
        stops.stop_by_address(tx, tx_command)
    path.permit()
    again = path.decide(path.request())
    if again:
        path.press(again)
    path.permit()
    own = path.made
    command = Withdraw(own.organisation_id, ANNA, "key:test", own.sender_id, own.purpose_ids[0])
    with path.installation.database.begin() as tx:
        stops.withdraw(tx, command)
    path.permit()
    path.verified()


def test_not_me(path: Path):
    link = path.decide(path.request())
    assert link
    path.press(link)
    with path.installation.database.begin() as tx:
        consents.decline(tx, NotMe(link))
    path.permit()
    _, report = path.verified()
    assert states(report) == ["withdrawn"]
    path.decide(path.request())  # suppressed now
    path.verified()


def test_a_request_that_nobody_confirmed(path: Path):
    path.decide(path.request(), "refused")
    path.permit()
    _, report = path.verified()
    assert states(report) == ["requested"]


def destroy_due(installation: Installation) -> None:
    for job in outbox.lease(installation.database, "test", [erasure.DESTROY], limit=9, seconds=60):
        with installation.database.begin() as tx:
            erasure.destroy(tx, job.organisation_id, outbox.open_job(tx, job))
            outbox.complete(tx, job)


def test_a_request_that_expired_beside_a_consent_that_lives(path: Path):
    database = path.installation.database
    with time_machine.travel("2036-03-02T12:00:00+00:00", tick=True) as clock:
        first = path.decide(path.request())
        assert first
        path.press(first)
        second = path.decide(path.request(ANNA, 1))
        clock.shift(8 * 86_400)
        path.permit()
        erasure.expire_due(database)
        assert erasure.erase_due(database) == 1
        path.verified()  # logged, not yet destroyed
        destroy_due(path.installation)
        data, report = path.verified()
        assert "4 entries are erased, wholly or in part" in report.text()
        path.permit()
        third = path.decide(path.request(ANNA, 1))
        assert second
        assert third
        path.press(third)
        path.permit()
        path.verified()
    with zipfile.ZipFile(io.BytesIO(data)) as opened:
        shut = [n for n in opened.namelist() if n.endswith(".disclosures") and not opened.read(n)]
    assert len(shut) == 4


def test_it_grew_since(path: Path):
    path.decide(path.request())
    path.installation.signer.sign_due()
    data, exported = path.export()
    with zipfile.ZipFile(io.BytesIO(data)) as opened:
        old = opened.read("checkpoint")
    path.permit()
    later, _ = path.export(since=exported.size)
    report = verify_bundle(io.BytesIO(later), policy=path.policy(), since=old)
    assert report.exit_code == 0, report.text()
    assert f"only grew since your checkpoint at {exported.size} entries" in report.text()
    without, _ = path.export()
    assert verify_bundle(io.BytesIO(without), policy=path.policy(), since=old).exit_code == 1


def test_without_labels(path: Path):
    path.decide(path.request())
    data, _ = path.verified(labels=False)
    with zipfile.ZipFile(io.BytesIO(data)) as opened:
        assert not [name for name in opened.namelist() if name.startswith("labels/")]


def test_unknown_and_broken_addresses(path: Path):
    with pytest.raises(NotFoundError):
        path.export("nobody@nowhere.example")
    with pytest.raises(InputError) as caught:
        path.export("no address")
    assert caught.value.field == "address"


def test_another_organisation_sees_nothing(path: Path):
    path.decide(path.request())
    other = create_published_form(path.installation.database, path.installation.settings)
    command = ExportEvidence(other.organisation_id, ANNA)
    with pytest.raises(NotFoundError):
        export(path.installation, command, io.BytesIO())


def test_a_large_bundle_stands_in_tiles(path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("consentledger.evidence.write.SMALL", 10)
    link = path.decide(path.request())
    assert link
    path.press(link)
    for number in range(150):
        path.request(f"noise{number}@elsewhere.example")
    for _ in range(140):
        path.permit()
    data, report = path.verified()
    with zipfile.ZipFile(io.BytesIO(data)) as opened:
        names = opened.namelist()
    assert "tile/0/000" in names
    assert not [name for name in names if name.startswith("entries/")]
    assert "140 permits and 0 denials" in report.text()
