"""Pages of a list: `limit` rows in the order of their ids, and a cursor to go on from."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar
from uuid import UUID

from flask import Response
from marshmallow import Schema, fields, validate
from sqlalchemy.orm import Session

from consentledger.web.api.acting import answer, reading
from consentledger.web.api.keys import caller

LONGEST = 200
Row = TypeVar("Row")


class PageQuery(Schema):
    """Which page of a list."""

    limit = fields.Integer(
        load_default=50,
        validate=validate.Range(1, LONGEST),
        metadata={"description": "rows per page"},
    )
    after = fields.UUID(
        load_default=None, metadata={"description": "the `next` of the page before"}
    )


def page_of(shape: Schema) -> Schema:
    """Returns the schema of a page of `shape`."""
    name = type(shape).__name__.removesuffix("Schema")
    page = type(
        f"{name}Page",
        (Schema,),
        {
            "items": fields.List(fields.Nested(type(shape)), required=True),
            "next": fields.UUID(
                required=True,
                allow_none=True,
                metadata={"description": "null on the last page"},
            ),
        },
    )
    made = page()
    assert isinstance(made, Schema)  # noqa: S101 - for the type checker
    return made


def listed(
    read: Callable[..., Sequence[Row]],
    identify: Callable[[Row], UUID],
    shape: Schema,
    query: dict[str, Any],
) -> Response:
    """Answers with one page of what `read(session, organisation, after=…, limit=…)` finds."""
    limit = query["limit"]
    with reading() as session:
        rows = _read(read, session, query["after"], limit + 1)
    more = rows[limit - 1 : limit] if len(rows) > limit else []
    body = {
        "items": [shape.dump(row) for row in rows[:limit]],
        "next": str(identify(more[0])) if more else None,
    }
    return answer(body)


def _read(
    read: Callable[..., Sequence[Row]], session: Session, after: UUID | None, limit: int
) -> Sequence[Row]:
    return read(session, caller().organisation_id, after=after, limit=limit)
