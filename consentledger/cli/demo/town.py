"""The demo's town, one process: post office (SMTP), mailbox pages, and a shop on an origin of its own.

Started as a child with `-m consentledger.cli.demo.town`; what it needs comes as JSON on the command
line's last word, the listening sockets as inherited descriptors.
"""

from __future__ import annotations

import asyncio
import json
import signal
import socket
import sys
import threading
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server

from consentledger.cli.children import Child, die_with_parent
from consentledger.cli.demo.mailbox import Mailbox
from consentledger.cli.demo.postbox import LONGEST_LINE, Postbox, PostOffice
from consentledger.cli.demo.shop import Shop, ShopFront


@dataclass(frozen=True, slots=True)
class Plan:
    """What the town is told: its folder, and descriptors of three listening sockets."""

    folder: str
    smtp: int
    mailbox: int
    shop: int


def town(plan: Plan, environment: dict[str, str]) -> Child:
    """Return the child that runs the town."""
    words = ["-P", "-m", "consentledger.cli.demo.town", json.dumps(asdict(plan))]
    return Child("town", words, environment, [plan.smtp, plan.mailbox, plan.shop])


class _Quiet(WSGIRequestHandler):
    def log(self, type: str, message: str, *args: Any) -> None:
        """Say nothing: the demo's own lines would drown."""


def _serve(descriptor: int, application: Any) -> BaseWSGIServer:
    with socket.socket(fileno=socket.dup(descriptor)) as listener:
        host, port = listener.getsockname()[:2]
    server = make_server(
        host, port, application, threaded=True, request_handler=_Quiet, fd=descriptor
    )
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


async def _post_office(descriptor: int, postbox: Postbox) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    listener = socket.socket(fileno=descriptor)
    listener.setblocking(False)
    office = PostOffice(postbox)
    server = await asyncio.start_server(office.serve, sock=listener, limit=LONGEST_LINE)
    await stop.wait()
    server.close()


def main() -> None:
    """Run the town until SIGTERM."""
    die_with_parent()
    plan = Plan(**json.loads(sys.argv[-1]))
    folder = Path(plan.folder)
    postbox = Postbox(folder / "mail")
    front = ShopFront(folder / "shop.json")
    servers = [_serve(plan.mailbox, Mailbox(postbox)), _serve(plan.shop, Shop(front, postbox))]
    asyncio.run(_post_office(plan.smtp, postbox))
    for server in servers:
        server.shutdown()


if __name__ == "__main__":
    main()
