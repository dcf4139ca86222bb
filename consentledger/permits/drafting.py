"""A batch as it will be written: every recipient decided, every line made, before the write transaction begins."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from consentledger.permits.deciding import Deciding, Rulings
from consentledger.permits.facts import NOTHING_SAID, Said
from consentledger.permits.lines import Lines, Row, build_lines
from consentledger.permits.links import new_batch
from consentledger.permits.lookups import Known, MessageFrame
from consentledger.permits.rules import IssuePermits
from consentledger.permits.sources import Sources

SALT_BYTES = 16
NOT_LISTED: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Gathered:
    """The facts of one batch, as they were read.

    `suppressed` are the places of recipients whom an erasure left a refusal of, whoever they are by now. One that
    comes later needs no second look: the erasure's own objection is an entry of the contact. `listed` says which
    of the addresses (`folded`, as they are compared) stand in which registers.
    """

    command: IssuePermits
    frame: MessageFrame
    sources: Sources
    folded: list[str | None] = field(repr=False)
    hashes: list[bytes | None] = field(repr=False)
    known: Mapping[bytes, Known] = field(repr=False)
    listed: Mapping[str, tuple[str, ...]] = field(repr=False)
    suppressed: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class Drafted:
    """A batch decided at an instant; permits end at `until`. It holds while `deciding.holds(now)`."""

    batch: int
    until: datetime
    rulings: Rulings
    deciding: Deciding
    rows: list[Row] = field(repr=False)
    lines: Lines = field(repr=False)


def draft(gathered: Gathered, at: datetime, before: Deciding | None = None) -> Drafted:
    """Decides every recipient as at `at` and makes the batch's lines; `before` decided a batch of the same message."""
    rulings = Rulings()
    deciding = Deciding(gathered.command, gathered.sources, at, rulings, before)
    rows = _decided(gathered, deciding)
    batch, until = new_batch(), at + gathered.command.valid_for
    lines = lines_of(gathered.frame, batch, rulings, until, rows)
    return Drafted(batch, until, rulings, deciding, rows, lines)


def lines_of(
    frame: MessageFrame,
    batch: int,
    rulings: Rulings,
    until: datetime,
    rows: Sequence[Row],
    numbers: Sequence[int] | None = None,
) -> Lines:
    """Makes the lines of these rows of a batch, `numbers` if they are not all."""
    return build_lines(
        organisation_number=frame.organisation_number,
        batch=batch,
        ends=[ruling.line_end(until) for ruling in rulings.list],
        rows=rows,
        numbers=numbers,
    )


def said_of(command: IssuePermits) -> Sequence[Said]:
    """What the caller said of each recipient; one shared word where nothing was said of anybody."""
    count = len(command.recipients)
    if not (command.countries or command.persons or command.capacities):
        return [NOTHING_SAID] * count
    nothing = (None,) * count
    return list(
        zip(
            command.countries or nothing,
            command.persons or nothing,
            command.capacities or nothing,
            strict=True,
        )
    )


def _decided(gathered: Gathered, deciding: Deciding) -> list[Row]:
    record, counted, known = deciding.record, deciding.counted, gathered.known
    folded, standing_in = gathered.folded, gathered.listed
    salts = os.urandom(SALT_BYTES * len(gathered.hashes))
    rows: list[Row] = []
    taken: set[bytes] = set()
    for position, (lookup, said) in enumerate(
        zip(gathered.hashes, said_of(gathered.command), strict=True)
    ):
        salt = salts[SALT_BYTES * position : SALT_BYTES * (position + 1)]
        if lookup is None:
            rows.append(Row(None, counted("invalid", NOTHING_SAID), salt))
            continue
        if lookup in taken:
            rows.append(Row(None, counted("duplicate", NOTHING_SAID), salt))
            continue
        taken.add(lookup)
        if position in gathered.suppressed:
            # The contact, if there is one again, has said nothing of it: the row names nobody.
            rows.append(Row(None, counted("stranger", said, "suppressed"), salt))
            continue
        found = known.get(lookup)
        if found is None:
            rows.append(Row(None, counted("stranger", said), salt))
            continue
        codes = standing_in.get(folded[position] or "", NOT_LISTED) if standing_in else NOT_LISTED
        ruling = record(found.stored.standing, said, found.stored.days, codes)
        rows.append(Row(found.contact_id, ruling, salt))
    return rows
