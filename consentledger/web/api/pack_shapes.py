"""The JSON of rule packs and product categories."""

from __future__ import annotations

from typing import Any

from marshmallow import Schema, fields, validate

from consentledger.organisations.categories import MOST
from consentledger.web.api.shapes import Instant, text

PACK = text("`DE@1`, or `DE` for the version in force today")
_WORDS = {"description": "each makes the pack stricter, such as `exception=off`"}
_RISKS = {"description": "risk triggers of the pack that the organisation takes on"}


def _texts(description: str) -> fields.List[str]:
    return fields.List(fields.String(), required=True, metadata={"description": description})


class AdoptionSchema(Schema):
    """One pack to adopt."""

    pack = PACK
    stricter = fields.List(fields.String(), load_default=list, metadata=_WORDS)
    accepts = fields.List(fields.String(), load_default=list, metadata=_RISKS)


class AdoptSchema(Schema):
    """Packs to adopt in one entry each, all at once; parents that are missing are adopted with them."""

    packs = fields.List(
        fields.Nested(AdoptionSchema), required=True, validate=validate.Length(1, 100)
    )


class AdoptedSchema(Schema):
    """One version of a pack as it was adopted last."""

    name = text("`<pack>@<version>`")
    pack = text("its id")
    version = text("its version")
    hash = text("SHA-256 of its file, hex")
    stricter = _texts("what the organisation made stricter")
    accepts = _texts("risk triggers that it takes on")
    adopted_at = Instant(required=True)
    entry_index = fields.Integer(required=True)


class PacksAdoptedSchema(Schema):
    """What was adopted now, and what was adopted so already."""

    adopted = fields.List(fields.Nested(AdoptedSchema), required=True)
    unchanged = fields.List(fields.Nested(AdoptedSchema), required=True)


class PackLineSchema(Schema):
    """One pack as it is in force today, and what the organisation adopted of it."""

    pack = text("its id: a country, EU, or XX for all others")
    name = text("`<pack>@<version>` of the version in force today")
    newest = text("the newest version that is here; it may be for a later day")
    title = text("whom it protects")
    status = text("published, or draft: then its exception is off")
    confidence = text("high, medium, low, or policy")
    reviewed_on = text("the day of its last review")
    countries = _texts("ISO 3166-1 codes that it is for")
    hash = text("SHA-256 of its file, hex")
    known = fields.Boolean(
        required=True, metadata={"description": "whether the project published exactly this file"}
    )
    adopted = fields.List(fields.Nested(AdoptedSchema), required=True)
    update = fields.Boolean(
        required=True, metadata={"description": "whether a newer version waits to be adopted"}
    )


class PackListSchema(Schema):
    """Every pack that is here."""

    items = fields.List(fields.Nested(PackLineSchema), required=True)


class RuleSchema(Schema):
    """One rule of a pack for people."""

    lines = _texts("plain sentences, in English")
    says = text("what the pack's author says of it, in English")
    citations = _texts("ids of citations")


class TopicSchema(Schema):
    """The rules of one topic."""

    topic = text("the table of the pack's file")
    heading = text("in English")
    rules = fields.List(fields.Nested(RuleSchema), required=True)


class PackSchema(Schema):
    """One version of a pack, whole."""

    name = text("`<pack>@<version>`")
    known = fields.Boolean(
        required=True, metadata={"description": "whether the project published exactly this file"}
    )
    topics = fields.List(fields.Nested(TopicSchema), required=True)
    pack: Any = fields.Dict(
        keys=fields.String(),
        required=True,
        metadata={"description": "every key of its file, what it inherits filled in"},
    )


class DiffQuery(Schema):
    """Which versions to compare."""

    before = fields.String(
        load_default=None, metadata={"description": "a version; else the adopted one"}
    )
    after = fields.String(
        load_default=None, metadata={"description": "a version; else the newest one"}
    )


class ChangeSchema(Schema):
    """One key that says something else; null where it is not there."""

    key = text("the key, such as `exception.channels`")
    before = fields.String(required=True, allow_none=True)
    after = fields.String(required=True, allow_none=True)


class DiffSchema(Schema):
    """What changes from one version to another."""

    before = text("`<pack>@<version>`")
    after = text("`<pack>@<version>`")
    changes = fields.List(fields.Nested(ChangeSchema), required=True)


class CategoriesInSchema(Schema):
    """All product categories, parents included, and the nodes below which products count as similar."""

    categories = fields.List(
        fields.String(),
        required=True,
        validate=validate.Length(1, MOST),
        metadata={"description": "paths such as `garden/hand-tools`"},
    )
    groups = fields.List(
        fields.String(), load_default=list, metadata={"description": "some of the categories"}
    )


class CategoriesSchema(Schema):
    """One published version of the categories."""

    version = fields.Integer(required=True)
    categories = _texts("every node, sorted")
    groups = _texts("the nodes below which products count as similar")
    published_at = Instant(required=True)
    entry_index = fields.Integer(required=True)


class VersionQuery(Schema):
    """Which version."""

    version = fields.Integer(
        load_default=None,
        validate=validate.Range(1, 2**31 - 1),
        metadata={"description": "else the newest"},
    )
