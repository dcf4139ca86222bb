"""Reads a request into a view's arguments; every error names its field and a short reason."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NoReturn

from flask import Request, request
from marshmallow import RAISE, Schema, ValidationError
from webargs.flaskparser import FlaskParser

from consentledger.kernel.errors import InputError
from consentledger.organisations.rules import Gap, GapsError
from consentledger.web.body import json_object

MAX_GAPS = 50
# How marshmallow says it, and the word we use for it everywhere.
REASONS = (
    ("Missing data", "missing"),
    ("Field may not be null", "missing"),
    ("Unknown field", "unknown"),
    ("Longer than", "too_long"),
    ("Length must be", "too_long"),
    ("Must be greater", "range"),
    ("Must be less", "range"),
    ("Must be one of", "unknown"),
    ("Not a valid", "type"),
    ("Invalid input type", "type"),
)
# A box that is ticked before the person came is no consent (GDPR recital 32; Planet49, C-673/17).
TICKED = frozenset({"ticked", "checked", "preselected", "prechecked", "selected", "default"})


class StrictParser(FlaskParser):
    """webargs for Flask with our JSON reader, no unknown names anywhere, and our errors."""

    DEFAULT_UNKNOWN_BY_LOCATION = {**FlaskParser.DEFAULT_UNKNOWN_BY_LOCATION, "query": RAISE}  # noqa: RUF012 - as webargs has it

    def load_json(self, req: Request, schema: Schema) -> Any:
        """Returns the body's JSON object; another content type is 415, a duplicate key 400."""
        return read_json(req)

    def handle_error(
        self,
        error: ValidationError,
        req: Request,
        schema: Schema,
        *,
        error_status_code: int | None,
        error_headers: Mapping[str, str] | None,
    ) -> NoReturn:
        """Raises every gap at once."""
        raise gaps_error(error) from error


def read_json(req: Request = request) -> dict[str, Any]:
    """Returns the request's JSON object, read strictly; an absent body counts as {}."""
    content = req.get_data()
    if not content:
        return {}
    if req.mimetype != "application/json":
        raise InputError("send application/json", field="Content-Type", reason="content_type")
    return json_object(content)


def load(shape: Schema, values: Mapping[str, Any]) -> dict[str, Any]:
    """Reads values by a schema; InputError with every gap."""
    try:
        found: dict[str, Any] = shape.load(values, unknown=RAISE)
    except ValidationError as error:
        raise gaps_error(error) from error
    return found


def gaps_error(error: ValidationError) -> GapsError:
    """Turns marshmallow's nested messages into a flat list of gaps."""
    messages = error.messages
    if (
        isinstance(messages, dict)
        and len(messages) == 1
        and next(iter(messages)) in ("json", "query")
    ):
        messages = next(iter(messages.values()))
    gaps = [_gap(path, message) for path, message in _flat(messages, "")][:MAX_GAPS]
    return GapsError(gaps or [Gap("body", "invalid", "the body is not understood")])


def _flat(messages: Any, path: str) -> Iterator[tuple[str, str]]:
    if isinstance(messages, Mapping):
        for name, inner in messages.items():
            label = "" if name == "_schema" else str(name)[:100]
            yield from _flat(inner, ".".join(filter(None, (path, label))))
    elif isinstance(messages, list):
        for inner in messages:
            yield from _flat(inner, path)
    else:
        yield path or "body", str(messages)


def _gap(path: str, message: str) -> Gap:
    reason = next((word for start, word in REASONS if message.startswith(start)), "invalid")
    if reason == "unknown" and path.rpartition(".")[2] in TICKED:
        return Gap(path, "ticked_beforehand", f"{path}: a box can't be ticked beforehand")
    return Gap(path, reason, f"{path}: {message[:200].rstrip('.').lower()}")
