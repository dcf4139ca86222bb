"""Re-derives a whole log from its raw rows, and names every row that differs.

tree walks the leaves; claims holds head, checkpoints and guard against what was derived; openings opens the rest.
"""

from __future__ import annotations

from consentledger.db.fsck.claims import fsck, organisations_with_logs
from consentledger.db.fsck.lost import lost_logs
from consentledger.db.fsck.model import Finding, PausedError, Position, Report

__all__ = [
    "Finding",
    "PausedError",
    "Position",
    "Report",
    "fsck",
    "lost_logs",
    "organisations_with_logs",
]
