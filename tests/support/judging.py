"""Decides one recipient under one pack made for tests; a test says only what differs from the usual."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from consentledger.law.deciding.decide import decide
from consentledger.law.model import Customer, Facts, Message, Verdict
from consentledger.law.pack import Pack
from consentledger.law.reading.packs import load
from consentledger.law.reading.packs import pack as brought
from consentledger.law.rulebook import Adopted, Rulebook
from tests.support.pack_text import GOOD

AT = datetime(2026, 11, 24, 10, tzinfo=UTC)
PACK = load(GOOD.encode())
SAID: dict[str, Any] = {"says": "as told", "citations": ("law",)}
BOOK = ("same_person", "directly", "offered", "told")
SALE = Customer("sale_paid", "2026-10-01", None, None, "similar", BOOK)
AGREED = {"consent": "confirmed", "grade": "double_opt_in", "consented_on": "2026-06-01"}
# In Berlin; and a consent that is half a year old until then.
MIDNIGHT = datetime(2026, 11, 24, 23, tzinfo=UTC)
HALF_A_YEAR = AGREED | {"consented_on": "2026-05-24"}


def law(**sections: dict[str, Any]) -> Pack:
    """The pack with some keys of some sections told otherwise."""
    return replace(
        PACK, **{name: replace(getattr(PACK, name), **keys) for name, keys in sections.items()}
    )


def judged(
    pack: Pack = PACK,
    message: Message | None = None,
    stricter: tuple[str, ...] = (),
    accepts: tuple[str, ...] = (),
    now: datetime = AT,
    **facts: Any,
) -> Verdict:
    told = Facts(**{"countries": ("DE",), "person": "natural", "capacity": "private"} | facts)
    rulebook = Rulebook((Adopted(pack, stricter, accepts), Adopted(brought("XX@1"))))
    return decide(told, message or Message("marketing", "email", now), rulebook, now)
