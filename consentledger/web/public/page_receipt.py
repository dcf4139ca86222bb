"""The view model of a receipt's page."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from consentledger.web.public.page_parts import SenderView


@dataclass(frozen=True, slots=True)
class ReceiptPage:
    """Leaf hash, index and proof of one entry; never what the entry says (mails are forwarded)."""

    template: ClassVar[str] = "public/receipt.html"
    language: str
    origin: str
    index: int
    leaf_hash: str
    checkpoint_size: int | None = None
    proof: str | None = None
    verifier_key: str | None = None
    download: str | None = None
    sender: SenderView | None = None
