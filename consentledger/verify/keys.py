"""Step 1, the keys: which ones the log names, whether they signed, and whether the policy's is among them."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import pairwise

from consentledger.kernel.errors import VerificationError
from consentledger.ledger.bundle import MANIFEST, Bundle
from consentledger.ledger.checkpoint import Checkpoint, open_checkpoint
from consentledger.ledger.note import Verifier, open_note
from consentledger.ledger.policy import Policy, parse_policy
from consentledger.verify.entries import Entry, read_entries
from consentledger.verify.origins import check_origins
from consentledger.verify.report import Report

RULE = "log.key"


@dataclass(frozen=True, slots=True)
class Named:
    """The keys that one `log.genesis` or `log.key` names."""

    entry: Entry
    log_key: str
    evidence_key: str


def check_keys(
    bundle: Bundle,
    entries: Sequence[Entry],
    checkpoint: Checkpoint,
    policy: Policy,
    report: Report,
) -> None:
    """Holds the policy's key against the keys that the log names, the newest of which must have signed everything."""
    with report.step(1, MANIFEST):
        if not entries or entries[0].index != 0 or entries[0].kind.name != "log.genesis":
            raise VerificationError(
                "entry 0, log.genesis, is not in the bundle: it names the key of the manifest",
                rule="genesis",
            )
        check_origins(entries, report)
        named = _named(entries)
        origin = _first(named).parsed.plain["origin"]
        if origin != checkpoint.origin:
            raise _first(named).wrong("log.genesis names another origin", "genesis")
        newest = named[-1]
        trusted = _signed(bundle, named, checkpoint.origin) & {log.vkey for log in policy.logs}
        if not trusted:
            raise newest.entry.wrong(
                f"{newest.entry.kind.name} names another signing key", "genesis"
            )
        bundle.check_manifest_signature([Verifier.from_vkey(newest.evidence_key)])
        report.passed(
            1, "The manifest lists every file and is signed by the evidence key that the log names."
        )
        if newest.log_key not in trusted:
            report.noted(
                1,
                f"The log's key changed at entry {newest.entry.index}; the policy holds only the older one, which"
                " still signs along. Get the newer policy while it does.",
            )


def explained(bundle: Bundle, policy: Policy, error: VerificationError) -> VerificationError:
    """Returns the error of a checkpoint that no key of the policy signed, with the reason if a rotation is it."""
    try:
        note = bundle.read("checkpoint").decode("utf-8")
        checkpoint = open_checkpoint(note, parse_policy(bundle.read("policy.txt")).logs)
        if checkpoint.origin not in {log.name for log in policy.logs}:
            return error
        entries = read_entries(bundle, note, checkpoint, Report(outside_policy=False)).entries
        named = _named(entries)
    except (VerificationError, UnicodeDecodeError):
        return error
    held = {log.vkey for log in policy.logs}
    for older, newer in pairwise(named):
        if older.log_key in held and older.log_key != newer.log_key:
            return VerificationError(
                f"{error}. By the bundle's own account the log's key changed at entry {newer.entry.index}, and the"
                " policy's older key signs no more: get the newer policy, from anywhere but the bundle",
                rule=RULE,
            )
    return error


def named_verifiers(entries: Sequence[Entry]) -> list[Verifier]:
    """Returns every key that the log ever named, sound ones only: each may have signed an older checkpoint."""
    found = []
    for entry in entries:
        if entry.kind.name in ("log.genesis", "log.key"):
            with suppress(VerificationError):
                found.append(Verifier.from_vkey(entry.parsed.plain["log_key"]))
    return found


def _named(entries: Sequence[Entry]) -> list[Named]:
    """The keys named under the newest origin, in order: those of an origin that was given up count no more."""
    found: list[Named] = []
    for entry in entries:
        plain = entry.parsed.plain
        if entry.kind.name == "log.genesis":
            found = []
        if entry.kind.name in ("log.genesis", "log.key"):
            found.append(Named(entry, plain["log_key"], plain["evidence_key"]))
    return found


def _first(named: Sequence[Named]) -> Entry:
    return named[0].entry


def _signed(bundle: Bundle, named: Sequence[Named], origin: str) -> set[str]:
    """The named keys that signed the checkpoint; the newest one must, since `log.key` says from when on it does."""
    verifiers = {}
    for each in named:
        verifier = Verifier.from_vkey(each.log_key)
        if verifier.name != origin:
            raise each.entry.wrong("its signing key is another log's", RULE)
        verifiers[verifier.name, verifier.hash] = verifier
    newest = named[-1]
    try:
        verified = open_note(bundle.read("checkpoint"), list(verifiers.values())).verified
    except VerificationError as error:
        message = f"{newest.entry.kind.name} names another signing key"
        raise newest.entry.wrong(message, "genesis") from error
    signed = {verifiers[key].vkey for key in verified}
    if newest.log_key not in signed:
        raise newest.entry.wrong(
            "the checkpoint is not signed by the key that this entry names", RULE
        )
    return signed
