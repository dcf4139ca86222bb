"""`consentledger webhook …`: addresses of an organisation's own that are told of erasures and paused forms."""

from __future__ import annotations

from uuid import UUID

import click

from consentledger.cli.context import opened_database, opened_installation
from consentledger.cli.output import as_json, json_option
from consentledger.kernel.clock import to_text
from consentledger.kernel.settings import Settings
from consentledger.organisations.queries import organisation_by_name
from consentledger.webhooks.queries import WebhookFacts, webhooks
from consentledger.webhooks.rules import EVENTS, MOST
from consentledger.webhooks.service import (
    ChangeWebhook,
    CreateWebhook,
    create_webhook,
    delete_webhook,
)

organisation_option = click.option(
    "--organisation", required=True, metavar="NAME", help="The organisation that is told."
)
_EPILOG = "Events: " + "; ".join(f"{event} ({says})" for event, says in EVENTS.items()) + "."


@click.group()
def webhook() -> None:
    """Webhooks: addresses of an organisation's own that are told of erasures and paused forms."""


@webhook.command("add", epilog=_EPILOG)
@organisation_option
@click.option(
    "--event", "events", multiple=True, help="What to tell; may be repeated. Default: all."
)
@json_option
@click.argument("url")
def add_command(organisation: str, events: tuple[str, ...], json: bool, url: str) -> None:
    """Tell URL of erasures and paused forms; shows the secret that signs, this one time."""
    settings = Settings.load()
    with opened_installation(settings) as installation, installation.database.begin() as tx:
        owner = organisation_by_name(tx.session, organisation)
        command = CreateWebhook(
            owner.organisation_id,
            url,
            events or tuple(EVENTS),
            loopback=settings.webhook_allow_loopback,
        )
        made = create_webhook(tx, command)
    if json:
        as_json(
            webhook_id=str(made.webhook_id),
            url=made.url,
            events=list(made.events),
            secret=made.secret,
        )
        return
    click.echo(f"{made.url} is told of {', '.join(made.events)} ({made.webhook_id}).")
    click.echo("Its messages are signed with this secret; keep it now, it is not shown again:")
    click.echo(made.secret)


@webhook.command("list")
@organisation_option
@json_option
def list_command(organisation: str, json: bool) -> None:
    """List an organisation's webhooks and how their last messages went; never the secrets."""
    with opened_database(Settings.load()) as database, database.read() as session:
        owner = organisation_by_name(session, organisation)
        found = webhooks(session, owner.organisation_id, limit=MOST)
    if json:
        as_json(webhooks=[_as_dict(each) for each in found])
        return
    for each in found:
        click.echo(f"{each.webhook_id}  {each.state}  {each.url}  {', '.join(each.events)}")
        click.echo(f"    last told {_when(each.last_success_at)}, last error {_error(each)}")
    if not found:
        click.echo(f"{organisation} has no webhooks yet: consentledger webhook add --help")


@webhook.command("remove")
@organisation_option
@click.argument("webhook_id", type=click.UUID)
def remove_command(organisation: str, webhook_id: UUID) -> None:
    """Delete the webhook WEBHOOK_ID; what still waits for it is dropped."""
    with opened_installation(Settings.load()) as installation, installation.database.begin() as tx:
        owner = organisation_by_name(tx.session, organisation)
        delete_webhook(tx, ChangeWebhook(owner.organisation_id, webhook_id))
    click.echo(f"Webhook {webhook_id} is deleted.")


def _as_dict(each: WebhookFacts) -> dict[str, object]:
    return {
        "webhook_id": str(each.webhook_id),
        "url": each.url,
        "events": list(each.events),
        "state": each.state,
        "created_at": to_text(each.created_at),
        "last_success_at": to_text(each.last_success_at) if each.last_success_at else None,
        "last_error": each.last_error,
        "last_error_at": to_text(each.last_error_at) if each.last_error_at else None,
    }


def _when(instant: object) -> str:
    return "never" if instant is None else f"{instant:%Y-%m-%d %H:%M} UTC"


def _error(each: WebhookFacts) -> str:
    if each.last_error is None:
        return "none"
    return f"{_when(each.last_error_at)} ({each.last_error})"
