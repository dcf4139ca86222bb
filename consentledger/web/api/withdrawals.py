"""POST /withdrawals: a person told the marketer, by letter or telephone, that they want no more."""

from __future__ import annotations

from typing import Any

from flask import Response
from marshmallow import Schema, fields

from consentledger.kernel.errors import FrozenError, NotFoundError
from consentledger.stops.commands import Withdraw
from consentledger.stops.service import withdraw
from consentledger.web.api.acting import act, answer
from consentledger.web.api.keys import caller
from consentledger.web.api.operation import ApiBlueprint
from consentledger.web.api.shapes import Instant, address_field, channel
from consentledger.web.journalled import ACCEPTED, journalled

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
KEPT = {
    "state": "journalled",
    "detail": "The log is frozen. The stop is kept in the journal and takes effect now: no permit is issued "
    "meanwhile. It is recorded in the log before any permit is.",
}


@blueprint.operation(
    "POST",
    "/withdrawals",
    scope="stops:write",
    takes=WithdrawalInSchema(),
    gives=STOPPED,
    status=201,
)
def record_withdrawal(given: dict[str, Any]) -> Response:
    """Record a stop on a person's behalf, for known and unknown addresses alike.

    While the log is frozen the answer is 202: the stop is kept in the journal, and no permit is issued meanwhile.
    """
    command = Withdraw(
        organisation_id=caller().organisation_id,
        address=given["address"],
        actor=caller().actor,
        sender_id=given["sender"],
        purpose_id=given["purpose"],
        channel=given["channel"],
    )
    try:
        return act(lambda tx: withdraw(tx, command), STOPPED, 201)
    except (FrozenError, NotFoundError):
        # A sender that a restored database does not know may be in the part that is missing.
        if not journalled(command):
            raise
    return answer(KEPT, ACCEPTED)
