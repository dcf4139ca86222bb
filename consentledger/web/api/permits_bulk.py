"""POST /permits without end: NDJSON in, or `"audience": "all"`; NDJSON or CSV out, batch by batch.

The body is put aside, whole, before the first answer byte; what is wrong with the message is still a problem
with a status of its own. Once the answer flows, an error is its last line.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import ExitStack, closing
from typing import Any

import structlog
from flask import Response, request

from consentledger.accounts.idempotency import Repeatable, check_key
from consentledger.kernel.clock import now
from consentledger.kernel.errors import InputError
from consentledger.permits.bulk import runs
from consentledger.permits.bulk.answers import CSV, NDJSON, Answer, CsvAnswer, NdjsonAnswer
from consentledger.permits.bulk.audience import Audience
from consentledger.permits.bulk.body import BodyLines, Reader, message_line
from consentledger.permits.bulk.running import Bulk, Source
from consentledger.permits.bulk.spool import Spool
from consentledger.permits.reading import read_head, read_recipient
from consentledger.permits.rules import IssuePermits
from consentledger.web.api.acting import REPLAYED, repeatable
from consentledger.web.api.keys import caller
from consentledger.web.body import json_object, received
from consentledger.web.problems import problem_of
from consentledger.web.services import installation

log = structlog.get_logger(__name__)


def stream() -> Response:
    """Answers an NDJSON body: the message in its first line, then a recipient in each."""
    with ExitStack() as opened:
        limit = installation().settings.max_bulk_bytes
        spool = opened.enter_context(Spool(limit))
        for block in received(limit):
            spool.write(block)
        lines = BodyLines(spool.blocks())
        message = message_line(lines, json_object)
        asked = _repeatable(spool.digest)
        if "audience" in message:
            if not lines.ended():
                raise InputError(
                    "audience: name recipients or an audience",
                    field="audience",
                    reason="recipients",
                )
            return _to_all(message, asked)
        if lines.ended():
            raise InputError(
                "recipients: name at least one recipient", field="recipients", reason="missing"
            )
        head = _head(message)
        reader = Reader(lines, read_recipient, json_object)
        return _answered(head, reader, asked, opened.pop_all().close)


def to_audience(message: Mapping[str, Any]) -> Response:
    """Answers a JSON body whose recipients are all contacts on record."""
    key = request.headers.get("Idempotency-Key")
    return _to_all(message, None if key is None else repeatable(key))


def _to_all(message: Mapping[str, Any], asked: Repeatable | None) -> Response:
    told = dict(message)
    if told.pop("audience") != "all":
        raise InputError('audience: only "all" is known', field="audience", reason="unknown")
    if "recipients" in told:
        raise InputError(
            "audience: name recipients or an audience", field="audience", reason="recipients"
        )
    source = Audience(installation().database, caller().organisation_id)
    return _answered(_head(told), source, asked, lambda: None)


def _head(message: Mapping[str, Any]) -> IssuePermits:
    key = caller()
    return read_head(message, key.organisation_id, key.actor, now())


def _repeatable(digest: bytes) -> Repeatable | None:
    key = request.headers.get("Idempotency-Key")
    if key is None:
        return None
    target = f"{request.method} {request.path}"
    return Repeatable(caller().organisation_id, check_key(key), target, b"ndjson\n" + digest)


def _answered(
    head: IssuePermits, source: Source, asked: Repeatable | None, close: Callable[[], None]
) -> Response:
    """Answers with a stream whose first piece is made already, so that its error is a problem with a status."""
    with ExitStack() as opened:
        opened.callback(close)
        here, run = installation(), None
        if asked is not None:
            with here.database.begin() as tx:
                run = runs.begin(tx, asked)
            if run.again:
                # What was issued before a restore may have been stopped since, in the part that is missing.
                here.watch.look(here.database, head.organisation_id)
        answer = _form()(here.tokens, here.settings.base_url)
        flow = _flow(Bulk(here.database, head, source, run), answer, close)
        opened.callback(flow.close)
        first = next(flow)
        made = Response(_whole(first, flow), mimetype=answer.media_type)
        made.call_on_close(opened.pop_all().close)
    if run is not None and run.again:
        made.headers[REPLAYED] = "true"
    return made


def _form() -> type[Answer]:
    best = request.accept_mimetypes.best_match([NDJSON, CSV], default=NDJSON)
    return CsvAnswer if best == CSV else NdjsonAnswer


def _whole(first: bytes, rest: Iterator[bytes]) -> Iterator[bytes]:
    yield first
    yield from rest


def _flow(bulk: Bulk, answer: Answer, close: Callable[[], None]) -> Generator[bytes]:
    """The answer, piece by piece. An error before the first piece is raised, a later one is the last line."""
    begun = answer.begin()
    told = False
    try:
        with closing(bulk.answers()) as pieces:
            for answered in pieces:
                yield (b"" if told else begun) + answer.piece(answered.piece, answered.issued)
                told = True
    except Exception as error:
        if not told:
            raise
        problem = problem_of(error)
        log.error("permits in bulk stopped", code=problem.code, exc_info=error)
        last = answer.failed(problem.code, problem.detail, problem.retry_after)
        if last is None:
            raise  # a table can't say it: the transfer breaks off
        yield last
        return
    finally:
        close()
    yield (b"" if told else begun) + answer.end()
