"""`consentledger log …`: the organisations' logs."""

from __future__ import annotations

import click

from consentledger.cli.context import opened_installation
from consentledger.cli.log.fsck import fsck
from consentledger.cli.log.rebuild import rebuild_state
from consentledger.cli.log.recover import export, recover_command
from consentledger.cli.log.rotate_key import rotate_key
from consentledger.kernel.settings import Settings


@click.group()
def log() -> None:
    """The organisations' logs: sign their heads, and check them against their raw rows."""


log.add_command(fsck)
log.add_command(rebuild_state)
log.add_command(rotate_key)
log.add_command(export)
log.add_command(recover_command)


@log.command()
def checkpoint() -> None:
    """Sign every log that grew since its last checkpoint (the worker does this by itself)."""
    with opened_installation(Settings.load()) as installation:
        signed = installation.signer.sign_due()
    click.echo(
        f"{signed} checkpoint(s) signed." if signed else "No log has grown since it was signed."
    )
