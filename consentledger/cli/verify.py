"""`consentledger verify`: the auditor's command; needs no database, no settings and no network."""

from __future__ import annotations

import json as json_module
from dataclasses import asdict
from pathlib import Path
from typing import BinaryIO

import click

from consentledger.kernel.errors import UnusableError
from consentledger.verify.bundle import verify_bundle
from consentledger.verify.report import UNUSABLE, Report

_file = click.Path(dir_okay=False, path_type=Path)
# A policy is a few lines and a checkpoint a few more; anything larger is something else.
LARGEST_TEXT = 1 << 20


@click.command()
@click.argument("bundle", type=_file)
@click.option("--policy", type=_file, help="The log's policy, from anywhere but the bundle.")
@click.option("--since", type=_file, help="A checkpoint you hold: the log must only have grown.")
@click.option("--json", is_flag=True, help="Print one JSON object instead of sentences.")
def verify(bundle: Path, policy: Path | None, since: Path | None, json: bool) -> int:
    """Check the evidence in BUNDLE, offline, and say in plain sentences what was checked.

    Exit code 0: valid under the policy you gave. 1: invalid, with file and rule. 2: no usable input.
    3: consistent with itself, but no policy from outside was given.
    """
    try:
        with _open(bundle) as file:
            report = verify_bundle(file, policy=_read(policy), since=_read(since))
    except UnusableError as error:
        click.echo(f"UNUSABLE: {error}", err=True)
        return UNUSABLE
    click.echo(_as_json(report) if json else report.text(), nl=json)
    return report.exit_code


def _open(path: Path) -> BinaryIO:
    try:
        return path.open("rb")
    except OSError as error:
        raise UnusableError(f"{path} can't be read: {error.strerror}") from error


def _read(path: Path | None) -> bytes | None:
    if path is None:
        return None
    with _open(path) as file:
        content = file.read(LARGEST_TEXT + 1)
    if len(content) > LARGEST_TEXT:
        raise UnusableError(f"{path} is larger than any policy or checkpoint")
    return content


def _as_json(report: Report) -> str:
    return json_module.dumps(
        {
            "exit_code": report.exit_code,
            "verdict": report.verdict(),
            "entries": report.entries,
            "contacts": report.contacts,
            "findings": [asdict(finding) for finding in report.findings],
        },
        ensure_ascii=False,
    )
