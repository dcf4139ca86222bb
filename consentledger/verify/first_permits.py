"""Permits of the first edition of the law: decided again by its one pack, for as long as their bundles are shown."""

from __future__ import annotations

from collections.abc import Mapping

from consentledger.kernel.errors import VerificationError
from consentledger.law.first.decide import decide
from consentledger.law.first.model import facts_from_states
from consentledger.ledger.first_permit import FirstPermit
from consentledger.verify.asserted import ERASED, STRANGERS
from consentledger.verify.entries import Entry
from consentledger.verify.rulebook import PACK_RULE, FirstAdopted
from consentledger.verify.story import Story, standing_below
from consentledger.verify.times import instant

DECISION = "permit.decision"
RULE = "permit"


def decide_first_again(
    permit: FirstPermit,
    entry: Entry,
    stories: Mapping[str, Story],
    rule_packs: Mapping[str, FirstAdopted],
) -> tuple[str, ...]:
    """Decides again; returns which facts are only asserted (words of verify.asserted)."""
    adopted = rule_packs.get(entry.need("pack"))
    if adopted is None or adopted.pack.hash != entry.need("pack_hash"):
        raise VerificationError(
            f"the rule pack {entry.need('pack')} that decided is not in the bundle", rule=PACK_RULE
        )
    if adopted.index > entry.index:
        raise VerificationError("the rule pack was adopted after the decision", rule=PACK_RULE)
    at = entry.need("at")
    asserted = _check_facts(permit, entry, stories, at)
    facts = facts_from_states(
        message_class=entry.need("class"),
        channel=entry.need("channel"),
        consent_state=permit.consent_state,
        objection=permit.objection,
        contact=permit.contact,
        reasons=permit.reasons,
    )
    verdict = decide(facts, adopted.pack, instant(at))
    if (verdict.allowed, verdict.basis, verdict.codes) != (
        permit.allowed,
        permit.basis,
        permit.reasons,
    ):
        said = "allowed" if permit.allowed else f"denied ({permit.reasons})"
        again = "allowed" if verdict.allowed else f"denied ({verdict.codes})"
        raise VerificationError(f"the permit says {said}, the rules say {again}", rule=DECISION)
    if permit.valid_until != (entry.need("valid_until") if permit.allowed else None):
        raise VerificationError("the permit ends at another time than its batch", rule=RULE)
    return asserted


def _check_facts(
    permit: FirstPermit, entry: Entry, stories: Mapping[str, Story], at: str
) -> tuple[str, ...]:
    """The states that the line tells must be those that the contact's entries below it give."""
    if permit.contact is None:
        return (STRANGERS,)
    story = stories.get(permit.contact)
    if story is None:
        raise VerificationError("the permit's contact has no entry in the bundle", rule=DECISION)
    standing = standing_below(story, entry.index)
    key = (entry.need("sender"), entry.need("purpose"), entry.need("channel"))
    state = standing.state(key, at)
    objection = "active" if standing.objected(key, at) else "none"
    if not story.whole:
        return (ERASED,)
    if (state, objection) == (permit.consent_state, permit.objection):
        return ()
    raise VerificationError(
        f"the permit says consent {permit.consent_state}, objection {permit.objection};"
        f" the entries before it say consent {state}, objection {objection}",
        rule=DECISION,
    )
