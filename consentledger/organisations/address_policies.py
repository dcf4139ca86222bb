"""What an organisation wants of disposable and role addresses: accepted, flagged (the default) or refused."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from uuid import UUID

from sqlalchemy import select

from consentledger.db.log.entries import Draft
from consentledger.db.unit_of_work import Tx
from consentledger.kernel.errors import NotFoundError
from consentledger.organisations import fields
from consentledger.organisations.facts import AddressPolicy
from consentledger.organisations.models import Organisation

ACCEPT, FLAG, REFUSE = ADDRESS_POLICIES = ("accept", "flag", "refuse")


@dataclass(frozen=True, slots=True)
class ChangeAddressPolicy:
    """A new policy by kind of address; None keeps what holds."""

    organisation_id: UUID
    actor: str
    disposable: str | None = None
    role: str | None = None


def change_address_policy(tx: Tx, command: ChangeAddressPolicy) -> AddressPolicy:
    """Changes the policy from the next post on, one `configuration.changed` per kind; InputError for another word."""
    wanted = {"disposable": command.disposable, "role": command.role}
    given = {kind: policy for kind, policy in wanted.items() if policy is not None}
    for kind, policy in given.items():
        if policy not in ADDRESS_POLICIES:
            raise fields.wrong(kind, "unknown", f"{kind} must be accept, flag or refuse")
    row = tx.session.scalar(
        select(Organisation)
        .where(Organisation.organisation_id == command.organisation_id)
        .with_for_update()
    )
    if row is None:
        raise NotFoundError("there is no such organisation")
    before = AddressPolicy(row.disposable_policy, row.role_policy)
    after = replace(before, **given)
    drafts = [
        Draft(
            "configuration.changed",
            {"setting": f"addresses.{kind}", "value": policy},
            actor=command.actor,
        )
        for kind, policy in asdict(after).items()
        if policy != getattr(before, kind)
    ]
    if drafts:
        row.disposable_policy, row.role_policy = after.disposable, after.role
        tx.session.flush()
        tx.log.append(tx, command.organisation_id, drafts)
    return after
