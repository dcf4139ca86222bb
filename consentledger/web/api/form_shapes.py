"""The JSON of forms: their drafts, what is served, what they lack, and what to paste into a page."""

from __future__ import annotations

from marshmallow import Schema, fields, validate

from consentledger.web.api.shapes import (
    LANGUAGE,
    Flag,
    Instant,
    channel,
    maybe,
    other_id,
    own_id,
    text,
)

STATES = ("draft", "published", "paused", "unpublished")


class FormFieldSchema(Schema):
    """An input besides the boxes; only email may be required."""

    name = text("email, or a name such as first_name")
    required = Flag(load_default=False)


class FormDraftSchema(Schema):
    """What a form is made of. Each wording is one box, unticked; there is no way to say otherwise."""

    sender_id = other_id("sender_id")
    language = text("the language of its wordings", pattern=LANGUAGE)
    channel = channel()
    wordings = fields.List(
        fields.UUID(), required=True, metadata={"description": "one box each, unticked"}
    )
    fields_ = fields.List(
        fields.Nested(FormFieldSchema),
        attribute="fields",
        data_key="fields",
        load_default=lambda: [{"name": "email", "required": True}],
        metadata={"description": "inputs besides the boxes: name, required (only email may be)"},
    )
    origins = fields.List(
        fields.String(),
        load_default=list,
        metadata={"description": "pages that may embed and post it"},
    )
    returns = fields.List(
        fields.String(),
        load_default=list,
        metadata={"description": "where people may be led back to"},
    )


class FormInSchema(FormDraftSchema):
    """A form's draft, with what its owner calls it and which form it translates."""

    name = maybe("how you call it; null keeps what it is called")
    translation_of = fields.UUID(
        load_default=None,
        allow_none=True,
        metadata={"description": "the first form, of which this is a translation; never changes"},
    )


class PausedSchema(Schema):
    """Why a form paused itself: of so many mailed requests, only so many were confirmed."""

    reason = fields.String(required=True, validate=validate.OneOf(["unconfirmed"]))
    at = fields.String(required=True)
    mailed = fields.Integer(required=True)
    confirmed = fields.Integer(required=True)


class FormSchema(Schema):
    """A form; version 0 was never published. `paused` is null unless it paused itself."""

    form_id = own_id("form_id")
    name = fields.String(required=True, allow_none=True)
    translation_of = fields.UUID(required=True, allow_none=True)
    state = fields.String(required=True, validate=validate.OneOf(STATES))
    version = fields.Integer(required=True)
    paused = fields.Nested(PausedSchema, required=True, allow_none=True)
    draft = fields.Nested(FormDraftSchema)
    created_at = Instant()


class FormStateSchema(Schema):
    """A form's state and served version."""

    form_id = own_id("form_id")
    state = fields.String(required=True)
    version = fields.Integer(required=True)


class FormPublishedSchema(Schema):
    """The version that is served from now on, its entry in the log, and the translations that it left behind."""

    form_id = own_id("form_id")
    version = fields.Integer(required=True)
    entry_index = fields.Integer(required=True)
    behind = fields.List(
        fields.String(),
        metadata={"description": "languages that are not served until they say the same again"},
    )


class FormGapSchema(Schema):
    """One thing that a form lacks, in the words of a problem's errors."""

    field = fields.String(required=True)
    reason = fields.String(required=True)
    message = fields.String(required=True, data_key="detail")


class LanguageSchema(Schema):
    """One language of a form: what its draft lacks, and whether its published version is served."""

    form_id = own_id("form_id")
    translation_of = fields.UUID(required=True, allow_none=True)
    language = fields.String(required=True)
    state = fields.String(required=True)
    version = fields.Integer(required=True)
    served = fields.Boolean(required=True)
    complete = fields.Boolean(required=True)
    gaps = fields.List(fields.Nested(FormGapSchema), required=True)
    warnings = fields.List(fields.Nested(FormGapSchema), required=True)


class CompletenessSchema(LanguageSchema):
    """A form and its translations, each held against the first form's draft."""

    translations = fields.List(fields.Nested(LanguageSchema), required=True)


class SnippetsSchema(Schema):
    """What to paste: the element, the same pinned to one version, a frame, plain HTML, and a call by a server."""

    element = text("one line of HTML: the newest version of the element")
    pinned = text("the same, pinned to one version with its SHA-384 (subresource integrity)")
    iframe = text("a frame, for pages without scripts of their own")
    html = text("a plain form, to style and change")
    curl = text("a call by a server of yours: POST /api/v1/consents")
