"""`consentledger retention`: how long what is kept, and what would go now."""

from __future__ import annotations

import click

from consentledger.cli.context import opened_database
from consentledger.cli.output import as_json, json_option
from consentledger.erasure.policies import policy
from consentledger.erasure.retaining import due
from consentledger.erasure.rules import RETENTION
from consentledger.kernel.clock import now
from consentledger.kernel.settings import Settings
from consentledger.organisations.queries import organisation_by_name


@click.command()
@click.option("--organisation", required=True, metavar="NAME", help="Whose retention it is.")
@json_option
def retention(organisation: str, json: bool) -> None:
    """Show how long what is kept, and count what the worker would end now; changes nothing."""
    with opened_database(Settings.load()) as database, database.read() as session:
        owner = organisation_by_name(session, organisation)
        kept = policy(session, owner.organisation_id)
        found = due(session, owner.organisation_id, now(), kept.retention_days)
    if json:
        as_json(
            keep_for_claims_days=kept.keep_for_claims_days,
            retention_days=kept.retention_days,
            technical_openings_due=found.technical,
            contacts_due=found.contacts,
        )
        return
    own = {
        "keep_for_claims_days": kept.keep_for_claims_days,
        "retention_days": kept.retention_days,
        "request_days": owner.request_days,
    }
    for one in RETENTION:
        days = own.get(one.days, one.days)
        click.echo(f"{one.kind}, {one.opening_class}: {days} days after {one.since}")
    click.echo(
        f"Now due: {found.technical} technical openings, {found.contacts} contacts. Nothing was changed."
    )
