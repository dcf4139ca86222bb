"""The main path by the verbs themselves, for tests of evidence: sign up, mail, press, permit, leave, export."""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import cast
from uuid import UUID

from consentledger.consents import queries as consent_queries
from consentledger.consents import service as consents
from consentledger.consents.commands import (
    ConfirmConsents,
    DecideConfirmation,
    HandleConfirmation,
    MailFacts,
    Outcome,
    RenderedMail,
    RequestConsent,
)
from consentledger.db.installation import Installation
from consentledger.evidence.service import Exported, ExportEvidence, export
from consentledger.kernel.tokens import pack_link
from consentledger.ledger.policy import make_policy
from consentledger.permits import service as permits
from consentledger.permits.links import PermitId
from consentledger.permits.rules import IssuePermits
from consentledger.permits.service import Issued
from consentledger.stops import service as stops
from consentledger.stops.commands import Unsubscribe
from consentledger.verify.bundle import verify_bundle
from consentledger.verify.report import Report
from tests.factories import MadeForm

ANNA, BERT = "Anna@shop-customer.example", "bert@elsewhere.example"
MAIL = b"From: news@alpenkraut.example\r\n\r\nPlease confirm: https://consent.test/c/AAAA****\r\n"


@dataclass
class Path:
    """The main path by the verbs themselves, for one published form."""

    installation: Installation
    made: MadeForm

    def request(self, address: str = ANNA, *boxes: int) -> UUID:
        ticked = tuple(self.made.purpose_ids[i] for i in boxes or (0,))
        with self.installation.database.begin() as tx:
            done = consents.request(tx, RequestConsent(self.made.form, address, ticked))
        return done.request_id

    def decide(self, request: UUID, outcome: Outcome = "sent") -> bytes | None:
        def render(facts: MailFacts) -> RenderedMail:
            return RenderedMail(MAIL, "<1@consent.test>", {})

        org = self.made.organisation_id
        with self.installation.database.begin() as tx:
            decided = consents.decide_confirmation(tx, DecideConfirmation(org, request), render)
        assert decided.contact_id is not None
        told = outcome if decided.decision == "send" else cast(Outcome, decided.decision)
        with self.installation.database.begin() as tx:
            command = HandleConfirmation(
                org,
                decided.contact_id,
                request,
                told,
                decided.link_id,
                250,
                "ok",
                "<1@consent.test>",
                1,
            )
            consents.handle_confirmation(tx, command)
        if decided.link_id is None:
            return None
        return pack_link(self.made.form.organisation_number, decided.link_id)

    def press(self, link: bytes, *, keep: int | None = None) -> None:
        with self.installation.database.read() as session:
            items = consent_queries.confirm_page(session, link).items
        shown = tuple(item.item_id for item in items)
        with self.installation.database.begin() as tx:
            consents.confirm(tx, ConfirmConsents(link, shown, shown[:keep]))

    def permit(self, *addresses: str) -> Issued:
        command = IssuePermits(
            self.made.organisation_id, self.made.sender_id, self.made.purpose_ids[0], "email",
            addresses or (ANNA,), "key:test",
        )  # fmt: skip
        prepared = permits.prepare(self.installation.database, command)
        with self.installation.database.begin() as tx:
            return permits.issue(tx, prepared)

    def leave(self, issued: Issued, row: int = 0, scope: str = "purpose") -> None:
        link = PermitId(self.made.form.organisation_number, issued.batch, row).to_bytes()
        with self.installation.database.begin() as tx:
            stops.unsubscribe(tx, Unsubscribe(link, "one_click", scope))  # type: ignore[arg-type]

    def export(self, address: str = ANNA, **more: object) -> tuple[bytes, Exported]:
        file = io.BytesIO()
        command = ExportEvidence(self.made.organisation_id, address, **more)  # type: ignore[arg-type]
        done = export(self.installation, command, file)
        return file.getvalue(), done

    def verified(self, address: str = ANNA, **more: object) -> tuple[bytes, Report]:
        data, _ = self.export(address, **more)
        report = verify_bundle(io.BytesIO(data), policy=self.policy())
        assert report.exit_code == 0, report.text()
        return data, report

    def policy(self) -> bytes:
        origin = self.made.organisation.origin
        return make_policy([self.installation.signer.vkey(origin)]).text().encode()
