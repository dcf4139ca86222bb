"""Somebody who asks for permits in bulk: bodies in lines, and answers read again."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import dataclass
from typing import Any

from flask.testing import FlaskClient
from sqlalchemy import func, select

from consentledger.db.installation import Installation
from tests.factories import Cast, create_cast, create_purpose, create_sender
from tests.support.apps import app_of
from tests.support.permits import Shop

PERMITS = "/api/v1/permits"
NDJSON = "application/x-ndjson"


@dataclass(frozen=True, slots=True)
class World:
    """The cast, alice's shop, and a client."""

    cast: Cast
    shop: Shop
    client: FlaskClient
    installation: Installation

    @property
    def message(self) -> dict[str, str]:
        """The message that is asked about."""
        return {
            "sender": str(self.shop.sender_id),
            "purpose": str(self.shop.purpose_id),
            "channel": "email",
        }

    def body(self, *lines: object, **more: Any) -> bytes:
        """A body of the message and these lines: bytes as they are, anything else as JSON."""
        told = [line if isinstance(line, bytes) else json.dumps(line).encode() for line in lines]
        return b"\n".join([json.dumps({**self.message, **more}).encode(), *told]) + b"\n"

    def post(self, content: bytes, who: str = "alice", **headers: str) -> Any:
        """Posts a body; header names are written with underscores."""
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.client.post(
            PERMITS,
            data=content,
            headers={"Content-Type": NDJSON, **getattr(self.cast, who).headers, **given},
            buffered=True,
        )

    def begin(self, content: bytes, **headers: str) -> Any:
        """Posts a body and reads nothing of the answer yet."""
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        given = {"Content-Type": NDJSON, **self.cast.alice.headers, **given}
        return self.client.post(PERMITS, data=content, headers=given, buffered=False)

    def ask(self, *lines: object, **headers: str) -> Any:
        """Asks about these lines."""
        return self.post(self.body(*lines), **headers)

    def counted(self, model: Any) -> int:
        """How many rows a table has."""
        with self.installation.database.read() as session:
            return session.execute(select(func.count()).select_from(model)).scalar_one()


def read(answer: Any) -> tuple[list[dict[str, Any]], list[dict[str, Any]], dict[str, Any]]:
    """Reads an answer: its batches, the lines of its recipients, and the last line."""
    assert answer.status_code == 200, answer.text
    assert answer.mimetype == NDJSON
    told = [json.loads(line) for line in answer.text.splitlines()]
    return (
        [one for one in told if "batch" in one],
        [one for one in told if "line" in one],
        told[-1],
    )


def crowd(count: int, *known: str) -> list[str]:
    """Strangers with these people at the end."""
    return [*(f"p{n}@example.net" for n in range(count - len(known))), *known]


def rows_of(answer: Any) -> list[dict[str, str]]:
    """Reads a CSV answer."""
    assert answer.status_code == 200
    assert answer.mimetype == "text/csv"
    return list(csv.DictReader(io.StringIO(answer.text, newline="")))


def make_world(installation: Installation) -> World:
    """Makes alice's shop with two people who said yes."""
    database = installation.database
    cast = create_cast(database, installation.settings)
    alice = cast.alice.organisation
    shop = Shop(
        database,
        alice.organisation_id,
        alice.number,
        create_sender(database, alice.organisation_id),
        create_purpose(database, alice.organisation_id),
    )
    shop.confirm("ann@example.org", "bea@example.org")
    app = app_of(installation)
    return World(cast, shop, app.test_client(use_cookies=False), installation)
