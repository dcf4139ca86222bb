"""A shop whose permits are asked for over the app, for tests of that part of the API."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flask.testing import FlaskClient
from sqlalchemy import select

from consentledger.db.installation import Installation
from consentledger.db.models import LogHead
from tests.factories import Cast, create_cast, create_purpose, create_sender
from tests.support.apps import app_of
from tests.support.permits import Shop

PERMITS = "/api/v1/permits"
RECHECK = "/api/v1/permits:recheck"


@dataclass(frozen=True, slots=True)
class World:
    """The cast, alice's shop with a sender and a purpose, and a client."""

    cast: Cast
    shop: Shop
    client: FlaskClient
    installation: Installation

    def ask(self, *people: object, who: str = "alice", key: str | None = None, **more: Any) -> Any:
        """Asks for permits as a member of the cast."""
        body = {
            "sender": str(self.shop.sender_id),
            "purpose": str(self.shop.purpose_id),
            "channel": "email",
            "recipients": list(people),
            **more,
        }
        headers = dict(getattr(self.cast, who).headers)
        if key:
            headers["Idempotency-Key"] = key
        return self.client.post(PERMITS, json=body, headers=headers)

    def recheck(self, *ids: str, who: str = "alice", key: str | None = None) -> Any:
        """Asks which permits are dead."""
        headers = dict(getattr(self.cast, who).headers)
        if key:
            headers["Idempotency-Key"] = key
        return self.client.post(RECHECK, json={"permits": list(ids)}, headers=headers)

    def read(self, permit: str, who: str = "alice") -> Any:
        """Reads one permit."""
        return self.client.get(f"{PERMITS}/{permit}", headers=getattr(self.cast, who).headers)

    def size(self) -> int:
        """The size of alice's log."""
        with self.installation.database.read() as session:
            query = select(LogHead.size).where(LogHead.organisation_id == self.shop.organisation_id)
            return session.execute(query).scalar_one()


def make_world(installation: Installation) -> World:
    """Makes alice's shop with two people who said yes, and bob and charlie."""
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
