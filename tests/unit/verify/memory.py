"""A whole log in memory, made with the ledger alone: what the service would write, and anything it must not."""

from __future__ import annotations

import base64
import os
from dataclasses import dataclass, field

from consentledger.law.first import packs
from consentledger.ledger import merkle
from consentledger.ledger.bundle import evidence_signer
from consentledger.ledger.disclosure import Value
from consentledger.ledger.first_permit import (
    FirstPermit,
    first_permit_disclosure,
    first_permit_line_hash,
)
from consentledger.ledger.kinds import KINDS, kind
from consentledger.ledger.leaf import BuiltLeaf, blob_value, build_leaf, label, parse_leaf
from consentledger.ledger.note import Signer
from consentledger.verify.permits import permit_file

ORIGIN = "shop.example/log/abc"
SENDER, PURPOSE, FORM, WORDING = "s-1", "p-1", "f-1", "w-1"


def instant(minute: int) -> str:
    return f"2026-11-{1 + minute // 1440:02d}T{minute // 60 % 24:02d}:{minute % 60:02d}:00.000000Z"


@dataclass
class Contact:
    """A contact with its label key and its place in the chain."""

    name: str
    key: bytes = field(default_factory=lambda: os.urandom(32))
    entries: int = 0
    prev: bytes | None = None


@dataclass
class MemoryLog:
    """Leaves, what opens them, and the keys; time moves a minute per entry."""

    origin: str = ORIGIN
    log_seed: bytes = bytes(range(32))
    evidence_seed: bytes = bytes(range(1, 33))
    built: list[BuiltLeaf] = field(default_factory=list)
    values: list[dict[str, Value]] = field(default_factory=list)
    blobs: dict[str, bytes] = field(default_factory=dict)
    permits: dict[str, dict[str, object]] = field(default_factory=dict)
    hidden: dict[int, set[str]] = field(default_factory=dict)
    """Names of fields that no longer open, by index."""

    def __post_init__(self) -> None:
        pack = packs.default_pack()
        self.text, self.notice = (
            self.blob(b"I agree", "text/plain"),
            self.blob(b"notice", "text/plain"),
        )
        self.form_text = self.blob(b"<form>", "text/html")
        self.form_notice = self.blob(b"notices", "text/plain")
        plain = {
            "origin": self.origin,
            "log_key": self.signer.vkey,
            "evidence_key": self.evidence.vkey,
            "previous": "none",
        }
        self.add("log.genesis", {"checkpoint": None, "reason": None}, plain=plain)
        self.add(
            "organisation.changed",
            {"organisation": "o-1", "name": "shop", "legal_name": "Shop GmbH", "country": "DE",
             "ip_policy": "full", "request_days": 7},
        )  # fmt: skip
        self.add(
            "pack.adopted", {"pack": pack.id, "version": pack.version, "hash": pack.hash}, version=1
        )
        self.publish()

    @property
    def signer(self) -> Signer:
        return Signer.from_seed(self.origin, self.log_seed)

    @property
    def evidence(self) -> Signer:
        return evidence_signer(self.origin, self.evidence_seed)

    def blob(self, content: bytes, media_type: str) -> list[object]:
        salt = os.urandom(32)
        value = blob_value(salt, content, media_type)
        self.blobs[str(value[1])] = salt + content
        return list(value)

    def add(
        self,
        name: str,
        values: dict[str, object],
        contact: Contact | None = None,
        plain: dict[str, str] | None = None,
        version: int | None = None,
        **changes: object,
    ) -> int:
        """Appends an entry; `changes` replace fields after the common ones are filled in."""
        one = KINDS[name, version] if version else kind(name)
        index = len(self.built)
        whole: dict[str, object] = {
            "actor": "person" if contact else "operator",
            "at": instant(index),
            "software": "consentledger test",
        }
        if one.contact:
            whole["contact"] = contact.name if contact else None
            whole["address"] = f"{contact.name}@example.org" if contact else None
            whole["prev"] = contact.prev.hex() if contact and contact.prev else None
        whole |= values | changes
        mark = label(contact.key, contact.entries) if contact else None
        built = build_leaf(one, whole, label=mark, plain=plain)  # type: ignore[arg-type]
        if contact:
            contact.entries += 1
            contact.prev = built.leaf_hash
        self.built.append(built)
        self.values.append(whole)  # type: ignore[arg-type]
        return index

    def publish(self) -> None:
        """Publishes one sender, purpose, wording and form."""
        self.add(
            "sender.published",
            {"sender": SENDER, "version": 1, "name": "Shop", "legal_name": "Shop GmbH",
             "postal_address": "Weg 1\n10115 Berlin", "country": "DE",
             "contact_email": "privacy@shop.example", "contact_phone": None, "from_name": "Shop",
             "from_address": "news@shop.example", "colour": None, "link_host": None,
             "privacy_url": None},
        )  # fmt: skip
        for purpose in (PURPOSE, "p-2"):
            self.add(
                "purpose.published",
                {"purpose": purpose, "version": 1, "class": "marketing", "titles": ["de=Angebote"],
                 "channels": ["email"], "categories": []},
            )  # fmt: skip
            self.add(
                "wording.published",
                {"wording": WORDING if purpose == PURPOSE else "w-2", "purpose": purpose,
                 "sender": SENDER, "language": "de", "controllers": ["Shop GmbH"],
                 "statement": "Ich will Angebote", "withdrawal": "Link in jeder Mail",
                 "notice_url": None, "text": self.text, "notice": self.notice},
            )  # fmt: skip
        self.add(
            "form.published",
            {"form": FORM, "version": 1, "sender": SENDER, "language": "de",
             "purposes": [PURPOSE, "p-2"], "wordings": [WORDING, "w-2"],
             "fields": ["email:required"], "origins": [], "returns": [], "text": self.form_text,
             "notice": self.form_notice},
        )  # fmt: skip

    def request(self, contact: Contact, request: str = "r-1", **changes: object) -> int:
        purposes = changes.get("purposes", [PURPOSE])
        assert isinstance(purposes, list)
        return self.add(
            "consent.requested",
            {"request": request, "method": "form", "source": "hosted", "form": FORM,
             "form_version": 1, "sender": SENDER, "purposes": purposes, "channel": "email",
             "wordings": [WORDING], "wording": self.form_text, "notice": self.form_notice,
             "boxes_before": [f"{PURPOSE}=empty", "p-2=empty"],
             "boxes_after": [
                 f"{p}={'ticked' if p in purposes else 'empty'}" for p in (PURPOSE, "p-2")
             ],
             "controllers": ["Shop GmbH"], "collected_by": "Shop GmbH", "condition": None,
             "age_band": None, "page": None, "origin": None, "ip": "192.0.2.0",
             "user_agent": "Firefox 140", "language": "de",
             "expires_at": instant(len(self.built) + 10_000)},
            contact, **changes,
        )  # fmt: skip

    def mail(self, contact: Contact, request: str = "r-1", outcome: str = "sent") -> int:
        mail = self.blob(b"From: ...", "message/rfc822") if outcome == "sent" else None
        link = "AAAA" if mail else None
        self.add(
            "confirmation.prepared",
            {"requests": [request], "mail": mail, "link": link}, contact, actor="worker",
        )  # fmt: skip
        return self.add(
            "confirmation.handled",
            {"requests": [request], "outcome": outcome, "smtp_code": 250, "smtp_answer": "ok",
             "message_id": "<x@y>", "attempts": 1}, contact, actor="worker",
        )  # fmt: skip

    def confirm(self, contact: Contact, request: str = "r-1", **changes: object) -> int:
        return self.add(
            "consent.confirmed",
            {"consent": "c-1", "request": request, "sender": SENDER, "purpose": PURPOSE,
             "channel": "email", "wording_id": WORDING, "wording": self.text,
             "notice": self.notice, "form": FORM, "form_version": 1, "language": "de",
             "method": "press", "ip": "192.0.2.7", "user_agent": "Firefox 140", "delay": 60,
             "reopens": False}, contact, **changes,
        )  # fmt: skip

    def withdraw(self, contact: Contact, **changes: object) -> int:
        return self.add(
            "consent.withdrawn",
            {"consent": "c-1", "sender": SENDER, "purpose": PURPOSE, "channel": "email",
             "method": "one_click", "permit": None}, contact, **changes,
        )  # fmt: skip

    def object(self, contact: Contact, scope: str = "organisation", **changes: object) -> int:
        return self.add(
            "objection.recorded",
            {"scope": scope, "sender": None, "purpose": None, "channel": "email",
             "method": "page", "until": None, "permit": None}, contact, **changes,
        )  # fmt: skip

    def issue(
        self,
        contact: Contact | None,
        state: str = "confirmed",
        objection: str = "none",
        allowed: bool = True,
        reasons: str = "consent",
        rows: int = 5,
        **changes: object,
    ) -> str:
        """Issues a batch of which the third row is the contact's; returns the permit's id."""
        pack = packs.default_pack()
        index = len(self.built)
        batch, until = os.urandom(6), instant(index + 60)
        lines = []
        for row in range(rows):
            number = base64.urlsafe_b64encode(bytes(4) + batch + row.to_bytes(2, "big")).decode()
            mine = row == 2
            permit = FirstPermit(
                number, row, contact.name if contact and mine else None,
                state if mine else "none", objection if mine else "none", mine and allowed,
                "consent" if mine and allowed else None, reasons if mine else "no_basis",
                until if mine and allowed else None,
            )  # fmt: skip
            lines.append((number, first_permit_disclosure(os.urandom(16), permit)))
        hashes = [first_permit_line_hash(line) for _, line in lines]
        self.add(
            "permits.issued",
            {"batch": base64.urlsafe_b64encode(batch).decode(), "sender": SENDER,
             "purpose": PURPOSE, "channel": "email", "class": "marketing", "campaign": None,
             "pack": pack.name, "pack_hash": pack.hash, "valid_until": until},
            plain={"count": str(rows), "root": merkle.root_of(hashes).hex()}, version=1, **changes,
        )  # fmt: skip
        path = merkle.inclusion_proof(2, rows, merkle.nodes_of(hashes))
        name, line = lines[2]
        self.permits[name] = permit_file(
            batch=index, permit=name, row=2, disclosure=line, path=path
        )
        return name

    def erase(self, ranges: str, classes: str = "core,copy,technical") -> int:
        """Appends log.erasure and hides what it covers."""
        for part in ranges.split(","):
            low, _, high = part.partition("-")
            for index in range(int(low), int(high or low) + 1):
                parsed = parse_leaf(self.built[index].leaf)
                fields = KINDS[parsed.kind_name, parsed.version].fields
                hidden = {f.name for f in fields if f.opening in classes.split(",")}
                self.hidden.setdefault(index, set()).update(hidden)
        plain = {
            "classes": classes,
            "part": "1/1",
            "ranges": ranges,
            "reason": "expired",
            "permits": "none",
        }
        return self.add("log.erasure", {}, plain=plain, actor="worker")
