"""`consentledger worker`: sends mails, signs checkpoints, ends what has ended."""

from __future__ import annotations

import click

from consentledger.cli.children import die_with_parent
from consentledger.cli.context import opened_installation
from consentledger.kernel import logging
from consentledger.kernel.settings import Settings
from consentledger.worker import run


@click.command()
def worker() -> int:
    """Do what the web left to be done, until SIGTERM; any number of workers may run."""
    die_with_parent()
    logging.configure()
    with opened_installation(Settings.load()) as installation:
        return 0 if run(installation) else 1
