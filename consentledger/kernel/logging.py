"""Structured logs to stderr; a token in a path, or an address, never gets there."""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import MutableMapping
from typing import Any

import structlog

_TOKEN = re.compile(r"(/(?:c|u|r|p|stop)/)[A-Za-z0-9_.~%-]{8,}")
_ADDRESS = re.compile(r"[^\s<>\"'@]+@[^\s<>\"'@]+")


def redact(text: str) -> str:
    """Returns `text` with link tokens and e-mail addresses blanked out."""
    return _ADDRESS.sub("[address]", _TOKEN.sub(r"\1[token]", text))


def _redact_event(
    _logger: Any, _name: str, event: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    return {key: redact(value) if isinstance(value, str) else value for key, value in event.items()}


class _RedactFilter(logging.Filter):
    """Blanks tokens and addresses in what libraries log through the standard module."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.msg = redact(record.getMessage())
        record.args = None
        return True


def configure(level: str = "INFO") -> None:
    """Sends our own and the libraries' log lines to stderr, one per line, redacted."""
    handler = logging.StreamHandler(sys.stderr)
    handler.addFilter(_RedactFilter())
    logging.basicConfig(
        level=level, handlers=[handler], format="%(name)s %(levelname)s %(message)s", force=True
    )
    logging.getLogger("alembic").setLevel(logging.WARNING)  # it greets at every start
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            _redact_event,
            structlog.processors.KeyValueRenderer(key_order=["timestamp", "level", "event"]),
        ],
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
