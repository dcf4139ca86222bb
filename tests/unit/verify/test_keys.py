"""Bundles of a log whose keys change: before, while both sign, and after."""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest

from consentledger.ledger import merkle
from consentledger.ledger.bundle import evidence_signer
from consentledger.ledger.checkpoint import Checkpoint, sign_checkpoint
from consentledger.ledger.note import Signer
from consentledger.verify.bundle import verify_bundle
from consentledger.verify.report import Report
from tests.unit.verify.bundles import BundledLog, wrong
from tests.unit.verify.memory import ORIGIN, Contact

OLD, NEW = Signer.from_seed(ORIGIN, bytes(range(32))), Signer.from_seed(ORIGIN, b"n" * 32)


@dataclass
class RotatedLog(BundledLog):
    """A log that several keys sign."""

    signers: list[Signer] = field(default_factory=lambda: [OLD])
    policy_keys: list[Signer] = field(default_factory=lambda: [OLD])

    def checkpoint(self, size: int | None = None) -> str:
        hashes = [b.leaf_hash for b in self.built[:size]]
        head = Checkpoint(self.origin, len(hashes), merkle.root_of(hashes))
        return sign_checkpoint(head, self.signers)

    def policy(self) -> bytes:
        return policy(*self.policy_keys)

    def rotate(self, key: Signer = NEW, evidence: bytes = b"e" * 32) -> int:
        self.evidence_seed = evidence
        vkey = evidence_signer(self.origin, evidence).vkey
        self.signers = [key, *self.signers]
        self.policy_keys = self.signers
        return self.add("log.key", {}, plain={"log_key": key.vkey, "evidence_key": vkey})


def policy(*signers: Signer) -> bytes:
    return b"".join(f"log {signer.vkey}\n".encode() for signer in signers) + b"quorum none\n"


def under(data: bytes, *signers: Signer, since: bytes | None = None) -> Report:
    return verify_bundle(io.BytesIO(data), policy=policy(*signers), since=since)


def rotated() -> tuple[RotatedLog, Contact, int]:
    log, anna = RotatedLog(), Contact("anna")
    log.request(anna)
    index = log.rotate()
    log.mail(anna)
    return log, anna, index


@pytest.mark.parametrize("tiled", [False, True], ids=["pairs", "tiles"])
def test_while_both_sign_either_policy_holds(tiled: bool) -> None:
    log, anna, index = rotated()
    data = log.tiled([anna]) if tiled else log.bundle([anna])
    for keys in ([NEW], [NEW, OLD]):
        report = under(data, *keys)
        assert report.exit_code == 0, report.text()
        assert "key changed" not in report.text()
    report = under(data, OLD)
    assert report.exit_code == 0, report.text()
    assert f"changed at entry {index}" in report.text()


@pytest.mark.parametrize("tiled", [False, True], ids=["pairs", "tiles"])
def test_afterwards_the_older_policy_is_told_why(tiled: bool) -> None:
    log, anna, index = rotated()
    log.signers = log.policy_keys = [NEW]
    data = log.tiled([anna]) if tiled else log.bundle([anna])
    assert under(data, NEW).exit_code == 0
    report = under(data, OLD)
    assert wrong(report) == [("checkpoint", "log.key")]
    assert f"changed at entry {index}" in report.text()
    stranger = under(data, Signer.from_seed(ORIGIN, b"s" * 32))
    assert wrong(stranger) == [("checkpoint", "c2sp.signed-note")]


def test_before_it_the_newer_policy_alone_does_not_hold() -> None:
    log, anna = RotatedLog(), Contact("anna")
    log.request(anna)
    data = log.bundle([anna])
    assert under(data, OLD).exit_code == under(data, NEW, OLD).exit_code == 0
    assert under(data, NEW).exit_code == 1


@pytest.mark.parametrize("signers", [[OLD], [OLD, Signer.from_seed(ORIGIN, b"s" * 32)]])
def test_the_older_key_alone_signs_nothing_behind_the_change(signers: Sequence[Signer]) -> None:
    log, anna, index = rotated()
    log.signers = list(signers)
    report = under(log.bundle([anna]), OLD, NEW)
    assert wrong(report) == [(f"entries/{index}.disclosures", "log.key")]


def test_a_key_that_the_log_does_not_name_is_not_trusted() -> None:
    log, anna = RotatedLog(), Contact("anna")
    log.request(anna)
    log.signers = [OLD, NEW]
    assert wrong(under(log.bundle([anna]), NEW)) == [("entries/0.disclosures", "genesis")]


def test_the_older_evidence_key_signs_no_more_bundles() -> None:
    log, anna, _ = rotated()
    log.evidence_seed = bytes(range(1, 33))
    assert wrong(under(log.bundle([anna]), NEW)) == [("manifest", "c2sp.signed-note")]


def test_a_key_of_another_log_is_named() -> None:
    log, anna, _ = rotated()
    log.signers = [OLD, NEW]
    other = Signer.from_seed("else.example/log/x", b"n" * 32)
    index = log.add("log.key", {}, plain={"log_key": other.vkey, "evidence_key": log.evidence.vkey})
    assert wrong(under(log.bundle([anna]), NEW)) == [(f"entries/{index}.disclosures", "log.key")]


def test_a_checkpoint_from_before_the_change_still_counts() -> None:
    log = RotatedLog()
    held = log.checkpoint().encode()
    size = len(log.built)
    log.rotate()
    log.signers = log.policy_keys = [NEW]
    hashes = [b.leaf_hash for b in log.built]
    proof = merkle.consistency_proof(size, len(hashes), merkle.nodes_of(hashes))

    def with_proof(found: dict[str, bytes]) -> None:
        lines = "".join(f"{base64.b64encode(hash_).decode()}\n" for hash_ in proof)
        found[f"consistency/{size}.txt"] = lines.encode()

    report = under(log.bundle(change=with_proof), NEW, since=held)
    assert report.exit_code == 0, report.text()
    assert "only grew since your checkpoint" in report.text()
