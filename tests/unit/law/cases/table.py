"""One case of a rule pack's table test, and how it is run.

A case says what a source of law makes of a message to one recipient. It starts from a recorded natural person, asked
about an ordinary marketing e-mail on a working day, who neither agreed nor bought; the case names what differs.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from consentledger.law.deciding.canonical import canonical
from consentledger.law.deciding.decide import decide
from consentledger.law.model import Customer, Facts, Message, Verdict
from consentledger.law.pack import Pack
from consentledger.law.reading import packs
from consentledger.law.rulebook import FALLBACK, Adopted, Rulebook

# A Tuesday, late morning in western Europe, no public holiday anywhere that the packs know.
SEND_AT = datetime(2026, 11, 24, 10, tzinfo=UTC)
SOLD_ON = "2026-10-01"
# A sale by the book: same legal person, address from the customer, opt-out offered, told what it is for.
BY_THE_BOOK = ("same_person", "directly", "offered", "told")
# Rows that are no country: where their cases' recipients live unless they say.
HOMES: Mapping[str, tuple[str, ...]] = {"EU": ("LU",), "XX": ()}
_FLAGS = ("same_person", "directly", "offered", "refused", "told")


@dataclass(frozen=True)
class Case:
    """`title`: what happens; `source`: the provision that decides it; `facts` and `message`: what differs from usual.

    Facts start as a record of a natural person in a private capacity in the row's own country (HOMES), messages as
    marketing by e-mail at SEND_AT. All `codes` must be among the reasons' codes and all `duties` among the
    duties: a duty is a code, or `code=value`. `absent` must be among neither. `stricter` and `accepts` belong to the
    row's own pack.
    `adopted`: pack ids; default: those of the recipient's countries, the packs they inherit from, and the fallback.
    """

    title: str
    source: str
    verdict: str
    facts: Mapping[str, Any] = field(default_factory=dict)
    message: Mapping[str, Any] = field(default_factory=dict)
    basis: str | None = None
    codes: tuple[str, ...] = ()
    duties: tuple[str, ...] = ()
    absent: tuple[str, ...] = ()
    stricter: tuple[str, ...] = ()
    accepts: tuple[str, ...] = ()
    adopted: tuple[str, ...] | None = None


def sale(
    on: str = SOLD_ON,
    *,
    trigger: str = "sale_paid",
    relation: str = "similar",
    ended_on: str | None = None,
    renewed_on: str | None = None,
    without: str = "",
    refused: bool = False,
) -> dict[str, Any]:
    """Facts of a recorded ground, by the book but for one flag (`without`) or a refused box."""
    flags = [flag for flag in BY_THE_BOOK if flag != without]
    if refused:
        flags.append("refused")
    ordered = tuple(sorted(flags, key=_FLAGS.index))
    return {"customer": Customer(trigger, on, ended_on, renewed_on, relation, ordered)}


def disclosed(trigger: str = "published_address", on: str = SOLD_ON) -> dict[str, Any]:
    """Facts of an address that its holder gave out: no sale, no opt-out at collection, no products to compare."""
    return {"customer": Customer(trigger, on, None, None, "unmapped", ())}


def agreed(on: str = "2026-06-01", *, grade: str = "double_opt_in", **more: Any) -> dict[str, Any]:
    """Facts of a confirmed consent."""
    return {"consent": "confirmed", "grade": grade, "consented_on": on} | more


def company(capacity: str = "role_relevant", **more: Any) -> dict[str, Any]:
    """Facts of a legal person's address."""
    return {"person": "legal", "capacity": capacity} | more


def imported(*registers: str, at: datetime = SEND_AT) -> dict[str, Any]:
    """A message before which these registers were imported, true at `at` (default: at the time of sending)."""
    return {"registers": tuple((code, at) for code in registers)}


def run(row: str, case: Case) -> Verdict:
    """Decides a case of the row's pack, and asserts what the source says of it, of its facts as words too."""
    usual = {"person": "natural", "capacity": "private", "countries": HOMES.get(row, (row,))}
    facts = Facts(**usual | case.facts)
    message = Message(
        **{"message_class": "marketing", "channel": "email", "send_at": SEND_AT} | case.message
    )
    rulebook = _rulebook(row, case, facts)
    verdict = decide(facts, message, rulebook, message.send_at)
    told = f"{row}: {case.title} ({case.source}): {verdict}"
    codes = {reason.code for reason in verdict.reasons}
    duties = {duty.code for duty in verdict.duties}
    duties |= {f"{duty.code}={duty.value}" for duty in verdict.duties if duty.value is not None}
    assert verdict.verdict == case.verdict, told
    if case.verdict != "review":
        assert verdict.basis == case.basis, told
    assert set(case.codes) <= codes, told
    assert set(case.duties) <= duties, told
    assert not set(case.absent) & (codes | duties), told
    assert verdict.reasons, told
    assert all(reason.rule and reason.source for reason in verdict.reasons), told
    pattern = canonical(facts, message, rulebook, message.send_at)
    assert decide(pattern, message, rulebook, message.send_at) == verdict, f"{told} {pattern}"
    return verdict


def _rulebook(row: str, case: Case, facts: Facts) -> Rulebook:
    """Returns the adopted packs, every version of each; the row's own with what the case made stricter and took on."""
    known = [packs.pack(name) for name in packs.names()]
    ids = _related(known, facts.countries) if case.adopted is None else case.adopted
    return Rulebook(
        tuple(
            Adopted(
                pack,
                case.stricter if pack.id == row else (),
                case.accepts if pack.id == row else (),
            )
            for pack in known
            if pack.id in ids
        )
    )


def _related(known: list[Pack], countries: tuple[str, ...]) -> set[str]:
    """Returns the ids of the packs for these countries, of those they inherit from, and of the fallback."""
    found = {FALLBACK}
    for pack in known:
        if set(countries) & set(pack.countries):
            found.add(pack.id)
            if pack.parent is not None:
                found.add(pack.parent.partition("@")[0])
    return found
