"""`consentledger serve`: web and worker for one machine, under one parent that starts them again."""

from __future__ import annotations

import os
import signal
import socket
from collections.abc import Mapping

import click

from consentledger.cli.children import Child, Children
from consentledger.cli.context import opened_database
from consentledger.cli.sockets import address_of, listen
from consentledger.db.migrate import require_current
from consentledger.kernel import logging
from consentledger.kernel.settings import Settings


@click.command()
@click.option(
    "--bind", default="127.0.0.1:8000", show_default=True, help="Port 0 takes a free one."
)
@click.option("--processes", default=2, show_default=True, help="Web processes.")
@click.option("--threads", default=8, show_default=True, help="Threads in each web process.")
def serve(bind: str, processes: int, threads: int) -> int:
    """Run web and worker on this machine until SIGTERM or Ctrl-C, then finish what was begun."""
    logging.configure()
    settings = Settings.load()
    with opened_database(settings) as database:
        require_current(database)
    with listen(bind) as listener:
        environment = {"CONSENTLEDGER_BASE_URL": address_of(listener), **os.environ}
        wanted = service(listener, environment, processes=processes, threads=threads)
        children = Children(wanted)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, children.stop)
        with children:
            click.echo(f"Listening on {address_of(listener)} · stop with Ctrl-C")
            return children.watch()


def service(
    listener: socket.socket, environment: Mapping[str, str], *, processes: int, threads: int
) -> list[Child]:
    """Return the children that make up the whole service on an open socket."""
    bind = f"fd://{listener.fileno()}"
    web = ["web", "--bind", bind, "--processes", str(processes), "--threads", str(threads)]
    # -P: a folder "consentledger" in the working directory must not be mistaken for the package.
    start = ["-P", "-m", "consentledger"]
    return [
        Child("web", [*start, *web], environment, [listener.fileno()]),
        Child("worker", [*start, "worker"], environment),
    ]
