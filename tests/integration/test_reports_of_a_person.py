"""Reports in one person's life: in the bundle, held against the log, gone with an erasure; on both engines."""

from __future__ import annotations

import io
import zipfile
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import delete, insert, select, update

from consentledger.contacts.models import LastSend
from consentledger.db.fsck.opener import Opener
from consentledger.db.fsck.system import SystemEntries
from consentledger.db.installation import Installation
from consentledger.db.models import LogHead
from consentledger.erasure.commands import ChangePolicy
from consentledger.erasure.escrow import public_of
from consentledger.erasure.policies import change_policy
from consentledger.erasure.restricting import open_restriction
from consentledger.organisations.packs import Adoption, AdoptPacks, adopt_packs
from consentledger.permits.links import PermitId
from consentledger.registers.models import RegisterEntry, RegisterImport
from consentledger.registers.rules import ImportRegister
from consentledger.registers.service import import_register
from consentledger.replay import reports
from consentledger.replay.registers import register_differences
from consentledger.replay.service import fsck, rebuild
from consentledger.sends import rules, service
from consentledger.sends.models import MessageSent
from tests.factories import create_published_form
from tests.support import erasures
from tests.support.evidence import ANNA, BERT, Path

PRIVATE = bytes(range(32))


@pytest.fixture
def path(installation: Installation) -> Path:
    """anna and bert have confirmed."""
    made = create_published_form(installation.database, installation.settings)
    path = Path(installation, made)
    for address in (ANNA, BERT):
        link = path.decide(path.request(address))
        assert link
        path.press(link)
    return path


def report(path: Path, *addresses: str, **more: Any) -> service.Recorded:
    """A permit for each, and a report that it was sent; returns the first one's."""
    issued = path.permit(*addresses)
    number = path.made.form.organisation_number
    sends = [
        {"permit": str(PermitId(number, issued.batch, n)), "status": "sent", **more}
        for n in range(len(issued.rows))
    ]
    command = rules.read_sends({"sends": sends}, path.made.organisation_id, "key:test")
    with path.installation.database.begin() as tx:
        return service.report(tx, command)[0]


def findings(path: Path) -> list[str]:
    found = fsck(path.installation, path.made.organisation_id).findings
    return [f"{one.where}: {one.message}" for one in found]


def names(data: bytes, folder: str) -> list[str]:
    with zipfile.ZipFile(io.BytesIO(data)) as opened:
        return sorted(name for name in opened.namelist() if name.startswith(folder))


def rows(path: Path, *columns: Any) -> list[tuple[Any, ...]]:
    with path.installation.database.read() as session:
        return [tuple(row) for row in session.execute(select(*columns))]


def test_a_bundle_shows_the_persons_own_reports(path: Path) -> None:
    told = report(path, ANNA, BERT, message_id="1@mail.example")
    report(path, BERT)
    data, verified = path.verified()
    assert names(data, "sent/") == [f"sent/{told.report}.json"]
    assert "1 reports are in their batches" in verified.text()
    assert names(data, "registers/") == []
    assert findings(path) == []


def test_an_erasure_takes_the_person_out_and_leaves_every_other_proof(path: Path) -> None:
    told = report(path, ANNA, BERT, message_id="1@mail.example")
    receipt = erasures.erase(path.installation, path.made.organisation_id, ANNA)
    assert receipt.gone["message_sent"] == 1
    found = rows(path, MessageSent.contact_id, MessageSent.message_hash, MessageSent.line_hash)
    assert sorted(row == (None, None, row[2]) and row[2] is not None for row in found) == [
        False,
        True,
    ]
    assert len(rows(path, LastSend.contact_id)) == 1
    (erased,) = erasures.logged(path.installation.database, path.made.organisation_id)
    assert f"{told.entry_index}:0" in erased.plain["permits"].split(",")
    data, _ = path.verified(BERT)
    assert names(data, "sent/") == [f"sent/{told.entry_index}-1.json"]
    assert findings(path) == []


def test_what_is_restricted_for_claims_keeps_the_reports_shut(path: Path) -> None:
    org, database = path.made.organisation_id, path.installation.database
    with database.begin() as tx:
        change_policy(
            tx, ChangePolicy(org, "operator", keep_for_claims_days=30), public_of(PRIVATE)
        )
    told = report(path, ANNA, message_id="1@mail.example", list_headers_hash="ab" * 32)
    receipt = erasures.erase(path.installation, org, ANNA, escrow_key=public_of(PRIVATE))
    with database.begin() as tx:
        _, kept = open_restriction(
            tx, org, receipt.erasure_id, private=PRIVATE, person="Dr. Eva Roth", reason="a claim"
        )
    data, verified = path.verified(ANNA, kept=kept)
    assert names(data, "sent/") == [f"sent/{told.report}.json"]
    assert "1 reports are in their batches" in verified.text()


def test_whoever_comes_back_keeps_what_was_sent_since(path: Path) -> None:
    org, database = path.made.organisation_id, path.installation.database
    report(path, ANNA)
    asked = erasures.ask(database, org, ANNA)
    link = path.decide(path.request(ANNA))
    assert link
    path.press(link)
    after = report(path, ANNA)
    erasures.service.collect_requested(database, org, None, path.installation.journal)
    while erasures.destroy_due(database):
        pass
    assert erasures.receipt(database, org, asked.erasure_id).state == "destroyed"
    assert [index for (index,) in rows(path, LastSend.entry_index)] == [after.entry_index]
    assert findings(path) == []


def test_a_day_changed_by_hand_is_named_and_made_anew(path: Path) -> None:
    told = report(path, ANNA)
    org, database = path.made.organisation_id, path.installation.database
    with database.begin() as tx:
        tx.session.execute(
            update(LastSend).values(sent_on=told.at.date() - timedelta(days=9), entry_index=0)
        )
    (found,) = findings(path)
    assert "last_send" in found
    assert "sent_on, entry_index: not what the log gives" in found
    assert rebuild(path.installation, org, dry_run=True).rows == 1
    assert rebuild(path.installation, org).rows == 1
    assert findings(path) == []
    assert rows(path, LastSend.entry_index) == [(told.entry_index,)]


def test_every_contact_is_looked_at_part_by_part(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = report(path, ANNA, BERT)
    report(path, BERT)
    org, database = path.made.organisation_id, path.installation.database
    with database.begin() as tx:
        gone = tx.session.scalars(select(LastSend.contact_id).limit(1)).one()
        tx.session.execute(delete(LastSend).where(LastSend.contact_id == gone))
        for extra in (UUID(int=1), UUID(int=2**128 - 1)):
            day = told.at.date()
            values = {"organisation_id": org, "contact_id": extra, "channel": "email"}
            tx.session.execute(insert(LastSend).values(**values, sent_on=day, entry_index=1))
    for size in (1, 2, 500):
        monkeypatch.setattr(reports, "AT_ONCE", size)
        found = [one for one in findings(path) if one.startswith("last_send")]
        assert len(found) == 3, size
        assert sum("no entry" in one for one in found) == 2


def test_a_bundle_shows_whether_a_register_listed_the_person(path: Path) -> None:
    org, database = path.made.organisation_id, path.installation.database
    with database.begin() as tx:
        adopt_packs(tx, AdoptPacks(org, (Adoption("AT"),), "operator"))
    day = path.made.form.published_at - timedelta(days=3)
    done = []
    for number, content in enumerate((b"@shop-customer.example\n", b"a@list.example\n")):
        command = ImportRegister(org, "AT-ECG", day + timedelta(days=number), "a test")
        done.append(import_register(database, replace(command, force=True), io.BytesIO(content)))
        path.permit(ANNA, BERT)
    data, verified = path.verified()
    wanted = [f"registers/AT-ECG@{one.entry_index}.json" for one in done]
    assert names(data, "registers/") == sorted(wanted)
    assert "it is in 1." in verified.text()
    assert "asserted" not in verified.text()
    assert "it is in 0." in path.verified(BERT)[1].text()


def test_a_register_is_held_against_its_entry(path: Path) -> None:
    org, database = path.made.organisation_id, path.installation.database
    for day, content in ((1, b"a@x.example\nb@x.example\n"), (2, b"b@x.example\nc@x.example\n")):
        at = path.made.form.published_at - timedelta(days=9 - day)
        import_register(database, ImportRegister(org, "AT-X", at, "a test"), io.BytesIO(content))
    assert findings(path) == []
    for change, named in (
        (update(RegisterEntry).where(RegisterEntry.gone.is_(None)).values(gone=2), "register_entry AT-X/2"),
        (update(RegisterEntry).where(RegisterEntry.gone == 2).values(first=7), "no import gives"),
        (update(RegisterImport).where(RegisterImport.number == 1).values(state="forgotten"), "AT-X/1: state"),
        (update(RegisterImport).where(RegisterImport.number == 2).values(entry_index=0), "missing: entry"),
    ):  # fmt: skip
        with database.begin() as tx:
            tx.session.execute(change)
            assert named in "; ".join(str(one) for one in _inside(path, tx)), named
            tx.session.rollback()


def _inside(path: Path, tx: Any) -> list[str]:
    """What the check says of this transaction's own rows."""
    org = path.made.organisation_id
    head = tx.session.get(LogHead, org)
    system = SystemEntries(tx.session, org)
    opener = Opener(path.installation.keystore, tx.session, head, system)
    return [f"{one.where}: {one.message}" for one in register_differences(opener)]
