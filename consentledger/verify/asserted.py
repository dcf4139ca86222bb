"""Facts of decisions that a bundle asserts and does not show, counted by kind, so that nobody takes them as proved."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from consentledger.verify.report import Report

STRANGERS = "that the recipient is none on record"
ERASED = "what erased entries would tell"
COUNTRY = "a country that was given with the question"
PERSON = "the kind of person that was given with the question"
CAPACITY = "the capacity that was given with the question"
LAST_MESSAGE = "when the last message was sent"
RENEWAL = "when the last message was sent under the existing-customer exception"
LISTED = "whether a register lists the address"


class Asserted:
    """Counts of permits by what is only asserted of them."""

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()

    def add(self, kinds: Iterable[str]) -> None:
        """Counts one permit."""
        self._counts.update(set(kinds))

    def tell(self, report: Report) -> None:
        """Notes in the report what is asserted, and of how many permits."""
        if not self._counts:
            return
        told = "; ".join(f"{kind} (of {count})" for kind, count in sorted(self._counts.items()))
        report.noted(5, f"Of these permits some facts are asserted, not shown: {told}.")
