"""Unsubscribe tokens made and read, beside raw hmac.digest over the same bytes, on one core."""

from __future__ import annotations

import hmac
import os
import time
from base64 import urlsafe_b64encode
from collections.abc import Callable, Sequence

from bench.figures import Figure
from consentledger.kernel.tokens import Tokens

COUNT = 200_000
LIMIT = 0.4


def run(engines: Sequence[str] = ()) -> list[Figure]:
    """Measures making and reading; the raw peer signs the same 16 base64url characters."""
    tokens = Tokens([os.urandom(32)])
    key = os.urandom(32)
    ids = [os.urandom(12) for _ in range(COUNT)]
    signed = [urlsafe_b64encode(link_id) for link_id in ids]
    made = [tokens.make("unsubscribe", link_id) for link_id in ids]

    def raw() -> None:
        digest = hmac.digest
        for text in signed:
            digest(key, text, "sha256")

    def make() -> None:
        for link_id in ids:
            tokens.make("unsubscribe", link_id)

    def read() -> None:
        for link_id, token in zip(ids, made, strict=True):
            if tokens.read("unsubscribe", token) != link_id:
                raise SystemExit("a token did not read back")

    best = {work.__name__: max(_rate(work) for _ in range(3)) for work in (raw, make, read)}
    return [
        Figure("-", "raw hmac.digest", best["raw"], "/s"),
        Figure("-", "tokens made", best["make"], "/s"),
        Figure("-", "tokens made, of raw hmac", best["make"] / best["raw"], "", LIMIT),
        Figure("-", "tokens read", best["read"], "/s"),
        Figure("-", "tokens read, of raw hmac", best["read"] / best["raw"], "", LIMIT),
    ]


def _rate(work: Callable[[], None]) -> float:
    started = time.perf_counter()
    work()
    return COUNT / (time.perf_counter() - started)
