"""Proof files (c2sp.org/tlog-proof@v1): index, path, checkpoint, and the leaf as extra data."""

from __future__ import annotations

import base64
from dataclasses import dataclass

from consentledger.kernel.errors import VerificationError
from consentledger.ledger import strict

HEADER = "c2sp.org/tlog-proof@v1"
RULE = "c2sp.tlog-proof"
_MAX_HASHES = 64


@dataclass(frozen=True, slots=True)
class TlogProof:
    """One entry's proof; `checkpoint` is the whole signed note, `extra` is not authenticated."""

    index: int
    hashes: tuple[bytes, ...]
    checkpoint: str
    extra: bytes | None = None

    def to_text(self) -> str:
        """Returns the file's text."""
        lines = [HEADER]
        if self.extra is not None:
            lines.append("extra " + _encode(self.extra))
        lines.append(f"index {self.index}")
        lines.extend(_encode(hash_) for hash_ in self.hashes)
        return "\n".join(lines) + "\n\n" + self.checkpoint


def parse_tlog_proof(data: bytes | str) -> TlogProof:
    """Reads a proof file strictly; malformed input raises VerificationError."""
    rest = strict.lines(data, rule=RULE, what="a proof", encoding="utf-8")
    if rest[0] != HEADER:
        raise VerificationError("a proof does not start with its header", rule=RULE)
    position, extra = 1, None
    if len(rest) > 1 and rest[1].startswith("extra "):
        extra = strict.base64_standard(rest[1][6:], rule=RULE, what="the extra data")
        position = 2
    if len(rest) <= position or not rest[position].startswith("index "):
        raise VerificationError("a proof has no index line", rule=RULE)
    index = strict.decimal(rest[position][6:], rule=RULE, what="the index")
    try:
        blank = rest.index("", position + 1)
    except ValueError as error:
        raise VerificationError("a proof has no checkpoint", rule=RULE) from error
    if blank - position - 1 > _MAX_HASHES:
        raise VerificationError("a proof has too many hashes", rule=RULE)
    hashes = tuple(
        strict.base64_standard(line, rule=RULE, what="a hash", length=32)
        for line in rest[position + 1 : blank]
    )
    if blank + 1 >= len(rest) or not rest[blank + 1]:
        raise VerificationError("a proof has no checkpoint", rule=RULE)
    return TlogProof(index, hashes, "\n".join(rest[blank + 1 :]) + "\n", extra)


def _encode(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")
