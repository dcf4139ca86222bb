"""What many rows of a batch share: the facts that were found, and the verdict they led to, decided once.

A ruling's facts are canonical: their dates are words wherever the day itself decides nothing, so that a million
recipients share a few hundred rulings, and a permit's line tells no more of its person than the decision needs.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple

import orjson

from consentledger.kernel.clock import from_text, to_text
from consentledger.law.model import Customer, Duty, Facts, Reason, Verdict


class Ruling(NamedTuple):
    """Facts and verdict; `entry` is the number of the contact's entry that recorded the ground, None without one."""

    facts: Facts
    entry: int | None
    verdict: Verdict

    def ends_at(self, batch_ends_at: datetime) -> datetime | None:
        """Returns until when a permit of this ruling may be used: the batch's end, or an earlier one of its own."""
        if not self.verdict.allowed:
            return None
        until = self.verdict.until
        return batch_ends_at if until is None or until > batch_ends_at else until

    def end_text(self, batch_ends_at: datetime) -> str | None:
        """Returns `ends_at` as lines and answers write it."""
        ends = self.ends_at(batch_ends_at)
        return None if ends is None else to_text(ends)

    def line_end(self, batch_ends_at: datetime) -> str:
        """The values of a permit's disclosure behind its contact as JSON, the same for all rows of this ruling."""
        facts, verdict = self.facts, self.verdict
        values = [
            self.entry,
            facts.recipient,
            ",".join(facts.countries),
            facts.person,
            facts.capacity,
            facts.consent,
            facts.grade,
            facts.consented_on,
            facts.sent_on,
            facts.objection,
            facts.closed,
            facts.customer.text() if facts.customer else None,
            ",".join(facts.listed),
            facts.tracking,
            ",".join(verdict.packs),
            verdict.verdict,
            verdict.basis,
            verdict.codes,
            self.end_text(batch_ends_at),
        ]
        return orjson.dumps(values).decode()[1:]

    def as_json(self) -> dict[str, Any]:
        """The ruling as the batch's row keeps it."""
        facts, verdict = self.facts._asdict(), self.verdict
        facts["customer"] = self.facts.customer.text() if self.facts.customer else None
        return {
            "facts": {
                name: list(value) if isinstance(value, tuple) else value
                for name, value in facts.items()
            },
            "entry": self.entry,
            "verdict": verdict.verdict,
            "basis": verdict.basis,
            "reasons": [list(reason) for reason in verdict.reasons],
            "duties": [list(duty) for duty in verdict.duties],
            "until": to_text(verdict.until) if verdict.until else None,
            "packs": list(verdict.packs),
        }

    @classmethod
    def from_json(cls, kept: Mapping[str, Any]) -> Ruling:
        """Reads what `as_json` wrote."""
        facts: dict[str, Any] = {
            name: tuple(value) if isinstance(value, list) else value
            for name, value in kept["facts"].items()
        }
        if facts["customer"] is not None:
            facts["customer"] = Customer.parse(facts["customer"])
        verdict = Verdict(
            kept["verdict"],
            kept["basis"],
            tuple(Reason(*reason) for reason in kept["reasons"]),
            tuple(Duty(*duty) for duty in kept["duties"]),
            from_text(kept["until"]) if kept["until"] else None,
            tuple(kept["packs"]),
        )
        return cls(Facts(**facts), kept["entry"], verdict)
