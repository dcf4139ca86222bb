"""Runs a verb in one unit of work and answers; a repeated Idempotency-Key gets the first one's answer."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import orjson
from flask import Response, request
from marshmallow import Schema
from sqlalchemy.orm import Session

from consentledger.accounts import idempotency
from consentledger.db.unit_of_work import Tx
from consentledger.web.api.keys import caller
from consentledger.web.services import installation

REPLAYED = "Idempotency-Replayed"


def act(verb: Callable[[Tx], Any], shape: Schema, status: int = 200) -> Response:
    """Runs `verb` in a unit of work and answers with its result in `shape`.

    With an Idempotency-Key the answer is kept with the act, in the same transaction, and given again.
    """
    key = request.headers.get("Idempotency-Key")
    with installation().database.begin() as tx:
        if key is None or request.method != "POST":
            return answer(shape.dump(verb(tx)), status)
        claimed = idempotency.claim(tx, repeatable(key))
        if isinstance(claimed, idempotency.KeptAnswer):
            again = answer(claimed.body, claimed.status)
            again.headers[REPLAYED] = "true"
            return again
        body = shape.dump(verb(tx))
        idempotency.keep(tx, claimed, status, body)
    return answer(body, status)


def repeatable(key: str) -> idempotency.Repeatable:
    """This request as one that may come again."""
    return idempotency.Repeatable(
        caller().organisation_id,
        idempotency.check_key(key),
        f"{request.method} {request.path}",
        request.get_data(),
    )


@contextmanager
def reading() -> Iterator[Session]:
    """Opens a session for reading."""
    with installation().database.read() as session:
        yield session


def answer(body: Any, status: int = 200) -> Response:
    """The JSON answer; what it says of people must stay in no cache (web.security adds no-store)."""
    return Response(orjson.dumps(body), status=status, mimetype="application/json")
