"""Walks the openings of a log in the order of their entries, and who owns each."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from consentledger.db.fsck.model import BLOCK, Position, Report, Step
from consentledger.db.fsck.opener import Opener, bytes_of, has_label
from consentledger.db.fsck.system import SystemEntries

ContactsCheck = Callable[[Opener, Position, Step], None]
"""Looks at the entries of contacts, one contact after the other: opens, labels, state."""


def check_openings(opener: Opener, position: Position, step: Step, *, by_contact: bool) -> None:
    """Opens entries' openings in index order, from `position.opened` on, and checks them against their leaves.

    An entry of which nothing is left must be named by a `log.erasure` (its plain ranges). With `by_contact` the
    entries that have an owner are left to who looks at them contact by contact.
    """
    rows, report = opener.rows, position.report
    for low in range(position.opened + 1, opener.size, BLOCK):
        high = min(low + BLOCK, opener.size)
        owned = {row[1] for row in rows.owned_between(low, high)}
        leaves = rows.leaves_between(low, high)
        _check_owners(leaves, owned, opener.system, report)
        openings = rows.openings_between(low, high)
        if by_contact and owned:
            leaves = [row for row in leaves if row[0] not in owned]
            openings = [row for row in openings if row[0] not in owned]
        told = opener.open(leaves, openings, report)
        report.openings += sum(one.values is not None for one in told)
        position.opened = high - 1
        step(position, high, opener.size)


def _check_owners(
    leaves: Sequence[Any], owned: set[int], system: SystemEntries, report: Report
) -> None:
    """A leaf carries a label exactly when it is a contact's, until its contact was erased."""
    for index, leaf, _, _ in leaves:
        labelled = has_label(bytes_of(leaf))
        if labelled and index not in owned and not system.erased(index):
            report.add(f"contact_entry {index}", "missing: the leaf has a label, nobody owns it")
        elif index in owned and not labelled:
            report.add(f"contact_entry {index}", "surplus: the leaf has no label")
