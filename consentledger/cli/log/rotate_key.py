"""`consentledger log rotate-key`: the logs name the newest LOG_KEY and EVIDENCE_KEY."""

from __future__ import annotations

from uuid import UUID

import click
from sqlalchemy import select

from consentledger.cli.context import opened_installation
from consentledger.cli.errors import exit_code, sentence
from consentledger.db.installation import Installation
from consentledger.db.models import LogHead
from consentledger.db.signing.care import newest_vkeys
from consentledger.db.signing.named import name_keys
from consentledger.kernel.errors import ConsentLedgerError
from consentledger.kernel.settings import Settings
from consentledger.organisations.queries import organisation_by_name


@click.command("rotate-key")
@click.option("--organisation", metavar="NAME", help="Only this organisation's log.")
def rotate_key(organisation: str | None) -> int:
    """Have every log name the newest LOG_KEY and EVIDENCE_KEY, by an entry `log.key`.

    All keys in the list sign until the older ones are taken out of it. Safe to run again: a log that
    names these keys already is left alone.
    """
    worst = 0
    with opened_installation(Settings.load()) as installation:
        for organisation_id, origin in _logs(installation, organisation):
            try:
                _rotate(installation, organisation_id, origin)
            except ConsentLedgerError as error:  # one log must not keep the others from rotating
                click.echo(f"{origin}: {sentence(error)}", err=True)
                worst = max(worst, exit_code(error))
    return worst


def _logs(installation: Installation, name: str | None) -> list[tuple[UUID, str]]:
    query = select(LogHead.organisation_id, LogHead.origin).order_by(LogHead.origin)
    with installation.database.read() as session:
        if name is not None:
            owner = organisation_by_name(session, name)
            query = query.where(LogHead.organisation_id == owner.organisation_id)
        return [(row.organisation_id, row.origin) for row in session.execute(query)]


def _rotate(installation: Installation, organisation_id: UUID, origin: str) -> None:
    # Before anything is written: a key that can't sign must not be named.
    log_key, evidence_key = newest_vkeys(installation, origin)
    with installation.database.begin() as tx:
        index = name_keys(
            tx, organisation_id, log_key=log_key, evidence_key=evidence_key, actor="operator"
        )
    if index is None:
        click.echo(f"{origin}: names these keys already.")
        return
    installation.signer.sign(organisation_id)
    click.echo(f"{origin}: entry {index} names the new keys. Verifier key: {log_key}")
