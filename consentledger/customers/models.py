"""The table of recorded customers; what a record tells in full stands sealed in its entry."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from consentledger.db.base import Base, organisation_key_column


class CustomerRecord(Base):
    """One recorded sale, negotiation or other ground; its state follows its entries.

    `reference_hash` is a keyed hash of the organisation's own reference, so that a record sent twice is known: the
    reference itself may name a person, and stands sealed in the entry. `happened_on` and `ended_on` are ISO dates.
    `entry_number` says which of its contact's entries made this state (n of the entry's label).
    """

    __tablename__ = "customer_record"
    organisation_id: Mapped[UUID] = organisation_key_column()
    customer_id: Mapped[UUID] = mapped_column(primary_key=True)
    contact_id: Mapped[UUID]
    channel: Mapped[str]
    reference_hash: Mapped[bytes]
    trigger: Mapped[str]
    happened_on: Mapped[str]
    ended_on: Mapped[str | None]
    state: Mapped[str]
    recorded_at: Mapped[datetime]
    changed_at: Mapped[datetime]
    entry_number: Mapped[int] = mapped_column(BigInteger)
    __table_args__ = (
        UniqueConstraint(
            "organisation_id",
            "contact_id",
            "channel",
            "reference_hash",
            name="uq_customer_reference",
        ),
    )
