"""POST /messages:check: messages as they came over SMTP, held against permits that the API issued."""

from __future__ import annotations

import base64
import smtplib
from dataclasses import dataclass
from email.message import EmailMessage
from email.policy import SMTP
from typing import Any
from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy import select

from consentledger.db.installation import Installation
from consentledger.db.models import LogHead
from consentledger.messages.reading import MAX_BYTES
from consentledger.permits.links import PermitId
from tests.factories import Cast
from tests.support.permits import Shop
from tests.support.smtp import SmtpPeer
from tests.web.api.caller import IDENTITY, Caller

ANN, BEA, KIM = "ann@example.org", "bea@example.org", "kim@example.kr"
ADDRESS = ", ".join(IDENTITY["postal_address"].split("\n"))
# What the sender's mail server puts in; its tags are read, the signature itself is not looked at.
DKIM = (
    "v=1; a=rsa-sha256; c=relaxed/relaxed; d=alpenkraut.example; s=k1; "
    "h=from:to:subject:list-unsubscribe:list-unsubscribe-post; bh=AAAA; b=BBBB"
)


@dataclass(frozen=True, slots=True)
class Desk:
    """Alice's marketing desk: her key, what she published, and the mail server she sends through."""

    alice: Caller
    shop: Shop
    smtp: SmtpPeer

    def permit(self, *people: object, **more: Any) -> list[Any]:
        """The rows of a batch of permits, all of them allowed."""
        body = {
            "sender": str(self.shop.sender_id),
            "purpose": str(self.shop.purpose_id),
            "channel": "email",
            "recipients": list(people),
            **more,
        }
        rows: list[Any] = self.alice.post("/permits", body)["permits"]
        assert all(row["allowed"] for row in rows), rows
        return rows

    def sent(
        self, row: Any, to: str = ANN, subject: str = "Herbs of the week", words: str = ""
    ) -> bytes:
        """A message that carries what its permit gives, as it came over the wire."""
        message = EmailMessage(policy=SMTP.clone(max_line_length=998))
        message["DKIM-Signature"] = DKIM
        message["From"] = f"{IDENTITY['from_name']} <{IDENTITY['from_address']}>"
        message["To"] = to
        message["Subject"] = subject
        message["Date"] = "Sun, 22 Nov 2026 10:00:00 +0000"
        message["Message-ID"] = "<1@alpenkraut.example>"
        for name, value in row["headers"].items():
            message[name] = value
        message.set_content(
            f"Thyme is ripe.\n\n{IDENTITY['legal_name']}, {ADDRESS}\n{IDENTITY['contact_email']}\n"
            f"{words}Unsubscribe: {row['unsubscribe_url']}\n"
        )
        with smtplib.SMTP(self.smtp.host, self.smtp.port, timeout=10) as client:
            client.send_message(message)
        return self.smtp.wait(len(self.smtp.messages))[-1].content

    def size(self) -> int:
        """The size of her log."""
        with self.shop.database.read() as session:
            query = select(LogHead.size).where(LogHead.organisation_id == self.shop.organisation_id)
            return session.execute(query).scalar_one()


@pytest.fixture
def desk(installation: Installation, alice: Caller, cast: Cast, smtp: SmtpPeer) -> Desk:
    owner = cast.alice.organisation
    published = (UUID(alice.sender()), UUID(alice.purpose()))
    shop = Shop(installation.database, owner.organisation_id, owner.number, *published)
    shop.confirm(ANN, BEA, KIM)
    return Desk(alice, shop, smtp)


def ask(caller: Caller, message: bytes, **more: Any) -> Any:
    return caller.post("/messages:check", {"message": base64.b64encode(message).decode(), **more})


def outcomes(answer: Any, check: str) -> list[str]:
    return [one["outcome"] for one in answer["findings"] if one["check"] == check]


def test_a_message_is_ready_as_it_came_over_the_wire(desk: Desk, bob: Caller) -> None:
    [row] = desk.permit(ANN)
    content, size = desk.sent(row), desk.size()
    line = f"List-Unsubscribe: <{row['unsubscribe_url']}>".encode()
    assert content.split(b"\r\n").count(line) == 1
    answer = ask(bob, content)
    assert answer["ready"], answer["findings"]
    assert (answer["permit"], answer["sender"]) == (row["permit"], IDENTITY["from_address"])
    assert "proves only that we did not permit it" in answer["meaning"]
    assert {one["outcome"] for one in answer["findings"]} == {"pass"}
    for check in ("permit", "recipient", "po_box", "contact_channel", "opt_out_in_body", "dkim"):
        assert outcomes(answer, check) == ["pass"]
    assert any(row["valid_until"] in one["what"] for one in answer["findings"])
    assert desk.size() == size, "it reads only"


def test_a_permit_is_for_one_recipient(desk: Desk) -> None:
    ann, bea = desk.permit(ANN, BEA)
    assert outcomes(ask(desk.alice, desk.sent(ann, to=BEA)), "recipient") == ["fail"]
    other = ask(desk.alice, desk.sent(bea))
    assert (other["ready"], other["permit"]) == (False, bea["permit"])
    assert outcomes(other, "recipient") == ["fail"]
    many = desk.sent(ann, to=f"{ANN}, {BEA}")
    assert outcomes(ask(desk.alice, many), "recipient") == ["skip"]
    assert outcomes(ask(desk.alice, many, recipient="ANN@example.org"), "recipient") == ["pass"]
    for nobody in ("nobody@example.org", "no address"):
        assert outcomes(ask(desk.alice, many, recipient=nobody), "recipient") == ["fail"]


def test_another_organisations_permit_is_as_unknown_as_none(
    desk: Desk, charlie: Caller, cast: Cast, installation: Installation
) -> None:
    [row] = desk.permit(ANN)
    content = desk.sent(row)
    answer = ask(charlie, content)
    assert (answer["ready"], answer["permit"], answer["sender"]) == (False, None, None)
    token = row["unsubscribe_url"].rpartition("/")[2].encode()
    for number in (cast.alice.organisation.number, cast.charlie.organisation.number):
        never = installation.tokens.make("unsubscribe", PermitId(number, 7, 0).to_bytes())
        assert ask(charlie, content.replace(token, never.encode())) == answer


def test_a_stopped_permit_is_dead(desk: Desk, app: Flask) -> None:
    ann, bea = desk.permit(ANN, BEA)
    path = ann["unsubscribe_url"].removeprefix("https://consent.test")
    pressed = app.test_client(use_cookies=False).post(
        path, data={"List-Unsubscribe": "One-Click"}, base_url="https://consent.test"
    )
    assert pressed.status_code == 200
    answer = ask(desk.alice, desk.sent(ann))
    assert (answer["ready"], outcomes(answer, "permit")) == (False, ["fail"])
    assert any("is stopped" in one["what"] for one in answer["findings"])
    assert ask(desk.alice, desk.sent(bea, to=BEA))["ready"]


def test_label_and_languages_are_those_of_the_recipients_country(desk: Desk) -> None:
    desk.alice.post("/packs:adopt", {"packs": [{"pack": "KR"}]})
    [row] = desk.permit({"address": KIM, "country": "KR"})
    duties = {(duty["code"], duty["value"]) for duty in row["duties"]}
    assert {("subject_label", "(광고)"), ("statement_language", "ko")} <= duties
    bare = ask(desk.alice, desk.sent(row, to=KIM))
    assert not bare["ready"]
    assert outcomes(bare, "label") == ["fail"]
    assert sorted(outcomes(bare, "language")) == ["fail", "pass"]
    [rule] = {one["rule"] for one in bare["findings"] if one["check"] == "label"}
    assert rule.startswith("KR@1#")
    marked = desk.sent(row, to=KIM, subject="(광고) Herbs of the week", words="수신거부: ")
    assert b"Subject: =?utf-8?" in marked, "on the wire the label is an encoded word"
    answer = ask(desk.alice, marked)
    assert answer["ready"], answer["findings"]
    assert outcomes(answer, "language") == ["pass", "pass"]


def test_what_is_no_message_is_refused_by_name(desk: Desk, app: Flask) -> None:
    def refused(body: Any, status: int = 422) -> list[tuple[str, str]]:
        problem = desk.alice.post("/messages:check", body, status)
        return [(error["field"], error["reason"]) for error in problem.get("errors", [])]

    assert refused({"message": "no base64!"}) == [("message", "format")]
    hello = base64.b64encode(b"hello").decode()
    assert refused({"message": hello}, 400) == [("message", "malformed")]
    assert refused({}) == [("message", "missing")]
    assert refused({"message": "", "to": ANN}) == [("to", "unknown")]
    large = base64.b64encode(b"From: a@b.example\r\n\r\n" + b"x" * MAX_BYTES).decode()
    app.config["MAX_CONTENT_LENGTH"] = 2 * len(large)
    assert refused({"message": large}) == [("message", "too_long")]
    app.config["MAX_CONTENT_LENGTH"] = len(large)
    assert refused({"message": large}, 413) == []


def test_who_may_not_read_permits_checks_nothing(app: Flask, cast: Cast) -> None:
    anybody = app.test_client(use_cookies=False)
    assert anybody.post("/api/v1/messages:check", json={"message": ""}).status_code == 401
