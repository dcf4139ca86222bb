"""docs/law.md names every code and every duty that a decision may say."""

from __future__ import annotations

from pathlib import Path

from consentledger.law.deciding.decide import decide
from consentledger.law.model import Facts, Message
from consentledger.law.reading import packs
from consentledger.law.rulebook import Rulebook
from tests.support.laws import TIMES, Dice

DOCUMENT = (Path(__file__).resolve().parents[3] / "docs" / "law.md").read_text()


def said() -> set[str]:
    """Codes of a thousand worlds, and those of what no world says."""
    found: set[str] = set()
    for number in range(1_000):
        dice = Dice(number)
        message = dice.message()
        facts = dice.facts(message.send_at)
        verdict = decide(facts, message, dice.rulebook(), message.send_at)
        found |= {reason.code for reason in verdict.reasons} | {one.code for one in verdict.duties}
    nobody = decide(Facts(), Message("marketing", "email", TIMES[0]), Rulebook(()), TIMES[0])
    return found | {reason.code for reason in nobody.reasons}


def test_every_code_and_duty_is_documented() -> None:
    codes = said()
    assert len(codes) > 45, "the worlds have become poor"
    for name in packs.names():
        codes |= {duty.code for duty in packs.pack(name).duties}
    assert sorted(code for code in codes if f"`{code}`" not in DOCUMENT) == []
