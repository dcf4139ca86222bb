"""Rows that wait for their entry: several things are published in one append, under one lock of the head.

A verb's first half locks and fills its row and writes what the entry will say (`stage_…`); the second half appends.
Whoever publishes several things at once stages them all, then appends once: own rows, then the head, then nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from consentledger.db.log.entries import Draft
from consentledger.db.unit_of_work import Tx
from consentledger.organisations.models import FormVersion, Purpose, Sender, Wording


@dataclass(frozen=True, slots=True)
class Staged:
    """A row that is ready to be published, and the draft of its entry."""

    row: Sender | Purpose | Wording | FormVersion
    draft: Draft


def append(tx: Tx, organisation_id: UUID, staged: Sequence[Staged]) -> list[int]:
    """Appends the entries of all that is staged, in one append; returns their indexes."""
    tx.session.flush()
    entries = tx.log.append(tx, organisation_id, [each.draft for each in staged])
    for each, entry in zip(staged, entries, strict=True):
        each.row.entry_index = entry.index
    return [entry.index for entry in entries]
