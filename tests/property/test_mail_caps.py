"""Days of mails to few mailboxes against a model that keeps a list: never more than the caps, and never less."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count
from uuid import UUID

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, func, select

from consentledger.db.engine import Database
from consentledger.db.models import CapKey
from consentledger.limits import caps
from consentledger.limits.caps import Full, Mailbox
from consentledger.limits.models import MailCap

DAY = timedelta(hours=24)
ORGANISATIONS = tuple(UUID(int=n) for n in range(1, 5))
SPELLINGS = ("alice@gmail.com", "a.lice@gmail.com", "alice+1@gmail.com")
FOLDED = "alice@gmail.com"
_STARTS = count()
_CLAIM = st.tuples(st.just("claim"), st.sampled_from(range(4)), st.sampled_from(range(3)))
_ACTS = st.one_of(
    _CLAIM,
    _CLAIM,
    st.tuples(st.just("lost"), st.sampled_from(range(4)), st.sampled_from(range(3))),
    st.tuples(st.just("wait"), st.sampled_from([1, 59, 6 * 60, 12 * 60, 24 * 60 - 1, 24 * 60])),
    st.tuples(st.just("refused")),
    st.tuples(st.just("sweep")),
)


@dataclass(frozen=True, slots=True)
class Mail:
    """One mail that left."""

    at: datetime
    organisation: UUID
    spelled: str


@dataclass(slots=True)
class Days:
    """One mailbox over several days: what was mailed, by a list, and what the caps say."""

    database: Database
    at: datetime
    mails: list[Mail] = field(default_factory=list)
    given_back: list[Mail] = field(default_factory=list)

    def act(self, name: str, *numbers: int) -> None:
        """Does one thing that may happen."""
        if name == "wait":
            self.at += timedelta(minutes=numbers[0])
        elif name == "refused":
            self._refused()
        elif name == "sweep":
            with self.database.begin() as tx:
                for ends in (MailCap.until_at, CapKey.ends_at):
                    tx.connection.execute(delete(ends.class_).where(ends < self.at))
        else:
            self._claim(ORGANISATIONS[numbers[0]], SPELLINGS[numbers[1]], keep=name == "claim")
        self.at += timedelta(microseconds=1)

    def _claim(self, organisation: UUID, spelled: str, *, keep: bool) -> None:
        expected = self._expected(organisation, spelled)
        try:
            with self.database.begin() as tx:
                tx.now = self.at
                assert caps.claim(tx, Mailbox(organisation, FOLDED, spelled)) == expected
                if not keep:
                    raise TimeoutError  # the decision rolls back, and its claim with it
        except TimeoutError:
            return
        if expected is None:
            self.mails.append(Mail(self.at, organisation, spelled))

    def _refused(self) -> None:
        if not self.mails:
            return
        last = self.mails[-1]
        same = [one for one in self._alive() if one.organisation == last.organisation]
        if same != [last]:
            return  # the organisation's row tells only its newest mail
        with self.database.begin() as tx:
            tx.now = self.at
            caps.give_back(tx, Mailbox(last.organisation, FOLDED, last.spelled), last.at)
        self.given_back.append(self.mails.pop())

    def _alive(self) -> list[Mail]:
        return [one for one in self.mails if one.at + DAY > self.at]

    def _expected(self, organisation: UUID, spelled: str) -> Full | None:
        alive = self._alive()
        own = [one for one in alive if one.organisation == organisation]
        if any(one.spelled != spelled for one in own):
            return Full(None)
        return Full(alive[-3].at + DAY) if len(alive) >= 3 else None

    def check(self) -> None:
        """No window of 24 hours holds more than three mails, none of one organisation two spellings."""
        for first in self.mails:
            window = [one for one in self.mails if first.at <= one.at < first.at + DAY]
            assert len(window) <= caps.MOST
            own = {one.spelled for one in window if one.organisation == first.organisation}
            assert len(own) == 1

    def nothing_is_left(self) -> None:
        """48 hours later there is neither row nor key."""
        self.at += 2 * DAY
        self.act("sweep")
        with self.database.read() as session:
            for model in (MailCap, CapKey):
                assert session.scalar(select(func.count()).select_from(model)) == 0


@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(acts=st.lists(_ACTS, min_size=4, max_size=16), hour=st.integers(0, 23))
@example(
    acts=[
        *(("claim", n, 0) for n in range(4)),
        ("wait", 24 * 60 - 1),
        ("claim", 3, 0),
        ("wait", 1),
        *(("claim", n, n % 3) for n in range(4)),
    ],
    hour=23,
)
def test_over_days_the_caps_hold_and_hold_nobody_longer(
    database: Database, acts: list[tuple[str, ...]], hour: int
) -> None:
    # Each example has days of its own: the database is one, and time does not run backwards.
    start = datetime(2026, 3, 2, hour, 59, 30, tzinfo=UTC) + timedelta(days=60 * next(_STARTS))
    days = Days(database, start)
    for act in acts:
        days.act(*act)  # type: ignore[arg-type]
    days.check()
    days.nothing_is_left()
