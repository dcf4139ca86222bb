"""Listening sockets that a parent binds and its children inherit."""

from __future__ import annotations

import socket

from consentledger.kernel.errors import ConfigurationError

BACKLOG = 1024


def listen(bind: str) -> socket.socket:
    """Bind ADDRESS:PORT ("[::1]:8000" for IPv6; port 0 takes a free one) and listen.

    Raises ConfigurationError, saying why, when the address is no address or is taken.
    """
    host, separator, port = bind.rpartition(":")
    host = host.strip("[]")
    if not separator or not port.isascii() or not port.isdigit() or int(port) > 65535:
        raise ConfigurationError(
            f"--bind takes ADDRESS:PORT, for example 127.0.0.1:8000, not {bind!r}."
        )
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, int(port)))
        listener.listen(BACKLOG)
    except OSError as error:
        listener.close()
        raise ConfigurationError(
            f"Cannot listen on {bind}: {error.strerror or error}. "
            "Is another server running? Port 0 takes a free port."
        ) from error
    return listener


def address_of(listener: socket.socket) -> str:
    """Return the http:// address under which this machine reaches the socket."""
    host, port = listener.getsockname()[:2]
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 - compared, not bound
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
