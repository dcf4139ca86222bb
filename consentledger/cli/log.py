"""`consentledger log …`: the organisations' logs."""

from __future__ import annotations

import click
from rich.console import Console
from rich.progress import Progress

from consentledger.cli.context import opened_installation
from consentledger.cli.rotate_key import rotate_key
from consentledger.db.fsck import Report, organisations_with_logs
from consentledger.db.fsck import fsck as check
from consentledger.kernel.settings import Settings

BROKEN = 65


@click.group()
def log() -> None:
    """The organisations' logs: sign their heads, and check them against their raw rows."""


log.add_command(rotate_key)


@log.command()
def checkpoint() -> None:
    """Sign every log that grew since its last checkpoint (the worker does this by itself)."""
    with opened_installation(Settings.load()) as installation:
        signed = installation.signer.sign_due()
    click.echo(
        f"{signed} checkpoint(s) signed." if signed else "No log has grown since it was signed."
    )


@log.command()
@click.option(
    "--openings", is_flag=True, help="Open every sealed opening too (slower, needs all keys)."
)
def fsck(openings: bool) -> int:
    """Derive every leaf hash, node, root and head again from the raw rows, and say what differs.

    Exit code 0 when everything agrees, 65 when something was found.
    """
    with (
        opened_installation(Settings.load()) as installation,
        Progress(console=Console(stderr=True), transient=True) as progress,
    ):
        task = progress.add_task("reading", total=None)

        def show(done: int, total: int) -> None:
            progress.update(task, completed=done, total=total)

        organisations = organisations_with_logs(installation)
        reports = [
            check(installation, organisation_id, openings=openings, progress=show)
            for organisation_id in organisations
        ]
    for report in reports:
        _tell(report)
    if not reports:
        click.echo("There is no log yet.")
    return 0 if all(report.ok for report in reports) else BROKEN


def _tell(report: Report) -> None:
    counts = f"{report.size} entries, {report.checkpoints} checkpoints, {report.openings} openings"
    if report.ok:
        click.echo(f"{report.origin}: {counts}: all agree.")
        return
    click.echo(f"{report.origin}: {counts}: {len(report.findings)} finding(s):")
    for finding in report.findings:
        click.echo(f"  {finding.where}: {finding.message}")
