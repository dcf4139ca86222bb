"""`consentledger evidence …`: what an auditor takes away."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

import click

from consentledger.cli.context import opened_installation
from consentledger.evidence.service import ExportEvidence, export
from consentledger.kernel.errors import ConfigurationError
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


@contextmanager
def draft_of(output: Path) -> Iterator[BinaryIO]:
    """Open a file beside `output` that takes its place when the block ends well: whole, or not at all."""
    try:
        # Mode 0600 from its first byte.
        descriptor, name = tempfile.mkstemp(dir=output.parent, prefix=f".{output.name}.")
    except OSError as error:
        raise ConfigurationError(f"Cannot write {output}: {error.strerror}.") from error
    try:
        with os.fdopen(descriptor, "w+b") as file:
            yield file
        os.replace(name, output)
    except BaseException:
        os.unlink(name)
        raise
