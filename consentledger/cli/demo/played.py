"""What the played steps share: the world, the shop's account, the postbox, and which letters were read."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from consentledger.cli.demo.play import eventually
from consentledger.cli.demo.postbox import Letter, Postbox
from consentledger.cli.demo.shop import Account
from consentledger.cli.demo.world import World


@dataclass(slots=True)
class Played:
    """What one step leaves for the next."""

    world: World
    shop: Account
    postbox: Postbox
    seen: set[Any] = field(default_factory=set)

    def next_letter(self, recipient: str) -> Letter:
        """Wait for a letter that was not seen yet."""

        def look() -> Letter | None:
            fresh = [x for x in self.postbox.letters() if x.letter_id not in self.seen]
            return next((x for x in fresh if x.recipient == recipient), None)

        letter = eventually(look, f"mail for {recipient}")
        self.seen.add(letter.letter_id)
        return letter


def reasons(answer: dict[str, Any]) -> str:
    """The first recipient's reasons, each with its rule."""
    given = answer["permits"][0]["reasons"]
    return ", ".join(f"{reason['code']} ({reason['rule']})" for reason in given)


def codes(answer: dict[str, Any]) -> set[str]:
    """The codes of the first recipient's reasons."""
    return {reason["code"] for reason in answer["permits"][0]["reasons"]}
