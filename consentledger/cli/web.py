"""`consentledger web`: the web processes, by gunicorn."""

from __future__ import annotations

import gc
import sys
from pathlib import Path
from typing import Any

import click
from gunicorn.app.base import BaseApplication

from consentledger.app import create_app
from consentledger.cli.children import die_with_parent
from consentledger.cli.context import opened_database
from consentledger.db.installation import Installation
from consentledger.db.migrate import require_current
from consentledger.kernel import logging
from consentledger.kernel.settings import Settings

# Below the supervisor's patience, so that a slow request is cut here and not by a SIGKILL there.
GRACEFUL_SECONDS = 20
SWITCH_SECONDS = 0.0005


class _Server(BaseApplication):  # type: ignore[misc]
    def __init__(self, settings: Settings, options: dict[str, Any]) -> None:
        self._settings = settings
        self._options = options
        super().__init__()

    def load_config(self) -> None:
        for name, value in self._options.items():
            self.cfg.set(name, value)

    def load(self) -> Any:
        # Called in each worker after the fork: no database connection is ever shared.
        return application(self._settings)


def application(settings: Settings, installation: Installation | None = None) -> Any:
    """Returns the WSGI application as a web process runs it; the process is tuned for it."""
    # A thread that holds the head's lock must not wait 5 ms for the interpreter behind others.
    sys.setswitchinterval(SWITCH_SECONDS)
    made = create_app(settings, installation)
    # What is there for good need not be looked through for garbage: a quarter of the time of permits in bulk.
    gc.collect()
    gc.freeze()
    return made


@click.command()
@click.option("--bind", default="127.0.0.1:8000", show_default=True, help="ADDRESS:PORT or fd://N.")
@click.option("--processes", default=2, show_default=True, help="Web processes.")
@click.option("--threads", default=8, show_default=True, help="Threads in each process.")
def web(bind: str, processes: int, threads: int) -> None:
    """Run the web processes only; for one machine with everything see `serve`."""
    die_with_parent()
    logging.configure()
    settings = Settings.load()
    with opened_database(settings) as database:
        require_current(database)
    _Server(settings, _options(bind, processes, threads)).run()


def _options(bind: str, processes: int, threads: int) -> dict[str, Any]:
    options: dict[str, Any] = {
        "bind": [bind],
        "worker_class": "gthread",
        "workers": processes,
        "threads": threads,
        "graceful_timeout": GRACEFUL_SECONDS,
        # A socket under the home directory that nobody asked for.
        "control_socket_disable": True,
        # Addresses hold tokens: access logging is ours, with tokens blanked out.
        "accesslog": None,
        "loglevel": "warning",
        # Which proxy to believe is decided in one place, by CONSENTLEDGER_TRUSTED_PROXIES.
        "forwarded_allow_ips": "",
        "secure_scheme_headers": {},
        "proc_name": "consentledger web",
    }
    if Path("/dev/shm").is_dir():  # noqa: S108 - gunicorn makes an unlinked file in it
        options["worker_tmp_dir"] = "/dev/shm"  # noqa: S108
    return options
