"""LOG_KEY and EVIDENCE_KEY rotate: an overlap in which both sign, bundles of every time, and who is refused."""

from __future__ import annotations

import io
import secrets
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import select

from consentledger.app import create_app
from consentledger.db.fsck import fsck
from consentledger.db.installation import Installation
from consentledger.db.models import LogCheckpoint
from consentledger.db.signing.checkpoints import latest_checkpoint
from consentledger.db.signing.named import KeyReader, name_keys, named_keys
from consentledger.kernel.errors import ConfigurationError, UnavailableError
from consentledger.ledger.checkpoint import open_checkpoint
from consentledger.ledger.note import Verifier
from consentledger.verify.bundle import verify_bundle
from consentledger.web.rendering import WELL_KNOWN_PATH
from tests.factories import create_organisation, create_published_form
from tests.support.evidence import Path as Story
from tests.support.logs import setting
from tests.support.rotation import Command, Opened, openings
from tests.support.signing import example_command, script


@pytest.fixture
def opened(environment: dict[str, str]) -> Iterator[Opened]:
    with openings(environment) as opened:
        yield opened


@pytest.fixture
def keys(environment: dict[str, str]) -> dict[str, str]:
    """The lists of the overlap: the keys that are there, and a newer one each."""
    return {
        name: f"{environment[f'CONSENTLEDGER_{name}']},{secrets.token_urlsafe(32)}"
        for name in ("LOG_KEY", "EVIDENCE_KEY")
    }


def newest(keys: dict[str, str]) -> dict[str, str]:
    """The lists after the overlap."""
    return {name: text.partition(",")[2] for name, text in keys.items()}


def policy(installation: Installation, origin: str) -> bytes:
    return f"log {installation.signer.vkey(origin)}\nquorum none\n".encode()


def outcome(bundle: bytes, trusted: bytes) -> tuple[int, str]:
    report = verify_bundle(io.BytesIO(bundle), policy=trusted)
    return report.exit_code, report.text()


def note_of(installation: Installation, story: Story) -> str:
    with installation.database.read() as session:
        published = latest_checkpoint(session, story.made.organisation_id)
    assert published is not None
    return published.note


def grow(installation: Installation, story: Story) -> None:
    with installation.database.begin() as tx:
        tx.log.append(tx, story.made.organisation_id, [setting()])


def test_bundles_verify_before_during_and_after_a_rotation(
    installation: Installation, opened: Opened, command: Command, keys: dict[str, str]
) -> None:
    form = create_published_form(installation.database, installation.settings)
    before = Story(installation, form)
    link = before.decide(before.request())
    assert link is not None
    before.press(link)
    origin, old = form.organisation.origin, policy(installation, form.organisation.origin)
    first = before.export()[0]
    assert outcome(first, old)[0] == 0

    during = Story(opened(**keys), form)
    new = policy(during.installation, origin)
    with pytest.raises(ConfigurationError, match="consentledger log rotate-key"):
        during.export()
    code, said, error = command("log", "rotate-key", **keys)
    assert (code, error) == (0, "")
    assert f"{origin}: entry " in said
    assert "names these keys already" in command("log", "rotate-key", **keys)[1]
    second = during.export()[0]
    assert outcome(second, new)[0] == 0
    assert outcome(second, new)[1].count("key changed") == 0
    code, text = outcome(second, old)
    assert code == 0
    assert "The log's key changed at entry" in text
    with pytest.raises(ConfigurationError, match="restart this process"):
        before.export()  # a process that still runs with the older list

    after = Story(opened(**newest(keys)), form)
    grow(after.installation, after)
    third = after.export()[0]
    assert outcome(third, new)[0] == 0
    code, text = outcome(third, old)
    assert code == 1
    assert "the log's key changed at entry" in text
    assert outcome(first, old)[0] == outcome(second, new)[0] == 0
    # Checkpoints by the older key alone are still there, and still hold: the log names it.
    report = fsck(after.installation, form.organisation_id, openings=True)
    assert report.ok, report.findings
    assert report.checkpoints >= 3


def test_both_keys_sign_while_both_are_listed_and_the_policy_names_both(
    installation: Installation, opened: Opened, command: Command, keys: dict[str, str]
) -> None:
    story = Story(installation, create_published_form(installation.database, installation.settings))
    origin = story.made.organisation.origin
    both = opened(**keys)
    command("log", "rotate-key", **keys)
    old, new = (Verifier.from_vkey(i.signer.vkey(origin)) for i in (installation, both))
    note = note_of(both, story)
    assert open_checkpoint(note, [old]) == open_checkpoint(note, [new])
    told = create_app(both.settings, both).test_client().get(WELL_KNOWN_PATH).json
    log = next(log for log in told["logs"] if log["origin"] == origin)
    assert log["verifier_keys"] == [new.vkey, old.vkey]
    lines = told["policy"].splitlines()
    assert lines.index(f"log {new.vkey}") < lines.index(f"log {old.vkey}")
    with both.database.read() as session:
        named = named_keys(session, story.made.organisation_id, 1_000)
    assert [keys.log_key for keys in named] == [old.vkey, new.vkey]
    assert named[0].evidence_key != named[1].evidence_key == log["evidence_key"]


def test_a_rotation_of_one_organisation_leaves_the_others(
    installation: Installation, opened: Opened, command: Command, keys: dict[str, str]
) -> None:
    one, two = (
        create_organisation(installation.database, installation.settings, name=name)
        for name in ("One", "Two")
    )
    both = opened(**keys)
    assert command("log", "rotate-key", "--organisation", "One", **keys)[0] == 0
    with pytest.raises(ConfigurationError, match=two.origin):
        both.signer.sign_due()
    # The log that rotated was signed all the same, and an organisation made now names the newest key itself.
    assert both.signer.sign(one.organisation_id) is not None
    three = create_organisation(both.database, both.settings, name="Three")
    assert both.signer.sign(three.organisation_id) is not None
    assert command("log", "rotate-key", "--organisation", "Four", **keys)[0] == 1


def test_a_list_that_is_out_of_date_does_not_bring_the_old_key_back(
    installation: Installation, command: Command, keys: dict[str, str]
) -> None:
    create_organisation(installation.database, installation.settings)
    assert command("log", "rotate-key", **keys)[0] == 0
    turned = {name: ",".join(reversed(text.split(","))) for name, text in keys.items()}
    for lists in ({}, turned):
        code, said, error = command("log", "rotate-key", **lists)
        assert (code, said) == (78, "")
        assert "was replaced in this log by a newer one" in error


def test_two_rotations_at_once_append_one_entry(
    installation: Installation, opened: Opened, keys: dict[str, str]
) -> None:
    made = create_organisation(installation.database, installation.settings)
    both = opened(**keys)

    def rotate(_: int) -> int | None:
        with both.database.begin() as tx:
            return name_keys(
                tx, made.organisation_id, log_key=both.signer.vkey(made.origin),
                evidence_key=made.evidence_key, actor="operator",
            )  # fmt: skip

    with ThreadPoolExecutor(4) as pool:
        found = [index for index in pool.map(rotate, range(4)) if index is not None]
    assert len(found) == 1


def test_signers_of_every_age_at_once_publish_one_history(
    installation: Installation, opened: Opened, command: Command, keys: dict[str, str]
) -> None:
    story = Story(installation, create_published_form(installation.database, installation.settings))
    organisation_id, origin = story.made.organisation_id, story.made.organisation.origin
    both, after = opened(**keys), opened(**newest(keys))
    command("log", "rotate-key", **keys)
    new = Verifier.from_vkey(both.signer.vkey(origin))

    def sign(signer: Installation) -> bool:
        try:
            return signer.signer.sign(organisation_id) is not None
        except ConfigurationError:
            return False

    with ThreadPoolExecutor(6) as pool:
        for _ in range(4):
            grow(both, story)
            old, *others = pool.map(sign, [installation, both, after, both, after, both])
            assert not old
            assert any(others)
    with both.database.read() as session:
        query = select(LogCheckpoint).where(LogCheckpoint.organisation_id == organisation_id)
        rows = session.scalars(query.order_by(LogCheckpoint.size)).all()
    assert len(rows) >= 5
    for row in rows:
        signed = open_checkpoint(row.note, [new])
        assert (signed.size, signed.root) == (row.size, row.root)


def test_a_key_moves_into_a_hardware_module(
    installation: Installation,
    opened: Opened,
    command: Command,
    tmp_path: Path,
) -> None:
    story = Story(installation, create_published_form(installation.database, installation.settings))
    origin = story.made.organisation.origin
    installation.signer.sign_due()
    module = {"LOG_KEY_COMMAND": example_command(tmp_path)}
    code, said, error = command("log", "rotate-key", **module)
    assert (code, error) == (0, "")
    both, alone = opened(**module), opened(**module, LOG_KEY="")
    old, new = (Verifier.from_vkey(i.signer.vkey(origin)) for i in (installation, alone))
    assert new.vkey in said
    assert open_checkpoint(note_of(both, story), [old]) == open_checkpoint(
        note_of(both, story), [new]
    )
    grow(alone, story)
    assert alone.signer.sign(story.made.organisation_id) is not None
    assert new.vkey.split("+")[0] in note_of(alone, story)
    assert note_of(alone, story).count("\u2014") == 1
    broken = opened(LOG_KEY="", LOG_KEY_COMMAND="/bin/false")
    grow(broken, story)  # acts go on, whatever the module does
    with pytest.raises(UnavailableError, match="failed with exit code 1"):
        broken.signer.sign_due()
    assert command("log", "rotate-key", LOG_KEY="", LOG_KEY_COMMAND="/bin/false")[0] == 75
    assert alone.signer.sign_due() == 1


def test_whoever_forgets_the_second_step_is_told(
    installation: Installation, command: Command, keys: dict[str, str]
) -> None:
    """What an operator sees who added a key and forgot the second step."""
    create_organisation(installation.database, installation.settings)
    code, _, error = command("log", "checkpoint", **keys)
    assert code == 78
    assert "run `consentledger log rotate-key`" in error
    code, said, _ = command("secrets", "check", **keys)
    assert code == 78
    assert "LOG_KEY: the log names an older key: run `consentledger log rotate-key`" in said
    assert "EVIDENCE_KEY: the log names an older key" in said
    command("log", "rotate-key", **keys)
    code, said, _ = command("secrets", "check", **keys)
    assert (code, "FAIL" in said) == (0, False)


def test_a_key_that_can_not_sign_is_not_named(
    installation: Installation, command: Command, tmp_path: Path
) -> None:
    made = create_organisation(installation.database, installation.settings)
    good = example_command(tmp_path)
    half = script(tmp_path, f'[ "$1" = public ] && exec {good} public', "exit 9")
    code, said, error = command("log", "rotate-key", LOG_KEY_COMMAND=str(half))
    assert (code, said) == (75, "")
    assert "sign failed with exit code 9" in error
    with installation.database.read() as session:
        assert len(named_keys(session, made.organisation_id, 1_000)) == 1
    assert installation.signer.sign_due() == 1


def test_a_log_that_goes_on_under_a_new_origin_is_read_anew(installation: Installation) -> None:
    """A process that knew the longer log before a recovery must not miss the keys that stand below its end."""
    made = create_organisation(installation.database, installation.settings)
    reader, size = KeyReader(), 1_000  # as long as the log was before it was restored
    with installation.database.read() as session:
        first = reader.newest(session, made.organisation_id, made.origin, size)
    moved = f"{made.origin}x"
    with installation.database.begin() as tx:
        name_keys(
            tx, made.organisation_id, log_key=installation.signer.vkey(moved),
            evidence_key=made.evidence_key, actor="operator",
        )  # fmt: skip
    with installation.database.read() as session:
        newest = reader.newest(session, made.organisation_id, moved, size)
    assert first is not None
    assert newest is not None
    assert [first.log_key, newest.log_key] == [made.log_key, installation.signer.vkey(moved)]
