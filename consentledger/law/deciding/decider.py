"""Decides many recipients of one message: each pattern of facts once."""

from __future__ import annotations

from datetime import datetime

from consentledger.law.deciding.canonical import Canon
from consentledger.law.deciding.decide import Judge
from consentledger.law.model import Facts, Message, Verdict
from consentledger.law.rulebook import Rulebook

# Patterns that one message's decider remembers; beyond that it starts anew, so that memory stays flat.
MOST = 50_000


class Decider:
    """decide() with a memory, for one message, rulebook and clock."""

    def __init__(self, message: Message, rulebook: Rulebook, now: datetime) -> None:
        self._judge = Judge(message, rulebook, now)
        self._canon = Canon(self._judge)
        self._known: dict[Facts, tuple[Facts, Verdict]] = {}
        self._verdicts: dict[Verdict, Verdict] = {}

    def verdict(self, facts: Facts) -> tuple[Facts, Verdict]:
        """Returns the facts with their dates as words, and the verdict on them: decide()'s on the facts as given."""
        facts = self._canon.facts(facts)
        found = self._known.get(facts)
        if found is None:
            if len(self._known) >= MOST:
                self._known.clear()
                self._verdicts.clear()
            verdict = self._judge.decide(facts)
            # Thousands of patterns come to a few hundred verdicts: each is kept once.
            verdict = self._verdicts.setdefault(verdict, verdict)
            found = self._known[facts] = facts, verdict
        return found
