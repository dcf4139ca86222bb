"""POST /withdrawals: a person told the marketer, by letter or telephone, that they want no more."""

from __future__ import annotations

from typing import Any

from flask import Response
from marshmallow import Schema, fields

from consentledger.db.unit_of_work import Tx
from consentledger.kernel.errors import InputError
from consentledger.organisations import queries
from consentledger.stops.commands import Stopped, Withdraw
from consentledger.stops.service import withdraw
from consentledger.web.api.acting import act
from consentledger.web.api.keys import caller
from consentledger.web.api.operation import ApiBlueprint
from consentledger.web.api.shapes import Instant, address_field, channel

blueprint = ApiBlueprint("withdrawals", __name__, "Stops that people told you")


class WithdrawalInSchema(Schema):
    """Without `purpose` all of the sender, without `sender` all of your organisation."""

    address = address_field("whose stop it is")
    sender = fields.UUID(
        load_default=None, allow_none=True, metadata={"description": "without: all of them"}
    )
    purpose = fields.UUID(
        load_default=None, allow_none=True, metadata={"description": "without: all of the sender"}
    )
    channel = channel()


class WithdrawalSchema(Schema):
    """The stop is in the log; no later permit allows a message that it covers."""

    scope = fields.String(
        required=True, metadata={"description": "purpose, sender or organisation"}
    )
    entry_index = fields.Function(lambda stopped: stopped.receipt.index)
    leaf_hash = fields.Function(lambda stopped: stopped.receipt.leaf_hash.hex())
    at = Instant(required=True, attribute="receipt.at")


STOPPED = WithdrawalSchema()


@blueprint.operation(
    "POST",
    "/withdrawals",
    scope="stops:write",
    takes=WithdrawalInSchema(),
    gives=STOPPED,
    status=201,
)
def record_withdrawal(given: dict[str, Any]) -> Response:
    """Record a stop on a person's behalf, for known and unknown addresses alike."""
    command = Withdraw(
        organisation_id=caller().organisation_id,
        address=given["address"],
        actor=caller().actor,
        sender_id=given["sender"],
        purpose_id=given["purpose"],
        channel=given["channel"],
    )
    return act(lambda tx: _withdraw(tx, command), STOPPED, 201)


def _withdraw(tx: Tx, command: Withdraw) -> Stopped:
    if command.purpose_id and not command.sender_id:
        raise InputError(
            "sender: a purpose is withdrawn from one sender", field="sender", reason="missing"
        )
    # A stop for something that is not there would stop nothing: say so, rather than promise.
    if command.sender_id:
        queries.sender(tx.session, command.organisation_id, command.sender_id)
    if command.purpose_id:
        queries.purpose(tx.session, command.organisation_id, command.purpose_id)
    return withdraw(tx, command)
