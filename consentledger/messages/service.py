"""The verb: hold one message against its permit. It reads only."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy.orm import Session

from consentledger.mail.wire import faults
from consentledger.messages.carried import check_carried
from consentledger.messages.duties import check_duties
from consentledger.messages.identity import addresses, check_identity
from consentledger.messages.model import FORMAT, Checked, Finding, failed, passed, warned
from consentledger.messages.optout import check_opt_out, link_in_header, links_in_body
from consentledger.messages.queries import Held, expected_of, permit_of_link
from consentledger.messages.reading import Read, read
from consentledger.messages.signature import check_signature


@dataclass(frozen=True, slots=True)
class CheckMessage:
    """A whole message as it goes out; `recipient` where To does not name the one address."""

    data: bytes = field(repr=False)
    recipient: str | None = field(default=None, repr=False)


def check_message(session: Session, held: Held, command: CheckMessage, now: datetime) -> Checked:
    """Returns every finding about a message; InputError (field `message`) when it is none.

    The permit is the one that the message's own unsubscribe link names, in the header or else in the body.
    """
    message = read(command.data)
    to = addresses(message, "to")
    named = command.recipient or (to[0].addr_spec if len(to) == 1 else None)
    links = [link_in_header(message), *links_in_body(message)]
    found = (permit_of_link(link, held.tokens) for link in links)
    permit_id = next((one for one in found if one is not None), None)
    expected = expected_of(session, held, permit_id, named, now)
    findings = [
        *_form(message),
        *check_duties(message, expected),
        *check_carried(message, expected),
        *check_identity(message, expected),
        *check_opt_out(message, expected),
        *check_signature(message),
    ]
    permit = expected.permit.permit if expected.permit else None
    name = expected.identity.from_address if expected.identity else None
    return Checked(tuple(findings), permit, name)


def _form(message: Read) -> Iterator[Finding]:
    """What is wrong with the message's octets as such; list fields have findings of their own."""
    wrong = [one for one in faults(message.wire, smtputf8=True) if not one.startswith("list-")]
    if message.bare:
        yield warned(
            "line_endings", "Lines end in LF: the file is not what the wire carries.", "message",
            FORMAT, "Check the message as your mail server sent it, not as an editor saved it.",
        )  # fmt: skip
    for what in wrong:
        yield failed(
            "form",
            f"{what[:1].upper()}{what[1:]}.",
            "message",
            FORMAT,
            "Let a mail library build it.",
        )
    if not wrong:
        yield passed("form", "Fields, lines and octets are in order.", "message", FORMAT)
