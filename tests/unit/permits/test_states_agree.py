"""Service and verifier read the same acts in two ways of their own: a decision must come out the same.

The service keeps one row of facts per contact (contacts.standing), the verifier replays the entries
(verify.states). Where they differ, an honest permit would look forged, or a forged one honest.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from hypothesis import given, settings
from hypothesis import strategies as st

from consentledger.contacts import standing as service
from consentledger.kernel.clock import to_text
from consentledger.law.deciding.decide import decide
from consentledger.law.model import Message
from consentledger.law.reading import packs
from consentledger.law.rulebook import Adopted, Rulebook
from consentledger.permits.facts import NOTHING_SAID, StateReader, facts_of
from consentledger.verify.states import Act, Objection, Standing

STRICTEST = Rulebook((Adopted(packs.pack("XX@1")),))
START = datetime(2026, 11, 21, 12, tzinfo=UTC)
SENDERS = [UUID(int=1), UUID(int=2)]
PURPOSES = [UUID(int=3), UUID(int=4)]
CHANNELS = ["email", "sms"]
KEYS = [(s, p, c) for s in SENDERS for p in PURPOSES for c in CHANNELS]

keys = st.sampled_from(KEYS)
acts = st.one_of(
    st.tuples(st.sampled_from(["consent.confirmed", "consent.withdrawn"]), keys),
    st.tuples(st.sampled_from(["organisation", "sender", "purpose"]), keys, st.booleans()),
)


def replayed(story: list[Any]) -> tuple[service.Standing, Standing]:
    """Tells the same acts to both, a minute apart; a pause lasts seven of them."""
    kept, told = service.empty(), Standing()
    for n, act in enumerate(story):
        at = to_text(START + timedelta(minutes=n))
        sender, purpose, channel = (str(part) for part in act[1])
        values: dict[str, Any] = {"sender": sender, "purpose": purpose, "channel": channel}
        key = (sender, purpose, channel)
        if act[0] in ("consent.confirmed", "consent.withdrawn"):
            kind, values["consent"] = act[0], f"{sender}{purpose}{channel}"
            step = told.confirm if kind == "consent.confirmed" else None
            if step:
                step(key, values["consent"], Act(n, at, "confirmed", "person"))
            else:
                told.close(key, Act(n, at, "withdrawn", "person"))
        else:
            kind, scope = "objection.recorded", act[0]
            until = to_text(START + timedelta(minutes=n + 7)) if act[2] else None
            values["sender"] = None if scope == "organisation" else sender
            values["purpose"] = purpose if scope == "purpose" else None
            values |= {"scope": scope, "until": until}
            objection = Objection(n, scope, values["sender"], values["purpose"], channel, until)
            told.object(objection, Act(n, at, "withdrawn", "person"))
        kept = service.apply(kept, kind, values, n=n, at=at)
    return kept, told


@settings(max_examples=60, deadline=None)
@given(st.lists(acts, max_size=12), st.integers(0, 24))
def test_both_readings_give_the_same_facts(story: list[Any], minute: int) -> None:
    kept, told = replayed(story)
    now = START + timedelta(minutes=minute, seconds=30)
    at = to_text(now)
    for sender, purpose, channel in KEYS:
        key = (str(sender), str(purpose), channel)
        read = StateReader(sender, purpose, channel, now).states(json.dumps(kept))
        assert read == (told.state(key, at), "active" if told.objected(key, at) else "none")


@settings(max_examples=60, deadline=None)
@given(st.lists(acts, max_size=12), keys, st.booleans())
def test_after_a_stop_nothing_is_allowed_until_a_new_act(
    story: list[Any], key: tuple[UUID, UUID, str], paused: bool
) -> None:
    def allowed(acts: list[Any]) -> bool:
        now = START + timedelta(minutes=len(acts), seconds=1)
        read = StateReader(*key, now).read(json.dumps(replayed(acts)[0]))
        message = Message("marketing", key[2], now)
        return decide(facts_of(read, NOTHING_SAID, None, ()), message, STRICTEST, now).allowed

    for stop in (
        ("organisation", key, paused),
        ("purpose", key, paused),
        ("consent.withdrawn", key),
    ):
        assert not allowed([*story, stop])
        assert allowed([*story, stop, ("consent.confirmed", key)])
