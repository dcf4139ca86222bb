"""What pages are made of: sender, wording, fields, proofs; see pages.py for the pages themselves."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

Scope = Literal["purpose", "sender", "organisation"]


@dataclass(frozen=True, slots=True)
class SenderView:
    """The identity that a recipient sees (2002/58/EC art. 13(4)); addresses have LF between lines."""

    name: str
    legal_name: str
    postal_address: str
    country: str
    contact_email: str
    contact_phone: str | None = None
    privacy_url: str | None = None
    stylesheet: str | None = None


@dataclass(frozen=True, slots=True)
class FieldError:
    """One thing to put right: `field` is the input's name, `message` a sentence for people."""

    field: str
    message: str


@dataclass(frozen=True, slots=True)
class WordingView:
    """One wording in full, in its own language, as recorded in the log."""

    title: str
    channel: str
    statement: str
    withdrawal: str
    controllers: tuple[str, ...]
    language: str
    notice_url: str | None = None
    notice_text: str | None = None


@dataclass(frozen=True, slots=True)
class PurposeBox:
    """A purpose with a box of its own; `ticked` only repeats what this person ticked before."""

    purpose_id: str
    wording: WordingView
    ticked: bool = False


@dataclass(frozen=True, slots=True)
class FieldView:
    """An input of a form besides the boxes (only `email` may be required)."""

    name: str
    required: bool
    value: str = ""


@dataclass(frozen=True, slots=True)
class ConfirmItem:
    """One pending purpose: its wording, who asked, when and from which page."""

    item_id: str
    wording: WordingView
    asked_at: datetime
    expires_at: datetime
    asked_by: str
    asked_on_page: str | None = None
    choice: str | None = None


@dataclass(frozen=True, slots=True)
class Proof:
    """The proof of a person's own act; leaf and disclosures appear once, to the press itself."""

    title: str
    index: int
    leaf_hash: str
    receipt_url: str
    at: datetime | None = None
    leaf: str | None = None
    disclosures: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """The leaf and its disclosures as lines, ready to copy."""
        return "\n".join(((self.leaf or "").rstrip("\n"), *self.disclosures))


@dataclass(frozen=True, slots=True)
class SenderChoice:
    """One line of the list on /stop."""

    value: str
    name: str
    legal_name: str
