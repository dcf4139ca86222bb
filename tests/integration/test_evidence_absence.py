"""Bundles that show that no later entry exists, on both engines; and what an operator who hides one gets."""

from __future__ import annotations

import io
import zipfile

import pytest
import time_machine
from sqlalchemy import delete, func, select, text

from consentledger.contacts.models import Contact
from consentledger.db.installation import Installation
from consentledger.db.log.index import TAIL, index_due
from consentledger.db.models import ContactEntry, LogIndex
from consentledger.kernel.errors import IntegrityError
from consentledger.verify.bundle import verify_bundle
from tests.factories import create_published_form
from tests.support.evidence import ANNA, BERT, Path
from tests.support.logs import SmallLog

SHOWN = "No later entry under contact"


@pytest.fixture
def path(installation: Installation) -> Path:
    return Path(installation, create_published_form(installation.database, installation.settings))


def confirmed(path: Path) -> None:
    link = path.decide(path.request())
    assert link
    path.press(link)
    path.decide(path.request(BERT))


def fill(path: Path, count: int) -> None:
    SmallLog(path.installation.database, path.made.organisation_id).fill(count)


def names(data: bytes) -> list[str]:
    with zipfile.ZipFile(io.BytesIO(data)) as opened:
        return opened.namelist()


def indexes(path: Path) -> int:
    with path.installation.database.read() as session:
        return session.scalar(select(func.count()).select_from(LogIndex)) or 0


def test_a_short_log_is_shown_leaf_by_leaf(path: Path) -> None:
    confirmed(path)
    data, report = path.verified()
    assert SHOWN in report.text()
    assert "in none of its 0 indexes" in report.text()
    assert [name for name in names(data) if name.startswith("tail/")]
    assert indexes(path) == 0


def test_a_long_tail_is_indexed_first_and_only_once(path: Path) -> None:
    confirmed(path)
    fill(path, TAIL + 1)
    data, report = path.verified()
    assert "in none of its 1 indexes, nor in the 1 entries behind them" in report.text()
    assert not [name for name in names(data) if name.startswith("tail/")]
    assert path.verified()[0] == data
    assert indexes(path) == 1


def test_days_of_a_consent(path: Path) -> None:
    with time_machine.travel("2036-03-02T12:00:00+00:00", tick=True) as clock:
        confirmed(path)
        for _ in range(3):
            clock.shift(86_400)
            path.permit(BERT, ANNA)
            assert index_due(path.installation.database) >= 1
        path.leave(path.permit())
        _, report = path.verified()
        assert "in none of its 3 indexes" in report.text()
        clock.shift(86_400)
        index_due(path.installation.database)
        _, report = path.verified()
        assert "in none of its 4 indexes, nor in the 1 entries behind them" in report.text()
        assert SHOWN in path.verified(BERT)[1].text()


def test_in_tiles_too(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("consentledger.evidence.write.SMALL", 10)
    confirmed(path)
    fill(path, 300)
    path.export()
    for number in range(3):
        path.request(f"noise{number}@elsewhere.example")
    data, report = path.verified()
    assert "in none of its 1 indexes, nor in the 4 entries behind them" in report.text()
    assert not [name for name in names(data) if name.startswith(("tail/", "entries/"))]


def test_without_labels_nothing_of_it(path: Path) -> None:
    confirmed(path)
    fill(path, TAIL + 1)
    data, report = path.verified(labels=False)
    assert SHOWN not in report.text()
    assert "no later entry of the contact exists is not shown" in report.text()
    assert not [name for name in names(data) if name.startswith(("tail/", "absence/"))]
    assert indexes(path) == 0


def forget_last(path: Path) -> int:
    """Does what an operator would who wants a stop gone: the contact's last entry is nobody's now."""
    database, org = path.installation.database, path.made.organisation_id
    with database.begin() as tx:
        contacts = select(ContactEntry.contact_id, func.max(ContactEntry.entry_index)).where(
            ContactEntry.organisation_id == org
        )
        rows = tx.session.execute(
            contacts.group_by(ContactEntry.contact_id).order_by(
                func.max(ContactEntry.entry_index).desc()
            )
        ).all()
        index = rows[0][1]
        tx.session.execute(
            delete(ContactEntry).where(
                ContactEntry.organisation_id == org, ContactEntry.entry_index == index
            )
        )
        assert tx.session.get(Contact, (org, rows[0][0])) is not None
    return int(index)


def test_a_stop_that_the_operator_forgets(path: Path) -> None:
    confirmed(path)
    path.leave(path.permit())
    hidden = forget_last(path)
    data, _ = path.export()
    report = verify_bundle(io.BytesIO(data), policy=path.policy())
    assert report.exit_code == 1
    assert f"entry {hidden} is this contact's, but it is not opened" in report.text()
    assert SHOWN not in report.text()
    fill(path, TAIL)
    with pytest.raises(IntegrityError, match="not absent"):
        path.export()


@pytest.mark.parametrize("labels", ["substr(labels, 33)", "'" + "x" * 32 + "'"])
def test_labels_that_were_changed_are_no_evidence(path: Path, labels: str) -> None:
    confirmed(path)
    fill(path, TAIL + 1)
    path.export()
    with path.installation.database.begin() as tx:
        if path.installation.database.name == "sqlite":
            tx.session.execute(text("DROP TRIGGER log_index_no_update"))
        else:
            tx.session.execute(text("SET LOCAL session_replication_role = replica"))
        tx.session.execute(text(f"UPDATE log_index SET labels = {labels}"))
    with pytest.raises(IntegrityError, match=r"log_index .*log fsck"):
        path.export()
