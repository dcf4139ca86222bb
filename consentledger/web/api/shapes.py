"""The JSON of what a marketer publishes. Only types are checked here: what may be published is rules' to say."""

from __future__ import annotations

from typing import Any

from marshmallow import Schema, fields, validate

from consentledger.kernel.clock import to_text
from consentledger.organisations.fields import CHANNELS
from consentledger.organisations.rules import PURPOSE_CLASSES

LANGUAGE = "^[a-z]{2,3}(-[A-Za-z0-9]{2,8}){0,3}$"


class Instant(fields.String):
    """An instant as the log writes it."""

    def _serialize(self, value: Any, attr: str | None, obj: Any, **kwargs: Any) -> str | None:
        return None if value is None else to_text(value)


class Flag(fields.Boolean):
    """true or false as JSON has them; "yes" and 1 are neither."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> bool:
        if not isinstance(value, bool):
            raise self.make_error("invalid", input=value)
        return value


def text(description: str, **described: Any) -> fields.String:
    """A required text; `described` goes into the document only (pattern, lengths): rules say the reason."""
    metadata = {"minLength": 1, "description": description, **described}
    return fields.String(required=True, metadata=metadata)


def address_field(description: str) -> fields.String:
    """A person's address."""
    return text(description, minLength=6, maxLength=254, format="idn-email")


def maybe(description: str, **more: Any) -> fields.String:
    """A text that may be missing or null."""
    return fields.String(
        load_default=None, allow_none=True, metadata={"description": description}, **more
    )


def own_id(attribute: str) -> fields.UUID:
    """The id of what is described itself: always called `id`."""
    return fields.UUID(required=True, attribute=attribute, data_key="id")


def other_id(attribute: str) -> fields.UUID:
    """The id of something that is referred to: called by that thing's word, as in a permit's question."""
    word = attribute.removesuffix("_id")
    described = {"description": f"the {word}'s id"}
    return fields.UUID(required=True, attribute=attribute, data_key=word, metadata=described)


def channel(**more: Any) -> fields.String:
    """A channel."""
    return fields.String(
        validate=validate.OneOf(CHANNELS),
        load_default="email",
        metadata={"description": "only email can be collected today"},
        **more,
    )


class NothingSchema(Schema):
    """An empty object: the address says it all."""


class IdentitySchema(Schema):
    """Who writes, as recipients see it."""

    name = text("the brand")
    legal_name = text("the legal person; never changes")
    postal_address = text("lines separated by LF")
    country = text("two capital letters", pattern="^[A-Z]{2}$")
    contact_email = text("where people reach the sender")
    from_name = text("the name in From")
    from_address = text("the address in From")
    contact_phone = maybe("a telephone number")
    colour = maybe("#rrggbb, for the pages")
    privacy_url = maybe("where the privacy notice is online")


class TransportSchema(Schema):
    """A sender's own SMTP peer; certificates are always verified."""

    server = text("a full host name")
    port = fields.Integer(load_default=587, strict=True)
    tls = fields.String(load_default="starttls", validate=validate.OneOf(["starttls", "implicit"]))
    username = maybe("if it wants one")
    password = maybe("kept sealed, never shown again", load_only=True)


class SenderInSchema(IdentitySchema):
    """A sender to publish."""

    link_host = maybe("a host of its own for its links")
    transport = fields.Nested(
        TransportSchema,
        load_default=None,
        allow_none=True,
        metadata={"description": "its own SMTP peer: server, port, tls, username, password"},
    )


class SenderVersionSchema(SenderInSchema):
    """A new version of a sender; without `transport` the one it has is kept."""

    drop_transport = Flag(
        load_default=False, metadata={"description": "go back to the service's own SMTP peer"}
    )


class SenderSchema(Schema):
    """A published sender in its newest version."""

    sender_id = own_id("sender_id")
    version = fields.Integer(required=True)
    identity = fields.Nested(IdentitySchema, required=True)
    link_host = fields.String(required=True, allow_none=True)
    has_transport = fields.Boolean(required=True)
    published_at = Instant(required=True)


class PublishedSchema(Schema):
    """What was published: its version, and its entry in the log."""

    id = fields.UUID(required=True)
    version = fields.Integer(required=True)
    entry_index = fields.Integer(required=True)


class PurposeInSchema(Schema):
    """A purpose to publish."""

    titles = fields.Dict(
        keys=fields.String(),
        values=fields.String(),
        required=True,
        metadata={"description": "title by language tag", "minProperties": 1},
    )
    purpose_class = fields.String(
        data_key="class",
        load_default="marketing",
        validate=validate.OneOf(PURPOSE_CLASSES),
        metadata={"description": "tracking: measuring a person's opens or clicks, never bundled"},
    )
    channels = fields.List(
        fields.String(validate=validate.OneOf(CHANNELS)),
        load_default=lambda: ["email"],
        metadata={
            "description": "how messages may come; consent is given per channel",
            "minItems": 1,
            "uniqueItems": True,
        },
    )
    categories = fields.List(
        fields.String(),
        load_default=list,
        metadata={"description": "product categories, such as garden-tools"},
    )


class PurposeSchema(Schema):
    """A published purpose in its newest version."""

    purpose_id = own_id("purpose_id")
    version = fields.Integer(required=True)
    purpose_class = fields.String(data_key="class", required=True)
    titles = fields.Dict(keys=fields.String(), values=fields.String(), required=True)
    channels = fields.List(fields.String(), required=True)
    categories = fields.List(fields.String(), required=True)
    published_at = Instant(required=True)


class WordingInSchema(Schema):
    """A wording's draft."""

    sender_id = other_id("sender_id")
    purpose_id = other_id("purpose_id")
    language = text("a language tag", pattern=LANGUAGE)
    channel = channel()
    controllers = fields.List(
        fields.String(), required=True, metadata={"description": "each by its legal name"}
    )
    statement = text("names each controller, the purpose and the channel", minLength=0)
    withdrawal = text("how to take it back", minLength=0)
    notice_text = text("the stored copy of the privacy notice", minLength=0)
    notice_url = maybe("where the notice is online")


class WordingSchema(WordingInSchema):
    """A wording; `published_at` is null for a draft."""

    wording_id = own_id("wording_id")
    published_at = Instant(required=True, allow_none=True)


class WordingPublishedSchema(Schema):
    """A published wording and its entry in the log."""

    wording_id = own_id("wording_id")
    entry_index = fields.Integer(required=True)
