"""Whole bundles under attack by strangers, who can change files but not sign them as the log."""

from __future__ import annotations

import base64
import io
import zipfile
from collections.abc import Callable

import pytest

from consentledger.kernel.errors import UnusableError, VerificationError
from consentledger.ledger import merkle
from consentledger.ledger.checkpoint import Checkpoint, sign_checkpoint
from consentledger.ledger.note import Signer
from consentledger.ledger.proof import parse_tlog_proof
from consentledger.verify.bundle import verify_bundle
from consentledger.verify.report import Report
from tests.unit.verify.bundles import BundledLog, check, journey, members, wrong
from tests.unit.verify.memory import ORIGIN, PURPOSE, SENDER, Contact


def rezip(data: bytes, change: Callable[[str, bytes], bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(out, "w") as new:
        for info in old.infolist():
            new.writestr(info.filename, change(info.filename, old.read(info)))
    return out.getvalue()


@pytest.mark.parametrize("tiled", [False, True], ids=["pairs", "tiles"])
def test_the_journey_is_valid(tiled: bool) -> None:
    log, anna, _, _ = journey()
    data = log.tiled([anna]) if tiled else log.bundle([anna])
    report = check(data, log)
    assert report.exit_code == 0, report.text()
    assert report.text().endswith("VALID: every check held, under the policy you gave.\n")
    assert report.contacts["anna"] == {f"{SENDER} {PURPOSE} email": "withdrawn"}
    assert report.contacts["bert"] == {f"{SENDER} {PURPOSE} email": "requested"}
    own = verify_bundle(io.BytesIO(data))
    assert (own.exit_code, own.ok) == (3, True)
    assert "CONSISTENT WITH ITSELF ONLY" in own.text()


@pytest.mark.parametrize("tiled", [False, True], ids=["pairs", "tiles"])
def test_one_changed_bit_in_any_member_is_named(tiled: bool) -> None:
    log, anna, _, _ = journey()
    tail = log.object(Contact("carl"))
    data = log.tiled([anna]) if tiled else log.bundle([anna], tail=[tail])
    assert check(data, log).exit_code == 0
    with zipfile.ZipFile(io.BytesIO(data)) as opened:
        names = [info.filename for info in opened.infolist() if info.file_size]
    for number, name in enumerate(names):
        place = (0.0, 0.5, 0.99)[number % 3]

        def flip(path: str, content: bytes, name: str = name, place: float = place) -> bytes:
            if path != name:
                return content
            changed = bytearray(content)
            changed[int(len(content) * place)] ^= 1
            return bytes(changed)

        report = check(rezip(data, flip), log)
        assert report.exit_code == 1, name
        files = [file for file, rule in wrong(report) if rule]
        assert name in files, (name, report.text())


def test_a_leaf_swapped() -> None:
    log, anna, _, _ = journey()

    def swap(found: dict[str, bytes]) -> None:
        one, two = "entries/11.tlog-proof", "entries/14.tlog-proof"
        first, second = parse_tlog_proof(found[one]), parse_tlog_proof(found[two])
        text = (
            found[one]
            .decode()
            .replace(
                base64.b64encode(first.extra or b"").decode(),
                base64.b64encode(second.extra or b"").decode(),
            )
        )
        found[one] = text.encode()

    report = members(log, [anna], swap)
    assert ("entries/11.tlog-proof", "rfc9162.inclusion") in wrong(report)


def test_two_whole_entries_swapped() -> None:
    log, anna, _, _ = journey()

    def swap(found: dict[str, bytes]) -> None:
        one, two = "entries/11.tlog-proof", "entries/14.tlog-proof"
        found[one], found[two] = found[two], found[one]

    report = members(log, [anna], swap)
    assert ("entries/11.tlog-proof", "c2sp.tlog-proof") in wrong(report)


def test_a_proof_from_another_tree() -> None:
    log, anna, _, _ = journey()
    other, _, _, _ = journey()

    def swap(found: dict[str, bytes]) -> None:
        hashes = [b.leaf_hash for b in other.built]
        path = merkle.inclusion_proof(11, len(hashes), merkle.nodes_of(hashes))
        proof = parse_tlog_proof(found["entries/11.tlog-proof"])
        found["entries/11.tlog-proof"] = (
            type(proof)(11, tuple(path), proof.checkpoint, proof.extra).to_text().encode()
        )

    report = members(log, [anna], swap)
    assert ("entries/11.tlog-proof", "rfc9162.inclusion") in wrong(report)


def test_a_proof_under_another_checkpoint() -> None:
    log, anna, _, _ = journey()
    shorter = log.checkpoint(12)

    def swap(found: dict[str, bytes]) -> None:
        proof = parse_tlog_proof(found["entries/11.tlog-proof"])
        found["entries/11.tlog-proof"] = (
            type(proof)(11, proof.hashes, shorter, proof.extra).to_text().encode()
        )

    report = members(log, [anna], swap)
    assert ("entries/11.tlog-proof", "c2sp.tlog-proof") in wrong(report)


def test_a_checkpoint_by_another_key() -> None:
    log, anna, _, _ = journey()
    forger = BundledLog(log_seed=b"f" * 32)
    report = check(log.bundle([anna]), forger)
    assert wrong(report) == [("checkpoint", "c2sp.signed-note")]


def test_a_whole_log_by_another_key() -> None:
    forged = BundledLog(log_seed=b"f" * 32)
    report = check(forged.bundle(), BundledLog())
    assert wrong(report) == [("checkpoint", "c2sp.signed-note")]
    assert verify_bundle(io.BytesIO(forged.bundle())).exit_code == 3


def test_a_checkpoint_of_another_size() -> None:
    log, anna, _, _ = journey()

    def forge(found: dict[str, bytes]) -> None:
        bigger = Checkpoint(ORIGIN, 99, bytes(32))
        found["checkpoint"] = sign_checkpoint(bigger, [log.signer]).encode()

    report = members(log, [anna], forge)
    assert ("entries/0.tlog-proof", "c2sp.tlog-proof") in wrong(report)


def test_a_leaf_swapped_in_a_tile() -> None:
    log, anna, _, _ = journey()
    other, _, _, _ = journey()

    def swap(found: dict[str, bytes]) -> None:
        path = f"tile/entries/000.p/{len(log.built)}"
        leaf = log.built[11].leaf
        found[path] = found[path].replace(leaf, other.built[11].leaf)

    report = members(log, [anna], swap, tiled=True)
    assert wrong(report) == [(f"tile/entries/000.p/{len(log.built)}", "c2sp.tlog-tiles")]


@pytest.mark.parametrize("path", ["checkpoint", "README.txt", "policy.txt", "manifest"])
def test_a_required_file_is_missing(path: str) -> None:
    log, anna, _, _ = journey()
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(log.bundle([anna]))) as old, zipfile.ZipFile(out, "w") as new:
        for info in old.infolist():
            if info.filename != path:
                new.writestr(info.filename, old.read(info))
    assert wrong(check(out.getvalue(), log)) == [(path, "bundle.layout")]


def test_a_manifest_by_another_evidence_key() -> None:
    log, anna, _, _ = journey()
    log.evidence_seed = b"x" * 32
    assert wrong(check(log.bundle([anna]), log)) == [("manifest", "c2sp.signed-note")]


def test_unusable_input() -> None:
    log, anna, _, _ = journey()
    data = log.bundle([anna])
    with pytest.raises(UnusableError):
        verify_bundle(io.BytesIO(b"%PDF-1.7" * 10))
    with pytest.raises(UnusableError, match="policy"):
        verify_bundle(io.BytesIO(data), policy=b"quorum none\n")
    with pytest.raises(UnusableError, match="not defined"):
        verify_bundle(io.BytesIO(data), policy=log.policy().replace(b"quorum none", b"quorum W"))
    with pytest.raises(UnusableError, match="older checkpoint"):
        verify_bundle(io.BytesIO(data), policy=log.policy(), since=b"nonsense")


def test_neither_or_both_forms() -> None:
    log, anna, _, _ = journey()

    def empty(found: dict[str, bytes]) -> None:
        for path in [p for p in found if p.startswith("entries/")]:
            del found[path]

    assert (None, "bundle.layout") in wrong(members(log, [anna], empty))


def test_a_hostile_manifest_can_not_sign_for_others() -> None:
    """A writer with another key makes its own genesis; the policy from outside refuses it."""
    thief = BundledLog(log_seed=b"t" * 32, evidence_seed=b"u" * 32)
    stranger = Signer.from_seed(ORIGIN, b"t" * 32)
    assert stranger.vkey == thief.signer.vkey
    assert check(thief.bundle(), BundledLog()).exit_code == 1


def test_a_failure_in_many_entries_is_counted() -> None:
    report = Report(outside_policy=True)
    for n in range(300):
        report.failed(2, VerificationError("x", rule="r", file=str(n)))
    assert "and 100 more failures" in report.text()
    assert report.verdict() == "INVALID: 300 check(s) failed."
