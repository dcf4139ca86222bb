"""`consentledger secrets …`: make the keys that stand outside the database, check them, rotate them."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import click

from consentledger.cli.context import opened_installation
from consentledger.cli.errors import CONFIGURATION, exit_code, sentence
from consentledger.cli.secrets.append_key_lost import replace_append_key
from consentledger.cli.secrets.rotate_store import rotate_master_key, rotate_suppression_keys
from consentledger.db.fsck import organisations_with_logs
from consentledger.db.keystore.store import SUPPRESSION
from consentledger.db.signing.care import check_fit, renew_head_mac
from consentledger.kernel.errors import ConfigurationError, ConsentLedgerError
from consentledger.kernel.secret_files import append_key, check_files, file_of, make_files
from consentledger.kernel.secrets import NAMES, PREFIX, inspect_secrets
from consentledger.kernel.settings import Settings


@click.group()
def secrets() -> None:
    """The keys that stand outside the database: make, check, add and rotate them."""


secrets.add_command(replace_append_key)


@secrets.command()
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
def make(folder: Path) -> None:
    """Make every secret that FOLDER has no file of, and print the variables to set.

    Files are readable by you alone; what is there already is never overwritten.
    """
    # A command that signs takes the place of LOG_KEY.
    command = any(os.environ.get(f"{PREFIX}LOG_KEY_COMMAND{end}") for end in ("", "_FILE"))
    names = [name for name in NAMES if not (name == "LOG_KEY" and command)]
    made = make_files(folder, names)
    for name in names:
        click.echo(f"{PREFIX}{name}_FILE={file_of(folder, name)}")
    click.echo(f"{len(made)} made, {len(names) - len(made)} were there.", err=True)
    click.echo("Keep a copy of them apart from the database's backups.", err=True)


@secrets.command()
def check() -> int:
    """Say of each secret whether it is there and which one acts, and whether database and logs agree.

    Exit code 0 when everything fits, 78 when something is missing or does not fit. Never prints a key: a fingerprint
    is a hash, by which two hosts can be compared.
    """
    states = inspect_secrets()
    for state in states:
        click.echo(f"{'ok  ' if state.ok else 'FAIL'} {state.text}")
    if not all(state.ok for state in states):
        return CONFIGURATION
    with opened_installation(Settings.load()) as installation:
        fits = list(check_fit(installation))
    for fit in fits:
        click.echo(f"{'ok  ' if fit.ok else 'FAIL'} {fit.where}: {fit.text}")
    return 0 if all(fit.ok for fit in fits) else CONFIGURATION


@secrets.command()
@click.argument("name", type=click.Choice(NAMES), metavar="NAME")
@click.option(
    "--in-front",
    is_flag=True,
    help="Known, but not acting yet: first step where several hosts share a database.",
)
def add(name: str, in_front: bool) -> None:
    """Add a fresh key to the file of the secret NAME: at its end, from where it acts."""
    variable = f"{PREFIX}{name}_FILE"
    file = os.environ.get(variable)
    if not file:
        raise ConfigurationError(
            f"{variable} is not set: add the key where {PREFIX}{name} comes from, behind a comma"
        )
    check_files([name])
    try:
        append_key(Path(file), in_front=in_front)
    except OSError as error:
        raise ConfigurationError(f"Cannot write {file}: {error.strerror}.") from error
    where = "in front" if in_front else "at the end"
    click.echo(f"{file}: one more key, {where}. What comes next: docs/keys.md, {name}.")


@secrets.command()
@click.argument("name", metavar="NAME")
@click.option("--organisation", metavar="NAME", help="Only this one (suppression).")
def rotate(name: str, organisation: str | None) -> int:
    """Move what stands in the database to the newest key of NAME, or say how NAME rotates.

    `suppression` is no secret of yours to keep: it gives each organisation a new key for the hashes of those who
    refused.
    """
    if name == SUPPRESSION:
        return rotate_suppression_keys(organisation)
    known = ROTATIONS.get(name)
    if known is None:
        raise ConfigurationError(
            f"{name} is none of: {', '.join(sorted((*ROTATIONS, SUPPRESSION)))}"
        )
    return known()


def _rotate_append_key() -> int:
    settings, worst, moved = Settings.load(), 0, 0
    if len(settings.secrets.append_keys) == 1:
        raise ConfigurationError(
            f"{PREFIX}APPEND_KEY lists one key only. Add one with `consentledger secrets add APPEND_KEY`, restart all "
            "processes, and run this again."
        )
    with opened_installation(settings) as installation:
        logs = organisations_with_logs(installation)
        for organisation_id in logs:
            try:
                with installation.database.begin() as tx:
                    moved += renew_head_mac(tx, organisation_id)
            except ConsentLedgerError as error:  # one log must not keep the others from moving
                click.echo(sentence(error), err=True)
                worst = max(worst, exit_code(error))
    click.echo(f"{len(logs)} log(s): {moved} moved to the newest key.")
    if worst:
        click.echo("Keep the older keys until this runs without an error.", err=True)
    else:
        click.echo(
            "Once every process was started with this list and `consentledger secrets check` names no head"
            " with an older key, drop the older keys from it."
        )
    return worst


def _explain(*lines: str) -> Callable[[], int]:
    def say() -> int:
        for line in lines:
            click.echo(line)
        return 0

    return say


ROTATIONS: dict[str, Callable[[], int]] = {
    # Each returns an exit code and opens what it needs by itself.
    "APPEND_KEY": _rotate_append_key,
    "MASTER_KEY": rotate_master_key,
    "LINK_KEYS": _explain(
        "Nothing in the database hangs on LINK_KEYS: links in mails do, and they never expire.",
        "1. consentledger secrets add LINK_KEYS   (the new key makes all new links)",
        "2. restart all processes",
        "Never drop an older key: every link that it made would be broken for ever.",
    ),
    "SECRET_KEYS": _explain(
        "Nothing in the database hangs on SECRET_KEYS but the counters of the rate limits, which start anew.",
        "1. consentledger secrets add SECRET_KEYS",
        "2. restart all processes",
        "3. drop the older key",
    ),
    "LOG_KEY": _explain(
        "1. consentledger secrets add LOG_KEY   (or one more line of LOG_KEY_COMMAND)",
        "2. consentledger log rotate-key        (each log names the new key; both sign)",
        "3. restart all processes",
        "4. hand the new policy to your auditors: /.well-known/consentledger.json has it",
        "5. when all of them have it, drop the older key and restart: the overlap ends",
        "A stolen key is not rotated: see docs/keys.md, LOG_KEY.",
    ),
    "EVIDENCE_KEY": _explain(
        "1. consentledger secrets add EVIDENCE_KEY",
        "2. consentledger log rotate-key        (each log names the new key)",
        "3. restart all processes",
        "4. drop the older key: bundles are signed by the key that the log names",
    ),
}
