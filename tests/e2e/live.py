"""Our web on a real port, and pages of shops on ports (so: origins) of their own."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from flask import Flask
from werkzeug.serving import make_server

from consentledger.app import create_app
from consentledger.db.installation import Installation, open_installation
from tests.support.installations import settings_from


@contextmanager
def serving(app: Any, sock: socket.socket | None = None) -> Iterator[str]:
    """Serve a WSGI application from a thread; yields its origin."""
    bound = sock or listening()
    port = bound.getsockname()[1]
    server = make_server("127.0.0.1", port, app, threaded=True, fd=bound.fileno())
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
        bound.close()


def listening() -> socket.socket:
    """Bind a free port of the loopback."""
    bound = socket.socket()
    bound.bind(("127.0.0.1", 0))
    bound.listen(64)
    return bound


@contextmanager
def service(environment: Mapping[str, str]) -> Iterator[tuple[Installation, str]]:
    """Open an installation whose BASE_URL is where it is really served."""
    bound = listening()
    base = f"http://127.0.0.1:{bound.getsockname()[1]}"
    settings = settings_from({**environment, "CONSENTLEDGER_BASE_URL": base})
    installation = open_installation(settings)
    try:
        with serving(create_app(settings, installation), bound) as origin:
            yield installation, origin
    finally:
        installation.database.close()


def shop_app(pages: Mapping[str, str]) -> Flask:
    """Return a little site that serves some HTML by path."""
    app = Flask("shop")

    @app.get("/<path:name>")
    def page(name: str) -> str:
        return pages[name]

    return app
