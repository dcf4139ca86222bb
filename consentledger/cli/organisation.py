"""`consentledger organisation …`: the legal persons on whose behalf messages go out."""

from __future__ import annotations

import click

from consentledger.cli.context import opened_database, opened_installation
from consentledger.cli.output import as_json, json_option
from consentledger.erasure.commands import ChangePolicy
from consentledger.erasure.service import change_policy
from consentledger.kernel.clock import to_text
from consentledger.kernel.settings import Settings
from consentledger.organisations.address_policies import (
    ADDRESS_POLICIES,
    ChangeAddressPolicy,
    change_address_policy,
)
from consentledger.organisations.queries import organisation_by_name, organisations
from consentledger.organisations.rules import IP_POLICIES
from consentledger.organisations.service import CreateOrganisation, create_organisation


@click.group()
def organisation() -> None:
    """The legal persons on whose behalf messages go out."""


@organisation.command("create")
@click.argument("name")
@click.option("--legal-name", required=True, help="The legal person's full name.")
@click.option("--country", required=True, help="Two capital letters, for example DE.")
@click.option(
    "--ip-policy",
    type=click.Choice(IP_POLICIES),
    default="full",
    show_default=True,
    help="How much of the IP address is kept with a confirming press.",
)
@click.option(
    "--request-days",
    type=int,
    default=7,
    show_default=True,
    help="How long an unconfirmed request stays open.",
)
@json_option
def create_command(
    name: str, legal_name: str, country: str, ip_policy: str, request_days: int, json: bool
) -> None:
    """Make the organisation NAME, with a log of its own."""
    settings = Settings.load()
    with opened_installation(settings) as installation, installation.database.begin() as tx:
        command = CreateOrganisation(name, legal_name, country, ip_policy, request_days)
        made = create_organisation(tx, command, settings)
    if json:
        as_json(
            organisation_id=str(made.organisation_id),
            number=made.number,
            origin=made.origin,
            log_key=made.log_key,
            evidence_key=made.evidence_key,
        )
        return
    click.echo(f"Organisation {name} is made; its log is {made.origin}.")
    click.echo(f"Its log's verifier key, for auditors: {made.log_key}")
    click.echo(
        f"Next: consentledger key create --organisation {_quoted(name)} --name shop --all-scopes"
    )
    click.echo(
        "Every country is judged by XX now, as strictly as any. To follow a country’s own rules:"
        f" consentledger rules adopt {_quoted(name)} {country} (see: consentledger rules list)"
    )


@organisation.command("list")
@json_option
def list_command(json: bool) -> None:
    """List the organisations of this installation, by name."""
    with opened_database(Settings.load()) as database, database.read() as session:
        found = organisations(session)
    if json:
        as_json(
            organisations=[
                {
                    "organisation_id": str(each.organisation_id),
                    "name": each.name,
                    "legal_name": each.legal_name,
                    "country": each.country,
                    "number": each.number,
                    "log_id": each.log_id,
                    "created_at": to_text(each.created_at),
                }
                for each in found
            ]
        )
        return
    for each in found:
        click.echo(f"{each.name}  {each.legal_name} ({each.country})  log {each.log_id}")
    if not found:
        click.echo("There is no organisation yet: consentledger organisation create --help")


@organisation.command("policy")
@click.argument("name")
@click.option(
    "--keep-for-claims-days",
    type=int,
    help="Evidence of erased people, sealed to the escrow key; 0: none is kept.",
)
@click.option(
    "--retention-days", type=int, help="Contacts without a living consent, after their last act."
)
@json_option
def policy_command(
    name: str, keep_for_claims_days: int | None, retention_days: int | None, json: bool
) -> None:
    """Show how long the organisation NAME keeps, or change it; every change is logged."""
    settings = Settings.load()
    with opened_installation(settings) as installation, installation.database.begin() as tx:
        owner = organisation_by_name(tx.session, name).organisation_id
        command = ChangePolicy(owner, "operator", keep_for_claims_days, retention_days)
        now = change_policy(tx, command, settings.escrow_key)
    if json:
        as_json(keep_for_claims_days=now.keep_for_claims_days, retention_days=now.retention_days)
        return
    click.echo(f"Evidence of erased people is kept for claims: {now.keep_for_claims_days} days.")
    click.echo(f"Contacts without a living consent are kept: {now.retention_days} days.")


@organisation.command("addresses")
@click.argument("name")
@click.option(
    "--disposable",
    type=click.Choice(ADDRESS_POLICIES),
    help="Addresses of providers of throw-away mailboxes.",
)
@click.option(
    "--role", type=click.Choice(ADDRESS_POLICIES), help="Addresses such as info@ or sales@."
)
@json_option
def addresses_command(name: str, disposable: str | None, role: str | None, json: bool) -> None:
    """Show what becomes of disposable and role addresses that sign up at NAME, or change it; every change is logged."""
    with opened_installation(Settings.load()) as installation, installation.database.begin() as tx:
        owner = organisation_by_name(tx.session, name).organisation_id
        now = change_address_policy(tx, ChangeAddressPolicy(owner, "operator", disposable, role))
    if json:
        as_json(disposable=now.disposable, role=now.role)
        return
    click.echo(f"Disposable addresses: {now.disposable}. Role addresses: {now.role}.")


def _quoted(name: str) -> str:
    return name if name.isalnum() else "'" + name.replace("'", "'\\''") + "'"
