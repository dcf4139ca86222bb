"""`consentledger key …`: what software shows to act for an organisation."""

from __future__ import annotations

from uuid import UUID

import click

from consentledger.accounts.queries import KeyFacts, keys
from consentledger.accounts.rules import SCOPES
from consentledger.accounts.service import CreateKey, RevokeKey, create_key, revoke_key
from consentledger.cli.context import opened_database, opened_installation
from consentledger.cli.output import as_json, json_option
from consentledger.kernel.clock import to_text
from consentledger.kernel.settings import Settings
from consentledger.organisations.queries import organisation_by_name

organisation_option = click.option(
    "--organisation", required=True, metavar="NAME", help="The organisation that the key acts for."
)
_EPILOG = "Scopes: " + "; ".join(f"{scope} ({says})" for scope, says in SCOPES.items()) + "."


@click.group()
def key() -> None:
    """API keys: what software shows to act for an organisation."""


@key.command("create", epilog=_EPILOG)
@organisation_option
@click.option("--name", required=True, help="Where the key will be used, for example shop.")
@click.option("--scope", "scopes", multiple=True, help="What the key may do; may be repeated.")
@click.option("--all-scopes", is_flag=True, help="The key may do everything.")
@json_option
def create_command(
    organisation: str, name: str, scopes: tuple[str, ...], all_scopes: bool, json: bool
) -> None:
    """Make a key and show it, this one time: only a hash of it is kept."""
    if all_scopes == bool(scopes):
        raise click.UsageError("Name the key's scopes with --scope, or take --all-scopes.")
    with opened_installation(Settings.load()) as installation, installation.database.begin() as tx:
        owner = organisation_by_name(tx.session, organisation)
        command = CreateKey(owner.organisation_id, name, tuple(SCOPES) if all_scopes else scopes)
        made = create_key(tx, command)
    if json:
        as_json(key_id=str(made.key_id), name=made.name, scopes=list(made.scopes), key=made.token)
        return
    click.echo(f"Key {made.name} of {organisation} may: {', '.join(made.scopes)}.")
    click.echo("Keep it now, it is not shown again:")
    click.echo(made.token)


@key.command("list")
@organisation_option
@json_option
def list_command(organisation: str, json: bool) -> None:
    """List an organisation's keys, revoked ones too; never the keys themselves."""
    with opened_database(Settings.load()) as database, database.read() as session:
        found = keys(session, organisation_by_name(session, organisation).organisation_id)
    if json:
        as_json(keys=[_as_dict(each) for each in found])
        return
    for each in found:
        state = f"revoked {each.revoked_at:%Y-%m-%d}" if each.revoked_at else "valid"
        click.echo(f"{each.key_id}  {each.name}  {state}  {', '.join(each.scopes)}")
    if not found:
        click.echo(f"{organisation} has no keys yet: consentledger key create --help")


@key.command("revoke")
@organisation_option
@click.argument("key_id", type=click.UUID)
def revoke_command(organisation: str, key_id: UUID) -> None:
    """Revoke the key KEY_ID at once and for ever."""
    with opened_installation(Settings.load()) as installation, installation.database.begin() as tx:
        owner = organisation_by_name(tx.session, organisation)
        done = revoke_key(tx, RevokeKey(owner.organisation_id, key_id))
    click.echo(f"Key {key_id} is revoked." if done else f"Key {key_id} was revoked before.")


def _as_dict(each: KeyFacts) -> dict[str, object]:
    return {
        "key_id": str(each.key_id),
        "name": each.name,
        "scopes": list(each.scopes),
        "created_at": to_text(each.created_at),
        "revoked_at": to_text(each.revoked_at) if each.revoked_at else None,
    }
