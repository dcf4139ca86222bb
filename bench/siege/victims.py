"""Who is to be buried in mail: one mailbox each, in every spelling that its provider delivers to it."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass

COUNT = 12
_NAMES = (
    "ada.lovelace",
    "grace.hopper",
    "emmy.noether",
    "mary.somerville",
    "sofia.kovalevskaya",
    "hedy.lamarr",
)


@dataclass(frozen=True, slots=True)
class Victim:
    """One person's mailbox, and the spellings that reach it."""

    mailbox: str
    spellings: tuple[str, ...]


def victims() -> tuple[Victim, ...]:
    """The victims of every run: half of them at a provider that ignores dots and tags."""
    gmail = [_at_gmail(name) for name in _NAMES]
    return (*gmail, *(_elsewhere(name) for name in _NAMES))[:COUNT]


def _at_gmail(name: str) -> Victim:
    plain, mailbox = name.replace(".", ""), f"{name}@gmail.com"
    return Victim(
        mailbox,
        (
            mailbox,
            f"{plain}@gmail.com",
            f"{'.'.join(plain)}@gmail.com",
            f"{name}+offers@gmail.com",
            f"{plain.upper()}+1@GoogleMail.com",
            f"{name.title()}+a.b+c@googlemail.com",
        ),
    )


def _elsewhere(name: str) -> Victim:
    mailbox = f"{name}@outlook.com"
    return Victim(
        mailbox,
        (
            mailbox,
            name.title() + "@Outlook.com",
            f"{name.upper()}@OUTLOOK.COM",
            f"{name}+shop@outlook.com",
            f"{name}+a+b@outlook.com",
            f"{name.title()}+News@outlook.com",
        ),
    )


def mailboxes() -> dict[str, str]:
    """From each spelling as it stands in an envelope, in small letters, to the mailbox that it reaches."""
    return {
        spelling.lower(): victim.mailbox for victim in victims() for spelling in victim.spellings
    }


def spellings() -> Iterator[str]:
    """Every spelling of every victim, round and round: each victim in turn, so that none gets a rest."""
    everyone = victims()
    for turn in itertools.count():
        for victim in everyone:
            yield victim.spellings[turn % len(victim.spellings)]
