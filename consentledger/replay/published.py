"""What an organisation's own entries make of the published tables and of its batches of permits: pure."""

from __future__ import annotations

from base64 import urlsafe_b64decode
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from consentledger.kernel.clock import from_text
from consentledger.organisations.facts import SenderIdentity
from consentledger.permits.first import FIRST_MESSAGE_FIELDS
from consentledger.permits.links import PermitId
from consentledger.permits.rules import MESSAGE_FIELDS
from consentledger.replay.model import UNKNOWN, Entry, Row, Tables
from consentledger.replay.rules import permit_use

# Leaf kinds that are told; the others of an organisation change no row.
KINDS = (
    "organisation.changed",
    "sender.published",
    "purpose.published",
    "wording.published",
    "form.published",
    "configuration.changed",
    "pack.adopted",
    "categories.published",
    "permits.issued",
    "permits.voided",
    "message.sent",
    "objection.recorded",
)
_POLICIES = {"addresses.disposable": "disposable_policy", "addresses.role": "role_policy"}
_IDENTITY = tuple(SenderIdentity.__dataclass_fields__)


@dataclass(slots=True)
class PublishedReplay:
    """The rows that entries without a contact give, told in the order of the log."""

    organisation_id: UUID
    tables: Tables = field(default_factory=Tables)

    def tell(self, entry: Entry) -> None:
        """Tells one entry; erased ones say nothing."""
        values = entry.values
        if values is None:
            return
        telling = _TELLING.get(entry.kind)
        if telling is not None:
            telling(self, entry, values)

    def organisation(self, entry: Entry, values: Mapping[str, Any]) -> None:
        """`organisation.changed`; its number is in every link, but in no entry."""
        before = self.tables.of("organisation").get(())
        row = {name: values[name] for name in ("name", "legal_name", "country", "ip_policy")}
        row["request_days"] = values["request_days"]
        row["created_at"] = before["created_at"] if before else entry.at
        for name in _POLICIES.values():
            row[name] = before[name] if before else "flag"
        self.tables.put("organisation", (), row)

    def sender(self, entry: Entry, values: Mapping[str, Any]) -> None:
        """`sender.published`; its sealed transport is in no entry."""
        row = {
            "version": values["version"],
            "identity": {name: values[name] for name in _IDENTITY},
            "link_host": values["link_host"],
            "published_at": entry.at,
            "entry_index": entry.index,
        }
        self.tables.put("sender", (UUID(values["sender"]),), row)

    def purpose(self, entry: Entry, values: Mapping[str, Any]) -> None:
        """`purpose.published`."""
        row = {
            "version": values["version"],
            "purpose_class": values["class"],
            "titles": dict(_pair(text) for text in values["titles"]),
            "channels": list(values["channels"]),
            "categories": list(values["categories"]),
            "published_at": entry.at,
            "entry_index": entry.index,
        }
        self.tables.put("purpose", (UUID(values["purpose"]),), row)

    def wording(self, entry: Entry, values: Mapping[str, Any]) -> None:
        """`wording.published`: all but the channel, which only its text names."""
        text, notice = _blobs(entry, values)
        row = {
            "sender_id": UUID(values["sender"]),
            "purpose_id": UUID(values["purpose"]),
            "language": values["language"],
            "content": _known(
                {
                    "controllers": list(values["controllers"]),
                    "statement": values["statement"],
                    "withdrawal": values["withdrawal"],
                    "notice_url": values["notice_url"],
                    "notice_text": notice[32:].decode() if isinstance(notice, bytes) else UNKNOWN,
                    "channel": _channel(text),
                }
            ),
            "text_blob": text,
            "notice_blob": notice,
            "published_at": entry.at,
            "entry_index": entry.index,
        }
        self.tables.put("wording", (UUID(values["wording"]),), row)

    def form(self, entry: Entry, values: Mapping[str, Any]) -> None:
        """`form.published`: the version, with the boxes as sender, purposes and wordings were then."""
        text, notice = _blobs(entry, values)
        form_id, version = UUID(values["form"]), values["version"]
        row = {
            "sender_id": UUID(values["sender"]),
            "language": values["language"],
            "content": self._content(values),
            "text_blob": text,
            "notice_blob": notice,
            "published_at": entry.at,
            "entry_index": entry.index,
        }
        self.tables.put("form_version", (form_id, version), row)
        self.tables.put("form", (form_id,), {"state": "published", "version": version})

    def setting(self, _entry: Entry, values: Mapping[str, Any]) -> None:
        """`configuration.changed`: a form taken down, paused or resumed; what becomes of kinds of addresses."""
        own = self.tables.of("organisation").get(())
        if own is not None and values["setting"] in _POLICIES:
            own[_POLICIES[values["setting"]]] = values["value"]
        parts = values["setting"].split(".")
        if len(parts) == 3 and (parts[0], parts[2]) == ("form", "state"):
            row = self.tables.of("form").get((UUID(parts[1]),))
            if row is not None:
                row["state"] = values["value"]

    def pack(self, entry: Entry, values: Mapping[str, Any]) -> None:
        """`pack.adopted`, from its second version on: the first named the one pack that there was."""
        if "stricter" not in values:
            return
        row = {
            "hash": values["hash"],
            "stricter": list(values["stricter"]),
            "accepts": list(values["accepts"]),
            "adopted_at": entry.at,
            "entry_index": entry.index,
        }
        self.tables.put("adopted_pack", (values["pack"], values["version"]), row)

    def categories(self, entry: Entry, values: Mapping[str, Any]) -> None:
        """`categories.published`."""
        row = {
            "categories": list(values["categories"]),
            "groups": list(values["groups"]),
            "published_at": entry.at,
            "entry_index": entry.index,
        }
        self.tables.put("category_tree", (values["version"],), row)

    def batch(self, entry: Entry, values: Mapping[str, Any]) -> None:
        """`permits.issued`: all but the texts of its verdicts, which the root covers together with its rows."""
        number = int.from_bytes(urlsafe_b64decode(values["batch"]), "big")
        row = {
            "entry_index": entry.index,
            "count": int(entry.plain["count"]),
            "sender_id": UUID(values["sender"]),
            "purpose_id": UUID(values["purpose"]),
            "channel": values["channel"],
            "message": {name: values[name] for name in _message_fields(values)},
            "issued_at": entry.at,
            "valid_until_at": from_text(values["valid_until"]),
        }
        self.tables.put("permit_batch", (number,), row)

    def reports(self, entry: Entry, values: Mapping[str, Any]) -> None:
        """`message.sent`: all but the shapes of its rows, which the root covers together with them."""
        number = int.from_bytes(urlsafe_b64decode(values["batch"]), "big")
        count = int(entry.plain["count"])
        row = {"entry_index": entry.index, "count": count, "reported_at": entry.at}
        self.tables.put("message_batch", (number,), row)

    def void(self, entry: Entry, values: Mapping[str, Any]) -> None:
        """`permits.voided`."""
        rows = sorted(PermitId.from_bytes(urlsafe_b64decode(one)).row for one in values["permits"])
        batch = int.from_bytes(urlsafe_b64decode(values["batch"]), "big")
        row = {"batch": batch, "row_numbers": rows, "voided_at": entry.at}
        self.tables.put("permit_void", (entry.index,), row)

    def stop(self, entry: Entry, values: Mapping[str, Any]) -> None:
        """`objection.recorded` without a contact: a link that was pressed after an erasure."""
        use = permit_use(entry.kind, values) if values["permit"] else None
        if use is not None:
            self.tables.put("link_use", use, {"entry_index": entry.index, "used_at": entry.at})

    def _content(self, values: Mapping[str, Any]) -> Any:
        sender = self.tables.of("sender").get((UUID(values["sender"]),))
        boxes = [
            self._box(UUID(purpose), UUID(wording))
            for purpose, wording in zip(values["purposes"], values["wordings"], strict=False)
        ]
        if sender is None or not boxes or any(box is None for box in boxes):
            return UNKNOWN
        pairs = (text.split(":", 1) for text in values["fields"])
        return {
            "sender": sender["identity"],
            "sender_version": sender["version"],
            "channel": boxes[0]["channel"] if boxes[0] else "",
            "fields": [{"name": name, "required": how == "required"} for name, how in pairs],
            "purposes": boxes,
            "origins": list(values["origins"]),
            "returns": list(values["returns"]),
            "text": list(values["text"]),
            "notice": list(values["notice"]),
        }

    def _box(self, purpose_id: UUID, wording_id: UUID) -> Row | None:
        purpose = self.tables.of("purpose").get((purpose_id,))
        wording = self.tables.of("wording").get((wording_id,))
        if purpose is None or wording is None or wording["content"] is UNKNOWN:
            return None
        titles, language = purpose["titles"], wording["language"]
        title = titles.get(language) or titles.get(language.split("-")[0])
        return {
            **wording["content"],
            "purpose_id": str(purpose_id),
            "wording_id": str(wording_id),
            "title": title or next(iter(titles.values())),
            "purpose_class": purpose["purpose_class"],
            "language": language,
        }


def _message_fields(values: Mapping[str, Any]) -> tuple[str, ...]:
    """Which fields of a batch's entry its row keeps as the message: the first edition named one pack."""
    return FIRST_MESSAGE_FIELDS if "pack" in values else MESSAGE_FIELDS


def _known(content: Row) -> Any:
    return UNKNOWN if any(value is UNKNOWN for value in content.values()) else content


def _pair(text: str) -> tuple[str, str]:
    tag, _, title = text.partition("=")
    return tag, title


def _blobs(entry: Entry, values: Mapping[str, Any]) -> tuple[Any, Any]:
    """Returns text and notice as stored, in the order of the draft that made the entry."""
    if len(entry.blobs) == 2 and len(values["text"]) == 4:
        return entry.blobs[0], entry.blobs[1]
    return UNKNOWN, UNKNOWN


def _channel(text: Any) -> Any:
    """Reads the channel out of a wording's text as shown, where it stands on a line of its own."""
    if isinstance(text, bytes):
        for line in reversed(text[32:].decode().split("\n")):
            if line.startswith("Channel: "):
                return line.removeprefix("Channel: ")
    return UNKNOWN


_TELLING: dict[str, Any] = {
    "organisation.changed": PublishedReplay.organisation,
    "sender.published": PublishedReplay.sender,
    "purpose.published": PublishedReplay.purpose,
    "wording.published": PublishedReplay.wording,
    "form.published": PublishedReplay.form,
    "configuration.changed": PublishedReplay.setting,
    "pack.adopted": PublishedReplay.pack,
    "categories.published": PublishedReplay.categories,
    "permits.issued": PublishedReplay.batch,
    "permits.voided": PublishedReplay.void,
    "message.sent": PublishedReplay.reports,
    "objection.recorded": PublishedReplay.stop,
}
