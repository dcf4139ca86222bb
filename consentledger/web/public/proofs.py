"""From a receipt of the verbs to the proof on a page."""

from __future__ import annotations

from consentledger.consents.commands import Receipt
from consentledger.web.public.pages import Proof
from consentledger.web.public.receipt import receipt_path


def proof(receipt: Receipt, organisation_number: int, title: str) -> Proof:
    """The proof of an act; `at`, leaf and disclosures only if the receipt has them (the press itself)."""
    fresh = receipt.leaf is not None
    return Proof(
        title=receipt.title or title,
        index=receipt.index,
        leaf_hash=receipt.leaf_hash.hex(),
        receipt_url=receipt_path(organisation_number, receipt.index),
        at=receipt.at if fresh else None,
        leaf=receipt.leaf.decode("ascii") if receipt.leaf is not None else None,
        disclosures=receipt.disclosures,
    )
