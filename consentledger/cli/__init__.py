"""The command `consentledger`: one small module per group, loaded only when it is asked for."""

from __future__ import annotations

import sys
from collections.abc import Sequence

import click

from consentledger import __version__
from consentledger.cli.errors import exit_code, sentence
from consentledger.cli.lazy import LazyGroup
from consentledger.kernel.errors import ConsentLedgerError

COMMANDS = {
    "check-message": "consentledger.cli.check_message:check_message",
    "customers": "consentledger.cli.customers:customers",
    "db": "consentledger.cli.db:db",
    "demo": "consentledger.cli.demo.command:demo",
    "erase": "consentledger.cli.erase:erase",
    "evidence": "consentledger.cli.evidence:evidence",
    "form": "consentledger.cli.form.command:form",
    "hold": "consentledger.cli.hold:hold",
    "key": "consentledger.cli.key:key",
    "log": "consentledger.cli.log.command:log",
    "organisation": "consentledger.cli.organisation:organisation",
    "outbox": "consentledger.cli.outbox:outbox",
    "permits": "consentledger.cli.permits:permits",
    "register": "consentledger.cli.register:register",
    "restriction": "consentledger.cli.restriction:restriction",
    "retention": "consentledger.cli.retention:retention",
    "rules": "consentledger.cli.rules.command:rules",
    "secrets": "consentledger.cli.secrets.command:secrets",
    "serve": "consentledger.cli.serve:serve",
    "verify": "consentledger.cli.verify:verify",
    "web": "consentledger.cli.web:web",
    "webhook": "consentledger.cli.webhook:webhook",
    "worker": "consentledger.cli.worker:worker",
}


@click.group(
    cls=LazyGroup, commands_at=COMMANDS, context_settings={"help_option_names": ["-h", "--help"]}
)
@click.version_option(__version__, prog_name="consentledger")
def cli() -> None:
    """Were you allowed to send this message to this person? Consent, answered with proof."""


def main(words: Sequence[str] | None = None) -> None:
    """Run the command and leave with its exit code; an error of ours becomes one sentence on stderr."""
    try:
        result = cli.main(args=words, prog_name="consentledger", standalone_mode=False)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except click.Abort:
        click.echo("Stopped.", err=True)
        sys.exit(130)
    except ConsentLedgerError as error:
        click.echo(f"consentledger: {sentence(error)}", err=True)
        sys.exit(exit_code(error))
    sys.exit(result if isinstance(result, int) else 0)
