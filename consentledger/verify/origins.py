"""Step 1, the origins: a log that was given up goes on under another name, and says so (docs/adr/0011)."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from consentledger.kernel.errors import VerificationError
from consentledger.ledger import strict
from consentledger.verify.entries import Entry
from consentledger.verify.report import Report

RULE = "genesis"


def check_origins(entries: Sequence[Entry], report: Report) -> None:
    """Each log.genesis but the first names the origin before it, and what of it was signed last; the report tells."""
    begun = [entry for entry in entries if entry.kind.name == "log.genesis"]
    for older, newer in pairwise(begun):
        origin, size = _previous(newer)
        if origin != older.parsed.plain["origin"]:
            raise newer.wrong("log.genesis does not name the origin before it", RULE)
        missing = size - newer.index
        lost = f"; {missing} of them or more are not in this tree any more" if missing > 0 else ""
        report.noted(
            1,
            f"The log has its name since entry {newer.index}. Before, it was {origin}, of which {size} entries were "
            f"signed last{lost}. The operator's reason: {newer.text('reason') or 'not told'}.",
        )


def _previous(entry: Entry) -> tuple[str, int]:
    parts = entry.parsed.plain.get("previous", "").split(" ")
    if len(parts) != 3:
        raise entry.wrong("log.genesis does not name the origin before it", RULE)
    try:
        size = strict.decimal(parts[1], rule=RULE, what="a size")
        strict.base64_standard(parts[2], rule=RULE, what="a root", length=32)
    except VerificationError as error:
        raise entry.wrong(str(error), RULE) from error
    return parts[0], size
