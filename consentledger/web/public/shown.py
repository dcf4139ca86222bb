"""From facts of the slices to what a page shows; no decision is made here."""

from __future__ import annotations

from uuid import UUID

from consentledger.organisations.facts import (
    FormPurpose,
    OrganisationFacts,
    SenderFacts,
    SenderIdentity,
)
from consentledger.web.public.brand import stylesheet_path
from consentledger.web.public.pages import SenderView, WordingView


def sender_view(identity: SenderIdentity, number: int, sender_id: UUID, version: int) -> SenderView:
    """Who writes, with the stylesheet of that version's colour."""
    return SenderView(
        name=identity.name,
        legal_name=identity.legal_name,
        postal_address=identity.postal_address,
        country=identity.country,
        contact_email=identity.contact_email,
        contact_phone=identity.contact_phone,
        privacy_url=identity.privacy_url,
        stylesheet=stylesheet_path(number, sender_id, version) if identity.colour else None,
    )


def sender_now(sender: SenderFacts) -> SenderView:
    """A sender in its newest version."""
    return sender_view(
        sender.identity, sender.organisation_number, sender.sender_id, sender.version
    )


def wording_view(box: FormPurpose) -> WordingView:
    """One box's wording, with its notice as stored."""
    return WordingView(
        title=box.title,
        channel=box.channel,
        statement=box.statement,
        withdrawal=box.withdrawal,
        controllers=box.controllers,
        language=box.language,
        notice_url=box.notice_url,
        notice_text=box.notice_text,
    )


def sender_of_organisation(organisation: OrganisationFacts) -> SenderView:
    """The legal person alone, where no sender is known."""
    return SenderView(
        name=organisation.legal_name,
        legal_name=organisation.legal_name,
        postal_address="",
        country=organisation.country,
        contact_email="",
    )
