"""/customers: evidence for the existing-customer exception, which is never consent (2002/58/EC art. 13(2))."""

from __future__ import annotations

from typing import Any

from flask import Response
from marshmallow import Schema, fields, validate

from consentledger.customers import queries, service
from consentledger.customers.commands import (
    FoundCustomer,
    LapseCustomers,
    RecordCustomers,
)
from consentledger.customers.rules import (
    CHANNELS,
    LAPSE_FIELDS,
    MOST_ROWS,
    OBTAINED_FROM,
    REASONS,
    ROW_FIELDS,
)
from consentledger.law.model import CAPACITIES, PERSONS, TRIGGERS
from consentledger.web.api.acting import act, answer, reading
from consentledger.web.api.keys import caller
from consentledger.web.api.operation import ApiBlueprint
from consentledger.web.api.shapes import Flag, Instant, address_field, maybe
from consentledger.web.services import installation

blueprint = ApiBlueprint("customers", __name__, "Existing customers: evidence, never consent")
_TEXT = {"type": "string"}
_FLAG = {"type": "boolean"}
_DAY = {"type": "string", "format": "date"}
# Rows are read one by one, so that each is refused for itself: this describes them, customers.rules reads them.
_ROW: dict[str, Any] = {
    **dict.fromkeys(ROW_FIELDS, _TEXT),
    "channel": {"enum": list(CHANNELS)},
    "trigger": {"enum": list(TRIGGERS)},
    "on": _DAY,
    "ended_on": _DAY,
    "categories": {"type": "array", "items": _TEXT},
    "obtained_from": {"enum": list(OBTAINED_FROM)},
    "offered_at_collection": _FLAG,
    "refused_at_collection": _FLAG,
    "told_use_for_advertising": _FLAG,
    "person": {"enum": list(PERSONS)},
    "capacity": {"enum": list(CAPACITIES)},
}
_LAPSE: dict[str, Any] = {
    **dict.fromkeys(LAPSE_FIELDS, _TEXT),
    "channel": {"enum": list(CHANNELS)},
    "reason": {"enum": list(REASONS)},
    "ended_on": _DAY,
}


def _rows(description: str, properties: dict[str, Any], required: list[str]) -> Any:
    row = fields.Dict(
        keys=fields.String(), metadata={"properties": properties, "required": required}
    )
    described = {"description": description, "minItems": 1, "maxItems": MOST_ROWS}
    return fields.List(row, required=True, metadata=described)


class CustomersInSchema(Schema):
    """Sales and negotiations, each with its evidence."""

    rows = _rows(
        "one sale or negotiation each",
        _ROW,
        ["address", "reference", "trigger", "on", "obtained_from", "offered_at_collection"],
    )
    source = maybe(
        "where the rows come from, for example a shop's name", validate=validate.Length(1, 200)
    )
    partial_ = Flag(
        attribute="partial",
        data_key="partial",
        load_default=False,
        metadata={"description": "take the good rows; without it one bad row refuses all"},
    )


class CustomersLapseInSchema(Schema):
    """Records to take back, or whose relationship ended."""

    rows = _rows("one record each", _LAPSE, ["address", "reference", "reason"])


class CustomerRefusedSchema(Schema):
    """Why a row was refused."""

    field = fields.String(required=True)
    reason = fields.String(required=True)
    detail = fields.String(required=True, attribute="message")


class CustomerRowSchema(Schema):
    """What became of one row."""

    row = fields.Integer(required=True)
    outcome = fields.String(
        required=True,
        metadata={"description": "recorded, repeated, suppressed, refused or lapsed"},
    )
    customer = fields.UUID(required=True, allow_none=True, attribute="customer_id")
    entry_index = fields.Integer(required=True, allow_none=True)
    leaf_hash = fields.Function(lambda row: row.leaf_hash.hex() if row.leaf_hash else None)
    warnings = fields.List(fields.String(), required=True)
    errors = fields.List(fields.Nested(CustomerRefusedSchema), required=True, attribute="refusals")


class CustomersDoneSchema(Schema):
    """What became of each row; everything recorded is in the log."""

    at = Instant(required=True)
    recorded = fields.Function(lambda done: done.count("recorded"))
    repeated = fields.Function(lambda done: done.count("repeated"))
    suppressed = fields.Function(lambda done: done.count("suppressed"))
    refused = fields.Function(lambda done: done.count("refused"))
    lapsed = fields.Function(lambda done: done.count("lapsed"))
    rows = fields.List(fields.Nested(CustomerRowSchema), required=True)


class CustomerSchema(Schema):
    """One record. `carries`: it is among the grounds that permits look at; a closed channel blocks it all the same."""

    customer = fields.UUID(required=True, attribute="customer_id")
    channel = fields.String(required=True)
    trigger = fields.String(required=True)
    on = fields.String(required=True)
    ended_on = fields.String(required=True, allow_none=True)
    state = fields.String(required=True, metadata={"description": "recorded, ended or lapsed"})
    carries = fields.Boolean(required=True)
    recorded_at = Instant(required=True)
    changed_at = Instant(required=True)
    entry_index = fields.Integer(required=True, allow_none=True)


class CustomerFoundSchema(Schema):
    """What is recorded of one person as a customer, newest first."""

    contact = fields.UUID(required=True, allow_none=True, attribute="contact_id")
    closed = fields.List(
        fields.String(),
        required=True,
        metadata={"description": "channels on which the person said no; no sale opens them"},
    )
    customers = fields.List(fields.Nested(CustomerSchema), required=True)


class CustomerFindSchema(Schema):
    """Whose records."""

    address = address_field("whose records")


class CustomerQuerySchema(Schema):
    """Whose records, by the contact's id: an address never stands in a URL."""

    contact = fields.UUID(required=True, metadata={"description": "the contact's id"})


DONE, FOUND = CustomersDoneSchema(), CustomerFoundSchema()


@blueprint.operation(
    "POST", "/customers", scope="customers:write", takes=CustomersInSchema(), gives=DONE
)
def record_customers(given: dict[str, Any]) -> Response:
    """Record up to 5,000 sales or negotiations with their evidence: all, or with `partial` the good ones.

    A record is known by address, channel and reference: sent again it is `repeated`. An address that was erased is
    `suppressed`, and nothing is written of it.
    """
    command = RecordCustomers(
        caller().organisation_id,
        tuple(given["rows"]),
        caller().actor,
        "api",
        source=given["source"],
        partial=given["partial"],
    )
    return act(lambda tx: service.record_customers(tx, command), DONE)


@blueprint.operation(
    "POST", "/customers:lapse", scope="customers:write", takes=CustomersLapseInSchema(), gives=DONE
)
def lapse_customers(given: dict[str, Any]) -> Response:
    """Take records back, or say on which day an ongoing relationship ended; all rows or none."""
    command = LapseCustomers(caller().organisation_id, tuple(given["rows"]), caller().actor)
    return act(lambda tx: service.lapse_customers(tx, command), DONE)


@blueprint.operation(
    "POST", "/customers:find", scope="customers:read", takes=CustomerFindSchema(), gives=FOUND
)
def find_customers(given: dict[str, Any]) -> Response:
    """Tell what is recorded of an address; reads only, so a repeated Idempotency-Key is answered afresh."""
    org = caller().organisation_id
    with reading() as session:
        keystore = installation().keystore
        found = queries.customers_of_address(session, keystore, org, given["address"])
    return _told(found)


@blueprint.operation(
    "GET", "/customers", scope="customers:read", query=CustomerQuerySchema(), gives=FOUND
)
def list_customers(given: dict[str, Any]) -> Response:
    """Tell what is recorded of a contact, by its id."""
    with reading() as session:
        org = caller().organisation_id
        found = queries.customers_of_contact(session, org, given["contact"])
    return _told(found)


def _told(found: FoundCustomer) -> Response:
    return answer(FOUND.dump(found))
