"""/registers: what the adopted packs demand and how fresh it is; import a register's file."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any

from flask import Response
from marshmallow import Schema, fields, validate

from consentledger.kernel.clock import now
from consentledger.ledger.register import MATCHED
from consentledger.organisations.packs import rulebook
from consentledger.permits.bulk.spool import Spool
from consentledger.registers import queries
from consentledger.registers.adapters import FORMATS, adapter_of
from consentledger.registers.answers import fresh_answer, import_answer, instant, pair
from consentledger.registers.freshness import STATES, freshness
from consentledger.registers.rules import ImportRegister, check_code
from consentledger.registers.service import import_register
from consentledger.web.api.acting import answer, reading
from consentledger.web.api.keys import caller
from consentledger.web.api.operation import ApiBlueprint
from consentledger.web.api.shapes import Instant
from consentledger.web.body import received
from consentledger.web.services import installation

SCOPE = "registers"
blueprint = ApiBlueprint(
    "registers", __name__, "External registers: who must not be written to, and until when we know"
)


class HowSchema(Schema):
    """How the file is to be read; what is not told is as the register's own adapter has it."""

    as_of = fields.String(
        required=True,
        metadata={"description": "when it was true, with its zone", "format": "date-time"},
    )
    source = fields.String(required=True, metadata={"description": "where it came from"})
    format = fields.String(load_default=None, validate=validate.OneOf(FORMATS))
    column = fields.String(
        load_default=None, metadata={"description": "the column or key that holds the entry"}
    )
    where = fields.String(
        load_default=None, metadata={"description": "COLUMN=VALUE; other lines are no entries"}
    )
    matched = fields.String(load_default=None, validate=validate.OneOf(MATCHED))
    prefix = fields.String(
        load_default=None, metadata={"description": "calling code of numbers without one, +43"}
    )
    force = fields.String(
        load_default="no",
        validate=validate.OneOf(["yes", "no"]),
        metadata={"description": "yes: take it although it is empty or much smaller"},
    )


class ImportedSchema(Schema):
    """An import that is current now."""

    register = fields.String(required=True)
    as_of = Instant(required=True)
    count = fields.Integer(required=True)
    added = fields.Integer(required=True)
    removed = fields.Integer(required=True)
    entry_index = fields.Integer(required=True)
    root = fields.String(
        required=True, metadata={"description": "hex, as in `p root` of the entry"}
    )
    repeated = fields.Boolean(
        required=True, metadata={"description": "this very file was current already"}
    )


class FreshnessSchema(Schema):
    """A register: what demands it, and what there is of it."""

    register = fields.String(required=True)
    name = fields.String(required=True)
    url = fields.String(required=True)
    packs = fields.List(fields.String(), required=True)
    max_age_days = fields.Integer(
        required=True, allow_none=True, metadata={"description": "0: the same day"}
    )
    as_of = Instant(required=True, allow_none=True)
    count = fields.Integer(required=True, allow_none=True)
    entry_index = fields.Integer(required=True, allow_none=True)
    stale_at = Instant(required=True, allow_none=True)
    state = fields.String(required=True, validate=validate.OneOf(STATES))


class RegistersSchema(Schema):
    """All registers that are demanded or imported."""

    items = fields.List(fields.Nested(FreshnessSchema), required=True)


@blueprint.operation("GET", "/registers", scope=SCOPE, gives=RegistersSchema())
def list_registers() -> Response:
    """List the registers that adopted packs demand, what is imported, and until when it is fresh enough."""
    opened, organisation_id = installation(), caller().organisation_id
    with reading() as session:
        packs = [one.pack for one in rulebook(session, organisation_id).adopted]
        imported = queries.imports(session, opened.keystore, organisation_id)
    return answer({"items": [fresh_answer(one) for one in freshness(packs, imported, now())]})


@blueprint.operation(
    "POST",
    "/registers/<register>:import",
    scope=SCOPE,
    query=HowSchema(),
    gives=ImportedSchema(),
)
def import_one(query: dict[str, Any], register: str) -> Response:
    """Import a register's file, which is the body: all of it or nothing; the same file again changes nothing."""
    opened, key = installation(), caller()
    told = {name: query[name] for name in ("format", "column", "matched", "prefix")}
    adapter = adapter_of(check_code(register), only=pair(query["where"]), **told)
    command = ImportRegister(
        key.organisation_id,
        register,
        instant(query["as_of"]),
        query["source"],
        adapter,
        query["force"] == "yes",
        key.actor,
    )
    limit = opened.settings.max_bulk_bytes
    with Spool(limit) as spool:
        for block in received(limit):
            spool.write(block)
        with io.BufferedReader(_Blocks(spool.blocks())) as file:
            done = import_register(opened.database, command, file)
    return answer(import_answer(done))


class _Blocks(io.RawIOBase):
    """What was spooled as a file that is read from its beginning to its end."""

    def __init__(self, blocks: Iterator[bytes]) -> None:
        self._blocks = blocks
        self._rest = b""

    def readable(self) -> bool:
        """It is."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Gives the next bytes; 0 at the end."""
        while not self._rest:
            block = next(self._blocks, None)
            if block is None:
                return 0
            self._rest = block
        part, self._rest = self._rest[: len(buffer)], self._rest[len(buffer) :]
        buffer[: len(part)] = part
        return len(part)
