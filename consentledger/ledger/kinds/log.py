"""Kinds about the log itself; they speak in plain lines, so that anybody can follow them."""

from __future__ import annotations

from consentledger.ledger.kinds.model import make_kind

LOG_KINDS = (
    make_kind(
        "log.genesis",
        "The first entry of a log: its origin, its signing key and the key that signs bundles.",
        plain=("evidence_key", "log_key", "origin"),
    ),
    make_kind(
        "log.erasure",
        "The openings of these ranges of entries were destroyed, for this reason.",
        plain=("classes", "part", "ranges", "reason"),
    ),
)
