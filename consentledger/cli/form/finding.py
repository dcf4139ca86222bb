"""Finds organisations and forms by what people call them; what could be two things is an error that lists both."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

import click
from sqlalchemy.orm import Session

from consentledger.kernel.errors import InputError, NotFoundError
from consentledger.organisations import queries
from consentledger.organisations.channels import fold
from consentledger.organisations.facts import FormFacts, OrganisationFacts
from consentledger.organisations.freezing import Parts, parts_of, spec_of

MOST = 1_000
SHORTEST_PART = 6

organisation_option = click.option(
    "--organisation", metavar="NAME", help="Whose form; not needed where there is only one."
)
language_option = click.option(
    "--language", metavar="TAG", help="The translation into this language instead."
)
form_argument = click.argument("form", required=False, default=None)


@dataclass(frozen=True, slots=True)
class Found:
    """A form with all that it is made of; `first` is the form that it translates, else the form itself."""

    facts: FormFacts
    parts: Parts
    first: FormFacts

    @property
    def language(self) -> str:
        """The language of its draft."""
        return self.parts.spec.language

    @property
    def title(self) -> str:
        """How to call it in a sentence: its name, else its boxes' titles."""
        titles = ", ".join(box.title for box in self.parts.boxes) or "no boxes"
        return self.first.name or f"“{titles}”"

    @property
    def words(self) -> str:
        """How to name it in a command."""
        word = typed(self.first.name or str(self.first.form_id))
        return word if self.facts is self.first else f"{word} --language {self.language}"


def organisation(session: Session, name: str | None) -> OrganisationFacts:
    """Finds an organisation by its name; without one, the only one there is."""
    if name is not None:
        return queries.organisation_by_name(session, name)
    known = queries.organisations(session)
    if not known:
        raise NotFoundError(
            "There is no organisation yet: consentledger organisation create --help"
        )
    if len(known) > 1:
        names = ", ".join(each.name for each in known)
        raise InputError(
            f"say whose form: --organisation, one of {names}",
            field="organisation",
            reason="ambiguous",
        )
    return known[0]


def all_forms(session: Session, organisation_id: UUID) -> list[Found]:
    """Reads all forms of an organisation with their parts, translations too."""
    known = {facts.form_id: facts for facts in queries.forms(session, organisation_id, limit=MOST)}
    return [
        Found(
            facts,
            parts_of(session, organisation_id, spec_of(facts.draft)),
            known.get(facts.translation_of, facts) if facts.translation_of else facts,
        )
        for facts in known.values()
    ]


def form(
    session: Session, organisation_id: UUID, wanted: str | None, language: str | None = None
) -> Found:
    """Finds a form by name, id, the beginning or end of its id, or a box's title; else the only one there is.

    `language` chooses the translation of what was found.
    """
    known = all_forms(session, organisation_id)
    found = _found(known, wanted)
    if language is None or language == found.language:
        return found
    first = found.facts.translation_of or found.facts.form_id
    family = [one for one in known if first in (one.facts.form_id, one.facts.translation_of)]
    for one in family:
        if one.language == language:
            return one
    there = ", ".join(one.language for one in family)
    raise InputError(
        f"{found.title} is not there in {language} (it is in {there}); to translate it: "
        f"consentledger form translate {found.words} --to {language}",
        field="language",
        reason="not_found",
    )


def _found(known: list[Found], wanted: str | None) -> Found:
    firsts = [one for one in known if one.facts.translation_of is None]
    if wanted is None:
        return _one(firsts, "the form")
    for matching in (
        [one for one in known if one.facts.name == wanted],
        [one for one in known if _is_id(one, wanted)],
        [one for one in firsts if _has_title(one, wanted)],
    ):
        if matching:
            return _one(matching, wanted)
    raise NotFoundError(f"there is no form {wanted!r}; `consentledger form list` names them all")


def _one(found: list[Found], wanted: str) -> Found:
    if not found:
        raise NotFoundError("there is no form yet: consentledger form example > form.toml")
    if len(found) > 1:
        listed = ", ".join(f"{one.title} ({one.facts.form_id})" for one in found)
        raise InputError(
            f"{wanted} could be one of several, name it: {listed}",
            field="form",
            reason="ambiguous",
        )
    return found[0]


def _is_id(one: Found, wanted: str) -> bool:
    own = str(one.facts.form_id)
    low = wanted.lower()
    return own == low or (len(low) >= SHORTEST_PART and (own.startswith(low) or own.endswith(low)))


def _has_title(one: Found, wanted: str) -> bool:
    return fold(wanted) in {fold(box.title) for box in one.parts.boxes}


def typed(word: str) -> str:
    """A word as one types it at a shell."""
    plain = word.replace("-", "").replace("_", "").isalnum() and word.isascii()
    return word if plain else "'" + word.replace("'", "'\\''") + "'"
