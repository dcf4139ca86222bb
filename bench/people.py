"""People who have come so far: asked and mailed (confirm links), or confirmed and written to (unsubscribe links)."""

from __future__ import annotations

from urllib.parse import urlencode

from bench import load
from bench.world import World
from consentledger.permits.links import PermitId
from consentledger.permits.rules import IssuePermits
from consentledger.permits.service import issue, prepare
from tests.support.consents import People

FORM = {"Content_Type": "application/x-www-form-urlencoded"}
BATCH = 1_000


def people(made: World) -> People:
    """The verbs of people on this installation's form."""
    return People(made.installation.database, made.made)


def confirm_requests(made: World, count: int) -> list[bytes]:
    """Confirm POSTs of as many people, as their pages would send them."""
    crowd, requests = people(made), []
    for n in range(count):
        link = crowd.ask(f"asked{n}@example.org")
        if link is None:
            raise SystemExit("a first sign-up got no link")
        item = crowd.page(link).items[0].item_id
        token = made.installation.tokens.make("confirm", link)
        body = urlencode({"shown": item, f"choice.{item}": "keep"}).encode()
        requests.append(load.request("POST", f"/c/{token}", body, **FORM))
    return requests


def subscribed(made: World, count: int, name: str = "kept") -> list[str]:
    """Makes as many confirmed people; returns their addresses."""
    crowd = people(made)
    addresses = [f"{name}{n}@example.org" for n in range(count)]
    for address in addresses:
        crowd.subscribe(address)
    return addresses


def unsubscribe_requests(made: World, count: int) -> list[bytes]:
    """One-click POSTs (RFC 8058) of as many people, each by a permit's own link."""
    addresses = subscribed(made, count)
    requests = []
    for start in range(0, count, BATCH):
        requests += [
            load.request("POST", f"/u/{token}", b"List-Unsubscribe=One-Click", **FORM)
            for token in permit_tokens(made, addresses[start : start + BATCH])
        ]
    return requests


def permit_tokens(made: World, addresses: list[str]) -> list[str]:
    """Issues one batch of permits and returns the tokens of its unsubscribe links."""
    installation, organisation = made.installation, made.made.organisation
    command = IssuePermits(
        organisation_id=organisation.organisation_id,
        sender_id=made.made.sender_id,
        purpose_id=made.made.purpose_ids[0],
        channel="email",
        recipients=tuple(addresses),
        actor="operator",
    )
    prepared = prepare(installation.database, command)
    with installation.database.begin() as tx:
        issued = issue(tx, prepared)
    return [
        installation.tokens.make(
            "unsubscribe", PermitId(organisation.number, issued.batch, row).to_bytes()
        )
        for row in range(len(addresses))
    ]
