"""`consentledger log fsck`: checks the logs against their raw rows, may be stopped, and goes on where it was."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from uuid import UUID

import click

from consentledger.cli.context import opened_installation
from consentledger.cli.log.walking import Walking, walking
from consentledger.cli.output import as_json, json_option
from consentledger.db.fsck import PausedError, Position, Report, lost_logs
from consentledger.db.fsck import fsck as check_tree
from consentledger.db.fsck.state import RunState, load_state
from consentledger.db.installation import Installation
from consentledger.kernel.errors import (
    ConflictError,
    NotFoundError,
    UnavailableError,
)
from consentledger.kernel.settings import Settings
from consentledger.replay.service import fsck as check_everything
from consentledger.replay.service import logs_of

BROKEN = 65
NO_SUCH_LOG = 66
UNAVAILABLE = 69
INTERRUPTED = 75


@click.command()
@click.option(
    "--openings",
    is_flag=True,
    help="Open every sealed opening too, and compare the state's rows with the log (slower, needs all keys).",
)
@click.option("--organisation", metavar="NAME", help="Only this organisation's log.")
@click.option(
    "--resume",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Keep the state of the run here, and go on from it if it is there.",
)
@json_option
def fsck(openings: bool, organisation: str | None, resume: Path | None, json: bool) -> int:
    """Derive every leaf hash, node, root and head again from the raw rows, and say what differs.

    Exit code 0 when everything agrees, 65 when something was found, 66 when there is no such organisation,
    69 when the database can't be reached, 75 when it was stopped before its end.
    """
    try:
        state = load_state(resume, openings=openings) if resume else RunState(openings)
        with opened_installation(Settings.load()) as installation:
            done = _walk(installation, organisation, state, resume)
    except NotFoundError as error:
        click.echo(f"consentledger: {error}", err=True)
        return NO_SUCH_LOG
    except ConflictError as error:
        click.echo(f"consentledger: {error}. Remove the file to begin anew.", err=True)
        return 1
    except UnavailableError as error:
        click.echo(f"consentledger: the database can't be reached: {error}", err=True)
        return UNAVAILABLE
    if resume and done:
        resume.unlink(missing_ok=True)
    if json:
        as_json(finished=done, ok=all(one.ok for one in state.done), logs=_reports(state))
    else:
        _tell(state, done, resume)
    if not done:
        return INTERRUPTED
    return 0 if all(report.ok for report in state.done) else BROKEN


def _walk(
    installation: Installation, organisation: str | None, state: RunState, resume: Path | None
) -> bool:
    """Walks the logs that are not done yet; False when it was stopped in between."""
    with _stopped_by_signal() as stopped, walking("log fsck") as shown:
        if resume:
            state.save(
                resume
            )  # a file that can't be written is found out before the work, not after it
        for organisation_id, origin in logs_of(installation, organisation):
            if state.report_of(origin):
                continue
            try:
                report = _one(installation, organisation_id, origin, state, stopped, shown, resume)
            except PausedError as paused:
                state.current = paused.position
                if resume:
                    state.save(resume)
                return False
            state.finish(report)
        for lost in lost_logs(installation) if organisation is None else ():
            if not state.report_of(lost.origin):
                state.finish(lost)
    return True


def _one(
    installation: Installation,
    organisation_id: UUID,
    origin: str,
    state: RunState,
    stopped: Callable[[], bool],
    shown: Walking,
    resume: Path | None,
) -> Report:
    position = state.current
    if position is not None and position.report.origin != origin:
        raise ConflictError(
            f"the state is of {position.report.origin}, and that log is not asked for"
        )

    def step(position: Position, done: int, total: int) -> None:
        if shown.show(f"{origin}: {position.phase}", done, total) and resume:
            state.current = position
            state.save(resume)  # so that not even a kill loses more than some seconds of work
        if stopped():
            raise PausedError(position)

    check = check_everything if state.openings else check_tree
    return check(installation, organisation_id, step=step, position=position)


@contextmanager
def _stopped_by_signal() -> Iterator[Callable[[], bool]]:
    """SIGINT and SIGTERM end the run behind the block that it is in."""
    asked = False

    def ask(_number: int, _frame: FrameType | None) -> None:
        nonlocal asked
        asked = True

    before = {number: signal.signal(number, ask) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield lambda: asked
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _reports(state: RunState) -> list[dict[str, object]]:
    reports = [report.as_json() | {"finished": True} for report in state.done]
    if state.current:
        reports.append(state.current.report.as_json() | {"finished": False})
    return reports


def _tell(state: RunState, done: bool, resume: Path | None) -> None:
    for report in state.done:
        _tell_report(report)
    if not done:
        where = f"go on with --resume {resume}" if resume else "without --resume nothing was kept"
        found = len(state.current.report.findings) if state.current else 0
        click.echo(f"Stopped before the end, {found} finding(s) so far; {where}.")
    elif not state.done:
        click.echo("There is no log yet.")


def _tell_report(report: Report) -> None:
    counts = f"{report.size} entries, {report.checkpoints} checkpoints, {report.openings} openings"
    if report.ok:
        click.echo(f"{report.origin}: {counts}: all agree.")
        return
    click.echo(f"{report.origin}: {counts}: {len(report.findings) + report.more} finding(s):")
    for finding in report.findings:
        click.echo(f"  {finding.where}: {finding.message}")
    if report.more:
        click.echo(f"  and {report.more} more")
