"""Requests and their confirmation mails, replayed: each entry moves them as the verb that appended it did."""

from __future__ import annotations

import re
from base64 import urlsafe_b64decode
from binascii import Error
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from consentledger.consents import rules
from consentledger.kernel.clock import from_text
from consentledger.replay.model import UNKNOWN, Entry, Row, Tables

_MESSAGE_ID = re.compile(rb"^message-id:\s*(<[^<>\s]+>)\s*$", re.I | re.M)
_TOLD = ("sent", "refused", "given_up")  # the outcomes that are of a mail, not of its absence


@dataclass(slots=True)
class Asked:
    """All requests of one contact by id, and all mails by the link that they carried."""

    requests: dict[UUID, Row] = field(default_factory=dict)
    mails: dict[bytes, Row] = field(default_factory=dict)
    mailed_by: dict[UUID, bytes] = field(default_factory=dict)
    declined_at: tuple[datetime, bytes] | None = None
    going: set[UUID] = field(default_factory=set)

    def requested(self, entry: Entry, values: Mapping[str, Any]) -> None:
        """An accepted post: all its boxes are open."""
        boxes = zip(values["purposes"], values["wordings"], strict=False)
        request_id = UUID(values["request"])
        self.requests[request_id] = {
            "state": rules.OPEN,
            "sender_id": UUID(values["sender"]),
            "channel": values["channel"],
            "language": values["language"],
            "form_id": UUID(values["form"]) if values["form"] else None,
            "form_version": values["form_version"],
            "purposes": [
                {"purpose": purpose, "wording": wording, "state": rules.OPEN}
                for purpose, wording in boxes
            ],
            "page": values["page"],
            "link_id": None,
            "requested_at": entry.at,
            "expires_at": from_text(values["expires_at"]),
            "entry_numbers": [entry.n],
        }
        if entry.going:
            self.going.add(request_id)

    def prepared(self, entry: Entry, values: Mapping[str, Any]) -> None:
        """The worker decided: a mail with a link of its own, or none (then perhaps a pending one's)."""
        link = _own(values["link"])
        for request_id, request in self._known(values["requests"]):
            request["entry_numbers"].append(entry.n)
            if link is not None:
                request["link_id"] = link
            if link is None or values["mail"] is None:
                continue
            self.mailed_by[request_id] = link
            self.mails[link] = {
                "sender_id": request["sender_id"],
                "language": request["language"],
                "message_id": _message_id(entry.blobs),
                "state": "open",
                "outcome": None,
                "made_at": entry.at,
                "sent_at": None,
                "closes_at": entry.at + rules.NOT_ME_WORKS,
            }

    def handled(self, entry: Entry, values: Mapping[str, Any]) -> None:
        """What became of the mail; one that was never made has no row."""
        for request_id, request in self._known(values["requests"]):
            request["entry_numbers"].append(entry.n)
            mail = self.mails.get(self.mailed_by.get(request_id, b""))
            if mail is None or values["outcome"] not in _TOLD:
                continue
            mail["outcome"] = values["outcome"]
            mail["sent_at"] = entry.at if values["outcome"] == "sent" else None
            if values["message_id"] and mail["message_id"] is UNKNOWN:
                mail["message_id"] = values["message_id"]

    def pressed(self, entry: Entry, request: str, purpose: str, state: str) -> bytes | None:
        """One box confirmed or dropped; returns the link that it came by. With its last open box a link is used."""
        found = self.requests.get(UUID(request))
        if found is None:
            return None
        for box in found["purposes"]:
            if box["purpose"] == purpose:
                box["state"] = state
        states = {box["state"] for box in found["purposes"]}
        found["state"] = (
            rules.OPEN
            if rules.OPEN in states
            else "confirmed"
            if "confirmed" in states
            else "declined"
        )
        found["entry_numbers"].append(entry.n)
        link: bytes | None = found["link_id"]
        if link in self.mails and not self._still_open(link, entry.at):
            self.mails[link]["state"] = "used"
        return link

    def not_me(self, entry: Entry, request: str) -> bytes | None:
        """`This was not me`: the whole request is declined, and the link with it; returns the link."""
        found = self.requests.get(UUID(request))
        if found is None:
            return None
        for box in found["purposes"]:
            box["state"] = "declined"
        self.ended(entry, request, "declined")
        link: bytes | None = found["link_id"]
        if link is not None:
            self.declined_at = (entry.at, link)
            if link in self.mails:
                self.mails[link]["state"] = "declined"
        return link

    def not_me_of_none(self) -> None:
        """`This was not me` when every request of its link had expired: the entry does not say which link it was."""
        asking = {
            request["link_id"]
            for request in self.requests.values()
            if request["state"] in (rules.OPEN, "confirmed", "declined")
        }
        for link, mail in self.mails.items():
            if link not in asking and mail["state"] != "declined":
                mail["state"] = UNKNOWN

    def declined_link(self, at: datetime) -> bytes | None:
        """The link that was declined at this instant: the withdrawals beside it came by it, too."""
        return self.declined_at[1] if self.declined_at and self.declined_at[0] == at else None

    def ended(self, entry: Entry, request: str, state: str) -> None:
        """A request that expired or was declined."""
        found = self.requests.get(UUID(request))
        if found is not None:
            found["state"] = state
            found["entry_numbers"].append(entry.n)

    def put(self, tables: Tables, contact_id: UUID, address_hash: Any) -> None:
        """Puts the rows of requests and mails; a request that a log.erasure covers is on its way out."""
        for request_id, request in self.requests.items():
            state = "erasing" if request_id in self.going else request["state"]
            row = {"contact_id": contact_id, **request, "state": state}
            tables.put("consent_request", (request_id,), row)
        for link, mail in self.mails.items():
            row = {"contact_id": contact_id, "address_hash": address_hash, **mail}
            tables.put("confirmation_mail", (link,), row)

    def _known(self, ids: list[str]) -> list[tuple[UUID, Row]]:
        wanted = (UUID(one) for one in ids)
        return [(one, self.requests[one]) for one in wanted if one in self.requests]

    def _still_open(self, link: bytes | None, at: datetime) -> bool:
        return any(
            request["link_id"] == link
            and request["state"] == rules.OPEN
            and at < request["expires_at"]
            for request in self.requests.values()
        )


def _own(link: str | None) -> bytes | None:
    """Returns the 8 bytes of its own of a link id as an entry shows it."""
    try:
        return urlsafe_b64decode(link)[4:] if link else None
    except (Error, ValueError):
        return None


def _message_id(blobs: tuple[bytes, ...]) -> Any:
    """Reads the Message-ID of the mail as it was kept: 32 random bytes, then its bytes."""
    for blob in blobs:
        found = _MESSAGE_ID.search(blob[32:].partition(b"\r\n\r\n")[0])
        if found:
            return found[1].decode("ascii", "replace")
    return UNKNOWN
