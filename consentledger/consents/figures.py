"""How a form does: requests, those that got a mail, those confirmed and those flagged; counted when somebody asks.

Found by the primary key, whose ids sort by time (UUIDv7). Of an organisation's requests only the newest ones are
looked at, MOST by the worker and SHOWN for a page, so that a flood can't make counting dear: 100,000 take about a
second.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Subquery, and_, case, func, or_, select
from sqlalchemy.orm import Session

from consentledger.consents.models import ConfirmationMail, ConsentRequest
from consentledger.kernel.ids import first_uuid7
from consentledger.organisations import pause_rules
from consentledger.organisations.models import Form, Organisation

MOST = 100_000
SHOWN = 25_000
PERIODS = (1, 7)  # days
# An id is made a moment before its request is stored, perhaps by another host's clock.
_SLACK = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class FormCount:
    """A served form's requests of the window of pause_rules: those that got a mail, and those confirmed."""

    form_id: UUID
    counted_from: datetime | None
    mailed: int
    confirmed: int


@dataclass(frozen=True, slots=True)
class FormFigures:
    """What came of a form's posts in the last `days`, as far back as `since_at`.

    That is later where SHOWN requests do not reach so far, or where unconfirmed ones are erased already.
    """

    days: int
    since_at: datetime
    requests: int
    mailed: int
    confirmed: int
    flagged: int


def organisations_serving(session: Session) -> Sequence[UUID]:
    """Reads which organisations have a form that takes sign-ups now."""
    return session.scalars(
        select(Form.organisation_id).where(Form.state == "published").distinct()
    ).all()


def forms_with_many(session: Session, organisation_id: UUID, now: datetime) -> list[FormCount]:
    """Counts the served forms of an organisation that were mailed for often enough to be judged.

    A request counts once its own mail was taken by the peer; one that joined another's mail, or got none, does not.
    What was asked before a form was resumed does not either.
    """
    newest = _newest(organisation_id, *pause_rules.window(now), MOST)
    mailed, confirmed = _mailed(), _confirmed(newest)
    rows = session.execute(
        select(newest.c.form_id, Form.counted_from, mailed, confirmed)
        .join(ConfirmationMail, _own_mail(newest))
        .join(
            Form,
            and_(
                Form.organisation_id == newest.c.organisation_id,
                Form.form_id == newest.c.form_id,
                Form.state == "published",
                or_(Form.counted_from.is_(None), Form.counted_from <= newest.c.requested_at),
            ),
        )
        .group_by(newest.c.form_id, Form.counted_from)
        .having(mailed >= pause_rules.FEWEST_MAILED)
        .order_by(newest.c.form_id)
    )
    return [FormCount(*row) for row in rows]


def form_figures(
    session: Session, organisation_id: UUID, form_id: UUID, now: datetime
) -> list[FormFigures]:
    """Counts what came of one form's posts, for each of PERIODS."""
    kept = session.execute(
        select(Organisation.request_days).where(Organisation.organisation_id == organisation_id)
    ).scalar_one()
    return [_figures(session, organisation_id, form_id, now, days, kept) for days in PERIODS]


def _figures(
    session: Session, organisation_id: UUID, form_id: UUID, now: datetime, days: int, kept: int
) -> FormFigures:
    # Of what is older only the confirmed requests are left: a share of them would flatter.
    begin = now - timedelta(days=min(days, kept))
    newest = _newest(organisation_id, begin, now + _SLACK, SHOWN)
    mine = newest.c.form_id == form_id
    row = session.execute(
        select(
            func.count(),
            func.min(newest.c.requested_at),
            func.count(case((mine, 1))),
            _mailed(),
            _confirmed(newest),
            func.count(case((and_(mine, newest.c.flags.is_not(None)), 1))),
        )
        .select_from(newest)
        .outerjoin(ConfirmationMail, and_(mine, _own_mail(newest)))
    ).one()
    looked_at, oldest, *counts = row
    return FormFigures(days, oldest if looked_at >= SHOWN else begin, *counts)


def _newest(organisation_id: UUID, begin: datetime, end: datetime, most: int) -> Subquery:
    request = ConsentRequest
    return (
        select(
            request.organisation_id,
            request.form_id,
            request.link_id,
            request.state,
            request.flags,
            request.requested_at,
        )
        .where(
            request.organisation_id == organisation_id,
            request.request_id >= first_uuid7(begin - _SLACK),
            request.request_id < first_uuid7(end + _SLACK),
            request.requested_at >= begin,
            request.requested_at < end,
        )
        .order_by(request.request_id.desc())
        .limit(most)
        .subquery("newest")
    )


def _own_mail(newest: Subquery) -> Any:
    # A request that joins a pending mail was asked behind it; the one that the mail was made for, before it.
    return and_(
        ConfirmationMail.organisation_id == newest.c.organisation_id,
        ConfirmationMail.link_id == newest.c.link_id,
        ConfirmationMail.outcome == "sent",
        ConfirmationMail.made_at >= newest.c.requested_at,
    )


def _mailed() -> Any:
    return func.count(ConfirmationMail.link_id.distinct())


def _confirmed(newest: Subquery) -> Any:
    link = case((newest.c.state == "confirmed", ConfirmationMail.link_id))
    return func.count(link.distinct())
