"""Reading bodies without being fooled: limits that hold for chunked bodies, JSON without duplicates."""

from __future__ import annotations

import io
import json
import math
from collections.abc import Iterator
from typing import IO, Any

import flask
from werkzeug.exceptions import BadRequest, RequestEntityTooLarge
from werkzeug.utils import cached_property

from consentledger.kernel.errors import InputError

PAGE_BODY_BYTES = 64 * 1024
BLOCK = 256 * 1024


class Request(flask.Request):
    """A request whose chunked body is refused over the limit.

    Werkzeug 3.1 reads a chunked body up to max_content_length, drops the rest and says nothing: a
    form would be taken as complete although it was cut. Here the whole body must fit, else 413.
    """

    @cached_property
    def stream(self) -> IO[bytes]:
        """The body as a stream, never cut short."""
        limit = self.max_content_length
        chunked = self.content_length is None and self.environ.get("wsgi.input_terminated")
        if not chunked or limit is None:
            return super().stream
        body = self.environ["wsgi.input"].read(limit + 1)
        if len(body) > limit:
            raise RequestEntityTooLarge
        return io.BytesIO(body)


def received(limit: int) -> Iterator[bytes]:
    """Yields this request's body block by block, whatever its length and however it was framed.

    RequestEntityTooLarge (413) over `limit` bytes, never cut short; BadRequest when the client went away before
    the body's end.
    """
    request, left = flask.request, flask.request.content_length
    if left is not None and left > limit:
        raise RequestEntityTooLarge
    if left is None and not request.environ.get("wsgi.input_terminated"):
        return  # neither a length nor a framing: no body (RFC 9112, 6.3)
    source = request.environ["wsgi.input"]
    total = 0
    while left is None or left > 0:
        try:
            block = source.read(BLOCK if left is None else min(BLOCK, left))
        except OSError as error:
            raise BadRequest("the body broke off") from error
        if not block:
            if left:
                raise BadRequest("the body broke off")
            return
        total += len(block)
        if total > limit:
            raise RequestEntityTooLarge
        left = None if left is None else left - len(block)
        yield block


def json_object(content: bytes) -> dict[str, Any]:
    """Parse a JSON object strictly; InputError for anything else, above all for a key given twice.

    Two readers of `{"a":1,"a":2}` may take different values, so evidence of either is worthless.
    """
    try:
        # Always UTF-8 (RFC 8259, 8.1): left alone, json would guess among UTF-8, 16 and 32.
        text = content.decode("utf-8")
        parsed = json.loads(
            text, object_pairs_hook=_unique, parse_constant=_no_constant, parse_float=_finite
        )
        if "\\u" in text:
            # Half a surrogate pair is no text (RFC 7493, 2.1), and could not even be said again.
            json.dumps(parsed, ensure_ascii=False).encode("utf-8")
    except InputError:
        raise
    except (ValueError, RecursionError) as error:
        raise InputError(
            "the body is not well-formed JSON", field="body", reason="malformed"
        ) from error
    if not isinstance(parsed, dict):
        raise InputError("the body must be a JSON object", field="body", reason="malformed")
    return parsed


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise InputError(
            f"the key {twice!r} is given twice", field=twice[:100], reason="duplicate_key"
        )
    return made


def _no_constant(name: str) -> Any:
    raise InputError(f"{name} is not JSON", field="body", reason="malformed")


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise InputError("a number is too large", field="body", reason="malformed")
    return number
