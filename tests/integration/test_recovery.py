"""After a restore: entries put back from an export or a bundle, or a new origin; then every stop is in the log."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from consentledger.app import create_app
from consentledger.contacts.models import LastSend
from consentledger.db.guard import Signed
from consentledger.db.installation import Installation
from consentledger.db.models import LogHead
from consentledger.erasure import service as erasure
from consentledger.erasure.commands import EraseContact
from consentledger.evidence.service import ExportEvidence, export
from consentledger.kernel.errors import FrozenError, InputError
from consentledger.ledger.policy import make_policy
from consentledger.recovery import finishing
from consentledger.recovery.archive import write_archive
from consentledger.recovery.model import Outcome
from consentledger.recovery.service import Recover, recover
from consentledger.replay.service import compare, fsck
from consentledger.sends.rules import read_sends
from consentledger.sends.service import report
from consentledger.verify.bundle import verify_bundle
from tests.support.restores import Backup, backup
from tests.web import acts
from tests.web.town import Shop, open_shop

STRANGER = "nobody@example.net"


@pytest.fixture
def client(installation: Installation) -> FlaskClient:
    return create_app(installation.settings, installation).test_client(use_cookies=False)


@pytest.fixture
def shop(installation: Installation) -> Shop:
    return open_shop(installation, "Alpenkraut")


@pytest.fixture
def earlier(installation: Installation, client: FlaskClient, shop: Shop) -> Iterator[Backup]:
    """A backup in which Maria has confirmed; not to be confused with what is signed by the end of a test's setup."""
    acts.press(client, acts.confirm_token(installation, client, shop))
    with backup(installation.database) as taken:
        yield taken


def head_of(installation: Installation, shop: Shop) -> tuple[str, Signed]:
    with installation.database.read() as session:
        query = select(LogHead).where(LogHead.organisation_id == shop.organisation_id)
        head = session.scalars(query).one()
    return head.origin, Signed(head.size, head.root)


def archive(installation: Installation, shop: Shop, path: Path, first: int = 0) -> Path:
    with installation.database.snapshot() as session, path.open("w") as file:
        write_archive(session, shop.organisation_id, first, file)
    return path


def run(installation: Installation, shop: Shop, *entries: Path, **more: bool) -> Outcome:
    return recover(installation, Recover(shop.organisation_id, entries, **more))  # type: ignore[arg-type]


def told(outcome: Outcome) -> str:
    return "\n".join(outcome.said)


def agrees(installation: Installation, shop: Shop) -> None:
    """The log is whole, and the state is what it says."""
    report = fsck(installation, shop.organisation_id)
    assert [f"{found.where}: {found.message}" for found in report.findings] == []
    assert compare(installation, shop.organisation_id) == []


def test_an_export_brings_everything_back_and_the_journalled_stops_come_first(
    installation: Installation, client: FlaskClient, shop: Shop, earlier: Backup, tmp_path: Path
) -> None:
    link = acts.unsubscribe_token(installation, shop)  # issued after the backup
    first = archive(installation, shop, tmp_path / "first.jsonl")
    assert acts.allowed(installation, shop)
    installation.signer.sign_due()
    size = head_of(installation, shop)[1].size
    second = archive(installation, shop, tmp_path / "second.jsonl", first=size - 1)
    signed = head_of(installation, shop)
    earlier.restore()
    sender = f"{shop.number}-{shop.sender_id.hex}"
    assert client.post(f"/u/{link}", data={"act": "purpose"}).status_code == 202
    assert client.post("/stop", data={"email": STRANGER, "sender": sender}).status_code == 202

    without = run(installation, shop, first)
    assert without.frozen
    assert f"Not found in what was given: entries {size - 1}." in told(without)
    foretold = run(installation, shop, first, second, dry_run=True)
    assert foretold.frozen
    assert "2 entries can be put back." in told(foretold)
    assert "2 stops from the journal. Nothing was changed." in told(foretold)
    with pytest.raises(FrozenError):
        acts.allowed(installation, shop)

    done = run(installation, shop, first, second)
    assert not done.frozen, told(done)
    assert "2 entries were put back; the tree is what was signed." in told(done)
    assert "2 stops of the journal were recorded." in told(done)
    origin, head = head_of(installation, shop)
    assert origin == signed[0]
    assert head.size == signed[1].size + 2
    assert acts.last_kinds(installation, shop, 2) == ["consent.withdrawn/1", "objection.recorded/1"]
    assert not acts.allowed(installation, shop), (
        "the link's permit is known again, and so is whose it is"
    )
    agrees(installation, shop)
    assert client.post(f"/u/{link}", data={"act": "purpose"}).status_code == 200
    assert list(installation.journal.pending("stop")) == []
    assert "Nothing has to be done." in told(run(installation, shop))


def test_an_export_brings_back_what_was_reported_sent(
    installation: Installation, shop: Shop, earlier: Backup, tmp_path: Path
) -> None:
    permit = link_permit(installation, acts.unsubscribe_token(installation, shop))
    body = {"sends": [{"permit": permit, "status": "sent", "message_id": "1@mail.example"}]}
    with installation.database.begin() as tx:
        report(tx, read_sends(body, shop.organisation_id, "key:test"))
    installation.signer.sign_due()
    kept = archive(installation, shop, tmp_path / "all.jsonl")
    earlier.restore()
    done = run(installation, shop, kept)
    assert not done.frozen, told(done)
    agrees(installation, shop)
    with installation.database.read() as session:
        assert len(session.scalars(select(LastSend.sent_on)).all()) == 1


def test_a_bundle_brings_back_what_it_shows(
    installation: Installation, client: FlaskClient, shop: Shop, earlier: Backup, tmp_path: Path
) -> None:
    sender = f"{shop.number}-{shop.sender_id.hex}"
    assert client.post("/stop", data={"email": acts.MARIA, "sender": sender}).status_code == 200
    path = tmp_path / "bundle.zip"
    with path.open("w+b") as file:
        export(installation, ExportEvidence(shop.organisation_id, acts.MARIA), file)
    signed = head_of(installation, shop)
    earlier.restore()
    with pytest.raises(FrozenError):
        acts.allowed(installation, shop)
    other = tmp_path / "other.zip"
    other.write_bytes(path.read_bytes())
    path.write_bytes(b"no bundle")
    with pytest.raises(InputError, match=r"neither an export of this log nor a bundle"):
        run(installation, shop, path)
    path.write_bytes(other.read_bytes())
    done = run(installation, shop, path, _bundle_of_another(installation, tmp_path))
    assert not done.frozen, told(done)
    assert "another.zip is of another log and was not read." in told(done)
    assert "1 entries were put back" in told(done)
    assert "stay shut" not in told(done)
    assert head_of(installation, shop) == signed
    assert not acts.allowed(installation, shop)
    agrees(installation, shop)


def _bundle_of_another(installation: Installation, folder: Path) -> Path:
    """A bundle whose entries have the same indexes."""
    client = create_app(installation.settings, installation).test_client(use_cookies=False)
    shop = open_shop(installation, "Another")
    acts.press(client, acts.confirm_token(installation, client, shop))
    path = folder / "another.zip"
    with path.open("w+b") as file:
        export(installation, ExportEvidence(shop.organisation_id, acts.MARIA), file)
    return path


def test_entries_whose_keys_are_gone_stay_shut_and_the_log_says_so(
    installation: Installation, client: FlaskClient, shop: Shop, earlier: Backup, tmp_path: Path
) -> None:
    """The keys stand in the main database here: those of people who came after the backup went with it."""
    acts.confirm_token(installation, client, shop, "late@example.org")
    installation.signer.sign_due()
    kept = archive(installation, shop, tmp_path / "all.jsonl")
    size = head_of(installation, shop)[1].size
    earlier.restore()
    before = head_of(installation, shop)[1].size
    done = run(installation, shop, kept)
    assert not done.frozen, told(done)
    assert f"{size - before} entries stay shut" in told(done)
    assert acts.last_kinds(installation, shop, 1) == ["log.erasure/2"]
    report = fsck(installation, shop.organisation_id)
    assert [found.message for found in report.findings] == []
    bundle = io.BytesIO()
    export(installation, ExportEvidence(shop.organisation_id, acts.MARIA), bundle)
    policy = make_policy([installation.signer.vkey(shop.origin)]).text().encode()
    assert verify_bundle(bundle, policy=policy).exit_code == 0


def test_an_erasure_that_the_backup_does_not_know_is_done_again(
    installation: Installation, shop: Shop, earlier: Backup, tmp_path: Path
) -> None:
    organisation_id, database = shop.organisation_id, installation.database
    with database.begin() as tx:
        erasure.request_erasure(tx, EraseContact(organisation_id, acts.MARIA, "test", now=True))
    assert erasure.collect_requested(database, organisation_id, None, installation.journal) == 1
    installation.signer.sign_due()
    kept = archive(installation, shop, tmp_path / "all.jsonl")
    earlier.restore()
    with pytest.raises(FrozenError):
        acts.allowed(installation, shop)
    done = run(installation, shop, kept)
    assert not done.frozen, told(done)
    assert "1 erasures of the journal were asked for again" in told(done)
    assert not acts.allowed(installation, shop)
    assert erasure.erase_due(database, None, installation.journal) == 1


def test_changed_entries_are_refused(
    installation: Installation, shop: Shop, earlier: Backup, tmp_path: Path
) -> None:
    acts.allowed(installation, shop)
    installation.signer.sign_due()
    kept = archive(installation, shop, tmp_path / "all.jsonl")
    kept.write_text(kept.read_text().replace("kind permits.issued/2", "kind permits.voided/2"))
    earlier.restore()
    before = head_of(installation, shop)
    outcome = run(installation, shop, kept)
    assert outcome.frozen
    assert "do not lead from this database to what was signed" in told(outcome)
    assert head_of(installation, shop) == before


def test_a_recovery_that_was_cut_off_is_run_again(
    installation: Installation,
    client: FlaskClient,
    shop: Shop,
    earlier: Backup,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    link = acts.unsubscribe_token(installation, shop)
    installation.signer.sign_due()
    kept = archive(installation, shop, tmp_path / "all.jsonl")
    earlier.restore()
    assert client.post(f"/u/{link}", data={"act": "purpose"}).status_code == 202

    class CutOffError(Exception):
        pass

    def cut_off(*_: object) -> None:
        raise CutOffError

    for name, owner in (("rebuild", finishing), ("mark_done", type(installation.journal))):
        with monkeypatch.context() as patched:
            patched.setattr(owner, name, cut_off)
            with pytest.raises(CutOffError):
                run(installation, shop, kept)
        assert installation.guard.frozen(shop.origin), "nobody may send in between"
    size = head_of(installation, shop)[1].size
    done = run(installation, shop, kept)
    assert not done.frozen, told(done)
    assert head_of(installation, shop)[1].size == size, (
        "the stop had committed: it is not done twice"
    )
    assert not acts.allowed(installation, shop)
    agrees(installation, shop)


def test_a_fork_goes_on_under_a_new_origin_and_its_evidence_verifies(
    installation: Installation, client: FlaskClient, shop: Shop, earlier: Backup, tmp_path: Path
) -> None:
    link = acts.unsubscribe_token(installation, shop)
    installation.signer.sign_due()
    kept = archive(installation, shop, tmp_path / "all.jsonl")
    earlier.restore()
    watch, installation.log.watch = installation.log.watch, None
    acts.allowed(installation, shop)  # somebody appended to the restored copy elsewhere
    installation.log.watch = watch
    assert client.post(f"/u/{link}", data={"act": "purpose"}).status_code == 202
    outcome = run(installation, shop, kept)
    assert outcome.frozen
    assert "The database was forked" in told(outcome)
    assert "Entries cannot be replayed upon a fork." in told(outcome)

    signed = installation.guard.read(shop.origin)
    assert signed is not None
    assert "Nothing was changed." in told(run(installation, shop, new_origin=True, dry_run=True))
    assert head_of(installation, shop)[0] == shop.origin
    done = run(installation, shop, new_origin=True)
    assert not done.frozen, told(done)
    assert link_permit(installation, link) in told(done), (
        "whose stop it is only the sender knows now"
    )
    origin, head = head_of(installation, shop)
    assert origin != shop.origin
    assert (installation.guard.frozen(shop.origin) or "").startswith("given up")
    assert installation.guard.state(origin) == (head, None)
    assert acts.last_kinds(installation, shop, 2) == ["log.genesis/2", "objection.recorded/1"]
    agrees(installation, shop)
    assert acts.allowed(installation, shop, STRANGER) is False
    assert (
        client.post(
            "/stop", data={"email": acts.MARIA, "sender": f"{shop.number}-{shop.sender_id.hex}"}
        ).status_code
        == 200
    )
    bundle = io.BytesIO()
    export(installation, ExportEvidence(shop.organisation_id, acts.MARIA), bundle)
    policy = make_policy([installation.signer.vkey(origin)]).text().encode()
    report = verify_bundle(bundle, policy=policy)
    assert report.exit_code == 0, report.text()
    old = make_policy([installation.signer.vkey(shop.origin)]).text().encode()
    assert verify_bundle(bundle, policy=old).exit_code == 1


def link_permit(installation: Installation, token: str) -> str:
    from base64 import urlsafe_b64encode

    link = installation.tokens.read("unsubscribe", token)
    assert link is not None
    return urlsafe_b64encode(link).decode()


def test_a_log_whose_key_was_stolen_goes_on_under_a_new_origin(
    installation: Installation, shop: Shop, client: FlaskClient, earlier: Backup
) -> None:
    installation.signer.sign_due()
    signed = installation.guard.read(shop.origin)
    assert signed is not None
    done = run(installation, shop, new_origin=True)
    assert not done.frozen, told(done)
    origin, _ = head_of(installation, shop)
    with installation.database.read() as session:
        from consentledger.db.models import LogLeaf

        leaf = session.scalar(
            select(LogLeaf.leaf).where(
                LogLeaf.organisation_id == shop.organisation_id, LogLeaf.entry_index == signed.size
            )
        )
    assert leaf is not None
    assert f"p origin {origin}\n".encode() in leaf
    assert f"p previous {shop.origin} {signed.size} ".encode() in leaf
    assert acts.allowed(installation, shop)
    assert run(installation, shop).frozen is False
