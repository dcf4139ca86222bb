"""`consentledger secrets replace-append-key`: when every copy of APPEND_KEY is lost."""

from __future__ import annotations

import click

from consentledger.cli.context import opened_installation
from consentledger.cli.errors import exit_code, sentence
from consentledger.db.fsck import organisations_with_logs
from consentledger.db.signing.append_key_lost import replace_head_mac
from consentledger.kernel.errors import ConsentLedgerError
from consentledger.kernel.settings import Settings


@click.command("replace-append-key")
@click.option(
    "--vouch",
    is_flag=True,
    help="Take entries behind the last checkpoint too: you have looked at them.",
)
def replace_append_key(vouch: bool) -> int:
    """Go on with a new APPEND_KEY when the old one is lost: each head must be what the guard holds.

    Stop all processes first. A head that is not vouched for is named and left as it is.
    """
    worst = moved = 0
    with opened_installation(Settings.load()) as installation:
        logs = organisations_with_logs(installation)
        for organisation_id in logs:
            try:
                with installation.database.begin() as tx:
                    moved += replace_head_mac(installation, tx, organisation_id, vouch=vouch)
            except ConsentLedgerError as error:  # one log must not keep the others from going on
                click.echo(sentence(error), err=True)
                worst = max(worst, exit_code(error))
    click.echo(f"{len(logs)} log(s): {moved} got the new key's MAC.")
    return worst
