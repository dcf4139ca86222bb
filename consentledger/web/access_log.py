"""One line per request, with the route instead of the address: a token cannot get into it."""

from __future__ import annotations

import time

import structlog
from flask import Flask, Response, g, request

log = structlog.get_logger("consentledger.access")


def install(app: Flask) -> None:
    """Logs method, route, status and milliseconds of each request; no address, network or agent."""

    @app.before_request
    def start() -> None:
        g.started = time.perf_counter()

    @app.after_request
    def finish(response: Response) -> Response:
        rule = request.url_rule.rule if request.url_rule else "(no route)"
        passed = time.perf_counter() - g.get("started", time.perf_counter())
        log.info(
            "request",
            method=request.method,
            route=rule,
            status=response.status_code,
            ms=round(passed * 1000, 1),
        )
        return response
