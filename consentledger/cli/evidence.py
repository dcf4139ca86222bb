"""`consentledger evidence …`: what an auditor takes away."""

from __future__ import annotations

from pathlib import Path

import click

from consentledger.cli.context import opened_installation
from consentledger.cli.drafts import draft_of
from consentledger.evidence.service import ExportEvidence, export
from consentledger.kernel.settings import Settings
from consentledger.organisations.queries import organisation_by_name


@click.group()
def evidence() -> None:
    """Bundles for auditors."""


@evidence.command("export")
@click.option("--organisation", required=True, metavar="NAME", help="Whose log it is.")
@click.option("--address", required=True, help="The address that the evidence is about.")
@click.option(
    "-o",
    "--output",
    required=True,
    type=click.Path(dir_okay=False, path_type=Path),
    help="The file to write, for example bundle.zip; readable by you only.",
)
@click.option(
    "--labels/--no-labels",
    default=True,
    show_default=True,
    help="Disclose the key of this contact's labels, and show that no later entry of it exists.",
)
@click.option("--since", type=int, help="Prove that the log only grew since this tree size.")
def export_command(
    organisation: str, address: str, output: Path, labels: bool, since: int | None
) -> None:
    """Write everything that shows what may be sent to one address, checkable without us."""
    with opened_installation(Settings.load()) as installation:
        with installation.database.read() as session:
            owner = organisation_by_name(session, organisation)
        command = ExportEvidence(owner.organisation_id, address, labels, since)
        with draft_of(output) as file:
            done = export(installation, command, file)
    click.echo(
        f"{output}: {done.entries} entries, {done.permits} permits, of {done.size} in the log."
    )
    click.echo(f"Check it with: consentledger verify {output} --policy policy.txt")
    click.echo("The policy must not come from the bundle: /.well-known/consentledger.json has it.")
