"""The auditor's steps in order over one bundle, offline: `verify_bundle`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import BinaryIO

from consentledger.kernel.errors import UnusableError, VerificationError
from consentledger.ledger import merkle, strict
from consentledger.ledger.bundle import MANIFEST, Bundle
from consentledger.ledger.checkpoint import Checkpoint, open_checkpoint
from consentledger.ledger.note import Verifier
from consentledger.ledger.policy import Policy, parse_policy
from consentledger.verify.absence import check_absence
from consentledger.verify.chain import check_chains, check_labels
from consentledger.verify.coverage import check_coverage, erasures_of
from consentledger.verify.decisions import Shown
from consentledger.verify.entries import Entry, read_entries
from consentledger.verify.keys import check_keys, explained, named_verifiers
from consentledger.verify.permits import check_permits
from consentledger.verify.records import check_records
from consentledger.verify.registers import check_registers
from consentledger.verify.report import Report
from consentledger.verify.rests import check_rests
from consentledger.verify.rulebook import read_rules
from consentledger.verify.sends import check_sends
from consentledger.verify.story import Story, stories
from consentledger.verify.times import check_times

REQUIRED = ("README.txt", "policy.txt", "checkpoint", MANIFEST)


def verify_bundle(
    file: BinaryIO, *, policy: bytes | None = None, since: bytes | None = None
) -> Report:
    """Verifies a bundle; `policy` is the file from outside, `since` a checkpoint held from before.

    Returns a report for exit codes 0, 1 and 3. Raises UnusableError (exit code 2) when the file is
    no bundle at all, or when the policy or the older checkpoint can't be used.
    """
    trusted = _outside(policy) if policy is not None else None
    report = Report(outside_policy=trusted is not None)
    try:
        bundle = Bundle(file)
        for path in REQUIRED:
            if path not in bundle:
                raise VerificationError("the file is missing", rule="bundle.layout", file=path)
    except VerificationError as error:
        report.failed(1, error)
        return report
    with report.step(1):
        _verify(bundle, trusted, since, report)
    return report


def _outside(data: bytes) -> Policy:
    try:
        return parse_policy(data)
    except VerificationError as error:
        raise UnusableError(f"the policy can't be used: {error}") from error


def _own_policy(bundle: Bundle, report: Report) -> Policy | None:
    try:
        return parse_policy(bundle.read("policy.txt"))
    except VerificationError as error:
        report.failed(1, error, "policy.txt")
        return None


def _verify(bundle: Bundle, outside: Policy | None, since: bytes | None, report: Report) -> None:
    with report.step(1, MANIFEST):
        report.all_failed(1, bundle.check_manifest())
    own = _own_policy(bundle, report)
    trusted = outside or own
    checkpoint = _checkpoint(bundle, trusted, report) if trusted else None
    if trusted is None or checkpoint is None:
        return
    note = bundle.read("checkpoint").decode("utf-8")
    before = report.failures
    try:
        found = read_entries(bundle, note, checkpoint, report)
    except VerificationError as error:
        report.failed(2, error)
        return
    report.entries = len(found.entries)
    report.passed(
        2, f"{len(found.entries)} entries are in the tree of the checkpoint.", since=before
    )
    check_keys(bundle, found.entries, checkpoint, trusted, report)
    if since is not None:
        known = [*trusted.logs, *named_verifiers(found.entries)]
        _consistent(bundle, checkpoint, since, known, report)
    erasures = erasures_of(found.entries, report)
    check_coverage(bundle, found.entries, erasures, report)
    before = report.failures
    broken = check_chains(found, report)
    labelled = check_labels(bundle, found, erasures, report)
    check_absence(bundle, found, checkpoint, labelled, report)
    told = stories(found.entries, broken)
    for story in told.values():
        report.all_failed(4, story.problems)
        report.contacts[story.contact] = {
            " ".join(key): story.standing.claim(key) for key in sorted(story.standing.consents)
        }
    published = check_rests(found.entries, report)
    report.passed(4, _told(report), since=before)
    check_records(bundle, told, published, report)
    _check_decisions(bundle, found.entries, told, report)
    check_times(found.entries, report)


def _check_decisions(
    bundle: Bundle, entries: Sequence[Entry], told: Mapping[str, Story], report: Report
) -> None:
    """Step 5: rules, registers and reports as the log has them, and every permit by them."""
    rules = read_rules(bundle, entries, report)
    listed = check_registers(bundle, entries, report)
    reports = check_sends(bundle, entries, report)
    check_permits(bundle, entries, told, rules, report, Shown(listed, reports))


def _told(report: Report) -> str:
    words: dict[str, int] = {}
    for consents in report.contacts.values():
        for state in consents.values():
            words[state] = words.get(state, 0) + 1
    states = ", ".join(f"{count} {word}" for word, count in sorted(words.items())) or "none"
    return f"The entries of {len(report.contacts)} contact(s) were replayed in order: {states}."


def _checkpoint(bundle: Bundle, policy: Policy, report: Report) -> Checkpoint | None:
    try:
        checkpoint = open_checkpoint(bundle.read("checkpoint"), policy.logs)
        if checkpoint.size == 0:
            raise VerificationError("the tree is empty: it shows nothing", rule="size")
    except VerificationError as error:
        report.failed(1, explained(bundle, policy, error), "checkpoint")
        return None
    whose = "the policy you gave" if report.outside_policy else "the bundle's own policy"
    report.passed(
        1,
        f"The checkpoint of {checkpoint.origin} at {checkpoint.size} entries is signed by a key of"
        f" {whose}.",
    )
    return checkpoint


def _consistent(
    bundle: Bundle,
    checkpoint: Checkpoint,
    since: bytes,
    known: Sequence[Verifier],
    report: Report,
) -> None:
    try:
        # One from before a rotation is signed by a key that the log itself named.
        old = open_checkpoint(since, known)
    except VerificationError as error:
        raise UnusableError(f"the older checkpoint can't be used: {error}") from error
    path = f"consistency/{old.size}.txt"
    with report.step(2, path if path in bundle else "checkpoint"):
        if old.origin != checkpoint.origin:
            raise VerificationError("the older checkpoint is another log's", rule="origin")
        if old.size > checkpoint.size:
            raise VerificationError(
                "the log is smaller than it was: it was cut short", rule="rfc9162.consistency"
            )
        proof: list[bytes] = []
        if old.size != checkpoint.size:
            proof = _hashes(bundle.read(path))
        merkle.verify_consistency(old.size, checkpoint.size, old.root, checkpoint.root, proof)
        report.passed(2, f"The log only grew since your checkpoint at {old.size} entries.")


def _hashes(data: bytes) -> list[bytes]:
    rule = "rfc9162.consistency"
    return [
        strict.base64_standard(line, rule=rule, what="a hash", length=32)
        for line in strict.lines(data, rule=rule, what="a consistency proof")
    ]
