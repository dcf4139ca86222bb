"""What people and marketers do before the page under test: sign up, get the mail, get a permit."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID

from flask.testing import FlaskClient
from sqlalchemy import event, select

from consentledger.consents.commands import DecideConfirmation, MailFacts, RenderedMail
from consentledger.consents.models import ConsentRequest
from consentledger.consents.service import decide_confirmation
from consentledger.db.installation import Installation
from consentledger.db.models import LogHead, LogLeaf
from consentledger.permits import service as permits
from consentledger.permits.links import PermitId
from consentledger.permits.rules import IssuePermits
from tests.web.town import Shop

MARIA = "maria@example.org"


def size_of(installation: Installation, shop: Shop) -> int:
    """The number of entries in a shop's log."""
    query = select(LogHead.size).where(LogHead.organisation_id == shop.organisation_id)
    with installation.database.read() as session:
        return session.execute(query).scalar_one()


def last_kinds(installation: Installation, shop: Shop, count: int) -> list[str]:
    """The kinds of a log's last entries, oldest first."""
    query = (
        select(LogLeaf.leaf)
        .where(LogLeaf.organisation_id == shop.organisation_id)
        .order_by(LogLeaf.entry_index.desc())
        .limit(count)
    )
    with installation.database.read() as session:
        leaves = session.scalars(query).all()
    return [bytes(leaf).split(b"\n")[1].decode()[5:] for leaf in reversed(leaves)]


def fields(
    shop: Shop, email: str = MARIA, *, origin: str | None = None, **more: Any
) -> dict[str, Any]:
    """What a person posts from a page of `origin` (None: ours): address, one box, and the page's token."""
    return {
        "email": email,
        "purpose": str(shop.offers),
        "token": shop.token(origin),
        **more,
    }


def confirm_token(
    installation: Installation, client: FlaskClient, shop: Shop, email: str = MARIA, **more: Any
) -> str:
    """Sign up on the page, let the worker's verb decide, and return the token that the mail carries."""
    assert client.post(shop.form, data=fields(shop, email, **more)).status_code == 200
    (request_id,) = undecided(installation, shop)
    links = decide(installation, shop, request_id)
    assert links, "no mail goes out"
    return installation.tokens.make("confirm", links[0])


def undecided(installation: Installation, shop: Shop) -> list[UUID]:
    """The requests that no worker has looked at yet."""
    query = select(ConsentRequest).where(ConsentRequest.organisation_id == shop.organisation_id)
    with installation.database.read() as session:
        rows = session.scalars(query.order_by(ConsentRequest.requested_at)).all()
        return [row.request_id for row in rows if len(row.entry_numbers) == 1]


def decide(installation: Installation, shop: Shop, request_id: UUID) -> list[bytes]:
    """Let the worker's verb decide one request; the ids of the links that go out."""
    links: list[bytes] = []

    def render(facts: MailFacts) -> RenderedMail:
        links.append(facts.link_id)
        return RenderedMail(b"From: a\r\n\r\n", f"<{len(links)}@test>", {})

    with installation.database.begin() as tx:
        command = DecideConfirmation(shop.organisation_id, request_id)
        decide_confirmation(tx, command, render)
    return links


def press(client: FlaskClient, token: str, choice: str = "keep") -> Any:
    """Press the button of a confirm page, with the same choice for all that it shows."""
    page = client.get(f"/c/{token}")
    shown = re.findall(r'name="shown"\s+value="([^"]+)"', page.text)
    data = {"shown": shown, **{f"choice.{item}": choice for item in shown}}
    return client.post(f"/c/{token}", data=data)


def unsubscribe_token(installation: Installation, shop: Shop, email: str = MARIA) -> str:
    """Ask for a permit, and return the token of its unsubscribe link, whatever the verdict."""
    command = IssuePermits(
        shop.organisation_id, shop.sender_id, shop.offers, "email", (email,), "test"
    )
    prepared = permits.prepare(installation.database, command)
    with installation.database.begin() as tx:
        issued = permits.issue(tx, prepared)
    link = PermitId(shop.number, issued.batch, 0).to_bytes()
    return installation.tokens.make("unsubscribe", link)


def allowed(installation: Installation, shop: Shop, email: str = MARIA) -> bool:
    """Say whether a message may go to an address now."""
    command = IssuePermits(
        shop.organisation_id, shop.sender_id, shop.offers, "email", (email,), "test"
    )
    prepared = permits.prepare(installation.database, command)
    with installation.database.begin() as tx:
        issued = permits.issue(tx, prepared)
    return issued.rulings[issued.rows[0].verdict].verdict.allowed


@contextmanager
def statements(installation: Installation) -> Iterator[list[str]]:
    """Collect what is sent to the database meanwhile."""
    seen: list[str] = []
    database = installation.database
    engines = {
        getattr(e, "_proxied", e)
        for e in (database.write_engine, database.counter_engine, database.read_engine)
    }

    def note(_c: Any, _cursor: Any, statement: str, *_: Any) -> None:
        seen.append(statement)

    for engine in engines:
        event.listen(engine, "before_cursor_execute", note)
    yield seen
    for engine in engines:
        event.remove(engine, "before_cursor_execute", note)
