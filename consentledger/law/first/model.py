"""What a decision is made from, and what it says: facts, packs and verdicts; nothing here knows a database."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple

MESSAGE_CLASSES = ("marketing", "tracking")
CONSENT_STATES = (
    "none",
    "requested",
    "confirmed",
    "declined",
    "expired",
    "withdrawn",
    "paused",
    "lapsed",
)
OBJECTIONS = ("none", "active")
RECIPIENTS = ("record", "stranger", "invalid", "duplicate")
CONFIDENCES = ("high", "medium", "low")


@dataclass(frozen=True, slots=True)
class Facts:
    """All that a decision on the consent basis depends on, each a word, so that anyone can derive it again.

    `message_class`: one of MESSAGE_CLASSES, as `class` of the batch's entry says.
    `channel`: as the batch's entry says, for example `email`.
    `recipient`: one of RECIPIENTS. `record`: the permit names a contact. `stranger`, `invalid` and `duplicate`:
    it names none, because such a recipient is only counted; that word is the organisation's own assertion.
    `consent`: one of CONSENT_STATES, the state of (contact, sender, purpose, channel) at the decision.
    `objection`: `active` when an objection of the contact covers sender, purpose and channel at the decision.
    """

    message_class: str
    channel: str
    recipient: str
    consent: str
    objection: str


class Reason(NamedTuple):
    """Why: a short machine word, the rule as `<pack>@<version>#<rule>`, and its source for people."""

    code: str
    rule: str
    source: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """The decision: `basis` is `consent` or None, `reasons` are never empty, `duties` only stand where allowed."""

    allowed: bool
    basis: str | None
    reasons: tuple[Reason, ...]
    duties: tuple[str, ...]

    @property
    def codes(self) -> str:
        """The reasons' codes joined by commas, as a permit's line holds them."""
        return ",".join(reason.code for reason in self.reasons)


@dataclass(frozen=True, slots=True)
class Citation:
    """One place in a text of law, with how sure we are of having read it rightly."""

    id: str
    title: str
    section: str
    url: str
    confidence: str


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule of a pack: what the API calls it, what it says, and the places it comes from."""

    id: str
    code: str
    says: str
    source: str


@dataclass(frozen=True, slots=True)
class Pack:
    """One version of one rule pack; `hash` is the lower-case hex SHA-256 of its file's bytes.

    `channels` maps a channel to its regime (`opt_in` is the only one so far), `rules` a rule's id to the rule.
    In force from `valid_from` until the day before `valid_until`, in UTC.
    """

    id: str
    version: str
    title: str
    status: str
    confidence: str
    valid_from: date
    valid_until: date | None
    channels: Mapping[str, str]
    citations: tuple[Citation, ...]
    rules: Mapping[str, Rule]
    duties: tuple[Rule, ...]
    hash: str

    @property
    def name(self) -> str:
        """The pack as reasons and bundles name it, `<id>@<version>`."""
        return f"{self.id}@{self.version}"


def facts_from_states(
    *,
    message_class: str,
    channel: str,
    consent_state: str,
    objection: str,
    contact: str | None,
    reasons: str = "",
) -> Facts:
    """Returns the facts of one permit, for whoever decides it again (step 5 of verifying).

    `message_class` and `channel` are the fields `class` and `channel` of the batch's `permits.issued`.
    For a permit that names a `contact`: `consent_state` is what replaying the contact's entries below the
    batch's index gives for (sender, purpose, channel), `none` without any; `objection` is `active` when an
    objection recorded below that index covers them, was not reopened by a later confirmed act, and has no
    `until` or one after the batch's `at`; else `none`. Then `decide(facts, pack, at)` must give the line's
    allowed, basis and `codes`, and the replayed states must equal the ones in the line.
    For a permit without a contact nothing can be replayed: pass the line's own states and its `reasons`; the
    recipient is what those reasons assert (such a permit must be a denial: decide never allows it).
    """
    recipient = "record" if contact is not None else _ASSERTED.get(reasons, "stranger")
    return Facts(message_class, channel, recipient, consent_state, objection)


_ASSERTED = {"invalid_address": "invalid", "duplicate": "duplicate"}
