"""The JSON of permits, described for the OpenAPI document; the slice's own rules read what comes in.

Ten thousand recipients in one body would spend more time in a schema than in the decision.
"""

from __future__ import annotations

from typing import Any

from marshmallow import Schema, fields, validate

from consentledger.law.model import CONTAINS, MESSAGE_CLASSES, VERDICTS
from consentledger.permits import rechecks, rules, voiding


class _Described(Schema):
    """A schema that only describes: what it loads is read by the slice's own rules."""

    def load(self, data: Any, **_options: Any) -> Any:
        """Returns the body as it came."""
        return data


class PermitQuestion(_Described):
    """One message, and whom it would go to."""

    sender = fields.UUID(required=True)
    purpose = fields.UUID(required=True)
    channel = fields.String(required=True, metadata={"example": "email"})
    recipients = fields.List(
        fields.Raw(
            metadata={
                "description": 'an address, or {"address": …, "country": …, "person": …, "capacity": …}'
            }
        ),
        validate=validate.Length(1, rules.MAX_RECIPIENTS),
    )
    audience = fields.String(
        validate=validate.OneOf(["all"]),
        metadata={"description": "all contacts on record instead of recipients; answered in lines"},
    )
    message_class = fields.String(
        data_key="class", load_default="marketing", validate=validate.OneOf(MESSAGE_CLASSES)
    )
    contains = fields.List(
        fields.String(validate=validate.OneOf(CONTAINS)),
        metadata={"description": "what of a service message makes it marketing"},
    )
    categories = fields.List(
        fields.String(),
        metadata={"description": "of the advertised products; the purpose's, if left out"},
    )
    send_at = fields.DateTime(
        metadata={"description": "when it goes out; now, if left out; at most valid_for ahead"}
    )
    tracking = fields.UUID(
        metadata={"description": "the tracking purpose, if opens or clicks are tracked one by one"}
    )
    campaign = fields.String(metadata={"description": "1 to 64 of A-Z a-z 0-9 _ . -"})
    valid_for = fields.Integer(
        load_default=3600, validate=validate.Range(1, 86_400), metadata={"description": "seconds"}
    )


class ReasonSchema(Schema):
    """Why: a short word, the rule, and its source."""

    code = fields.String()
    rule = fields.String()
    source = fields.String()


class DutySchema(Schema):
    """What the permitted message must carry or do: a short word, a value if one is prescribed, rule and source."""

    code = fields.String()
    value = fields.String(allow_none=True)
    rule = fields.String()
    source = fields.String()


class PermitRow(Schema):
    """The decision about one recipient."""

    address = fields.String()
    permit = fields.String(metadata={"description": "the permit's id, 16 characters"})
    verdict = fields.String(validate=validate.OneOf(VERDICTS))
    allowed = fields.Boolean()
    basis = fields.String(allow_none=True)
    reasons = fields.List(fields.Nested(ReasonSchema))
    duties = fields.List(fields.Nested(DutySchema))
    valid_until = fields.DateTime(allow_none=True)
    unsubscribe_url = fields.URL(allow_none=True)
    headers = fields.Dict(keys=fields.String(), values=fields.String())


class PermitBatchSchema(Schema):
    """A batch of decisions, one per recipient, in the order of asking."""

    batch = fields.String()
    entry_index = fields.Integer()
    issued_at = fields.DateTime()
    valid_until = fields.DateTime()
    count = fields.Integer()
    allowed = fields.Integer()
    meaning = fields.String()
    permits = fields.List(fields.Nested(PermitRow))


class RecheckQuestion(_Described):
    """Ids of permits."""

    permits = fields.List(
        fields.String(), required=True, validate=validate.Length(1, rules.MAX_RECIPIENTS)
    )


class DeadPermit(Schema):
    """A permit that must not be used, and why."""

    permit = fields.String()
    reason = fields.String(validate=validate.OneOf(rechecks.REASONS))


class RecheckAnswer(Schema):
    """Which of the ids are dead by now."""

    checked = fields.Integer()
    dead = fields.List(fields.Nested(DeadPermit))
    meaning = fields.String()


class VoidQuestion(_Described):
    """A batch, or ids of permits, and why they are taken back."""

    batch = fields.String(metadata={"description": "all permits of this batch"})
    permits = fields.List(fields.String(), validate=validate.Length(1, rules.MAX_RECIPIENTS))
    reason = fields.String(required=True, validate=validate.Length(1, voiding.LONGEST_REASON))


class VoidedSchema(Schema):
    """What was taken back of one batch, and the entry that says so."""

    batch = fields.String()
    entry_index = fields.Integer()
    count = fields.Integer()


class VoidAnswer(Schema):
    """What was taken back now; what was void before is not among it."""

    voided = fields.List(fields.Nested(VoidedSchema))


class CustomerGroundSchema(Schema):
    """The ground of the existing-customer exception that the decision turned on."""

    entry = fields.Integer(metadata={"description": "its number among the contact's entries"})
    trigger = fields.String()
    on = fields.String()
    ended_on = fields.String(allow_none=True)
    renewed_on = fields.String(
        allow_none=True,
        metadata={"description": "the last message that was sent under the exception itself"},
    )
    relation = fields.String()
    flags = fields.List(fields.String())


class FactsSchema(Schema):
    """What the decision was made from; dates are days, or `current` and `old` where the day itself decides nothing."""

    recipient = fields.String()
    countries = fields.List(fields.String())
    person = fields.String()
    capacity = fields.String()
    consent = fields.String()
    grade = fields.String()
    consented_on = fields.String(allow_none=True)
    sent_on = fields.String(allow_none=True)
    objection = fields.String()
    closed = fields.Boolean()
    customer = fields.Nested(CustomerGroundSchema, allow_none=True)
    listed = fields.List(fields.String())
    tracking = fields.String()


class MessageSchema(Schema):
    """What all messages of the batch share, as its entry commits it."""

    sender = fields.UUID()
    purpose = fields.UUID()
    channel = fields.String()
    message_class = fields.String(data_key="class")
    contains = fields.List(fields.String())
    categories = fields.List(fields.String())
    categories_version = fields.Integer(allow_none=True)
    campaign = fields.String(allow_none=True)
    tracking = fields.UUID(allow_none=True)
    send_at = fields.DateTime()
    registers = fields.List(fields.String())
    packs = fields.List(fields.String())


class PermitProofSchema(Schema):
    """The permit's line, its path in the batch, the batch's entry, and its path in the log."""

    batch = fields.Integer(metadata={"description": "index of the batch's entry"})
    permit = fields.String()
    row = fields.Integer()
    count = fields.Integer()
    disclosure = fields.String()
    path = fields.List(fields.String())
    leaf = fields.String()
    tlog_proof = fields.String(allow_none=True)


class PermitSchema(PermitRow):
    """One permit as recorded; it names the contact by id, never by address."""

    class Meta:
        """What of a row is not told again."""

        exclude = ("address", "unsubscribe_url", "headers")

    state = fields.String(
        metadata={"description": "valid, expired, stopped, voided, denied or log_frozen"}
    )
    batch = fields.String()
    row = fields.Integer()
    contact = fields.UUID(allow_none=True)
    message = fields.Nested(MessageSchema)
    facts = fields.Nested(FactsSchema)
    packs = fields.List(fields.String())
    issued_at = fields.DateTime()
    meaning = fields.String()
    proof = fields.Nested(PermitProofSchema)
