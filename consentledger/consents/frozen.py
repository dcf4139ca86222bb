"""What was published never changes, so a process reads each form version and wording once."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from sqlalchemy import select

from consentledger.db.unit_of_work import Tx
from consentledger.organisations.facts import BlobValue, PublishedForm
from consentledger.organisations.models import Wording
from consentledger.organisations.queries import form_version
from consentledger.organisations.shown import value_of

MOST = 2000
Blobs = tuple[BlobValue, BlobValue]
_forms: dict[tuple[UUID, UUID, int], PublishedForm] = {}
_wordings: dict[tuple[UUID, UUID], Blobs] = {}


def form_of(tx: Tx, organisation_id: UUID, form_id: UUID, version: int) -> PublishedForm:
    """Returns a form's version; only its frozen parts may be relied on (not link_host, not ip_policy)."""
    key = (organisation_id, form_id, version)
    found = _forms.get(key)
    if found is None:
        found = form_version(tx.session, organisation_id, form_id, version)
        if len(_forms) >= MOST:
            _forms.clear()
        _forms[key] = found
    return found


def wording_blobs(tx: Tx, organisation_id: UUID, wording_ids: Iterable[UUID]) -> dict[UUID, Blobs]:
    """Returns the blob values of published wordings: the text as shown, and the stored notice."""
    wanted = set(wording_ids)
    missing = sorted(one for one in wanted if (organisation_id, one) not in _wordings)
    if missing:
        if len(_wordings) + len(missing) > MOST:
            _wordings.clear()
            missing = sorted(wanted)
        rows = tx.connection.execute(
            select(Wording.wording_id, Wording.text_blob, Wording.notice_blob).where(
                Wording.organisation_id == organisation_id,
                Wording.wording_id.in_(missing),
                Wording.published_at.is_not(None),
            )
        )
        for wording_id, text, notice in rows:
            _wordings[organisation_id, wording_id] = (
                value_of(text or b"", "text/plain"),
                value_of(notice or b"", "text/plain"),
            )
    return {one: _wordings[organisation_id, one] for one in wanted}
