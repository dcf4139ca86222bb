"""Checkpoints (c2sp.org/tlog-checkpoint): a tree's origin, size and root as a signed note."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from consentledger.kernel.errors import VerificationError
from consentledger.ledger import strict
from consentledger.ledger.merkle import EMPTY_ROOT
from consentledger.ledger.note import NoteSigner, Verifier, check_name, open_note, sign_note

RULE = "c2sp.tlog-checkpoint"


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """What a log commits to: its origin, how many leaves, and their root (32 bytes)."""

    origin: str
    size: int
    root: bytes

    def text(self) -> str:
        """Returns the note's text: three lines."""
        root = base64.b64encode(self.root).decode("ascii")
        return f"{self.origin}\n{self.size}\n{root}\n"


def parse_checkpoint(text: bytes | str) -> Checkpoint:
    """Reads a note's text; extension lines are refused, because our logs never write one."""
    lines = strict.lines(text, rule=RULE, what="a checkpoint", encoding="utf-8")
    if len(lines) != 3:
        raise VerificationError("a checkpoint has not exactly three lines", rule=RULE)
    origin = check_name(lines[0])
    size = strict.decimal(lines[1], rule=RULE, what="the tree size")
    root = strict.base64_standard(lines[2], rule=RULE, what="the root", length=32)
    if size == 0 and root != EMPTY_ROOT:
        raise VerificationError("an empty tree has another root", rule=RULE)
    return Checkpoint(origin, size, root)


def sign_checkpoint(checkpoint: Checkpoint, signers: Iterable[NoteSigner]) -> str:
    """Returns the signed note; each signer's name must be the origin."""
    signers = list(signers)
    if any(signer.name != checkpoint.origin for signer in signers):
        raise ValueError("a log's key carries the log's origin as its name")
    return sign_note(checkpoint.text(), signers)


def open_checkpoint(note: bytes | str, verifiers: Sequence[Verifier]) -> Checkpoint:
    """Checks the signature by a key whose name is the checkpoint's origin, and reads it."""
    opened = open_note(note, verifiers)
    checkpoint = parse_checkpoint(opened.text)
    if all(name != checkpoint.origin for name, _ in opened.verified):
        raise VerificationError(
            f"no key of {checkpoint.origin} signed this checkpoint", rule="c2sp.tlog-checkpoint"
        )
    return checkpoint
