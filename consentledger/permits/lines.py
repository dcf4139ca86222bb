"""Permit lines in bulk: the very bytes that ledger.permit makes one by one, at ten times its rate.

What all rows of a ruling share is encoded once; salts, ids and commitments go through base64 in one call
each. A test holds every line against `ledger.permit.permit_disclosure`.
"""

from __future__ import annotations

import hashlib
from binascii import b2a_base64
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple
from uuid import UUID

from consentledger.ledger import merkle
from consentledger.ledger.permit import HEADER
from consentledger.permits.links import permit_ids

_URL = bytes.maketrans(b"+/", b"-_")


class Row(NamedTuple):
    """One recipient of a batch as its row says it; `verdict` points into the batch's rulings.

    An erased row has no contact and no salt any more, only its line's hash.
    """

    contact_id: UUID | None
    verdict: int
    salt: bytes
    line_hash: bytes | None = None


@dataclass(frozen=True, slots=True)
class Lines:
    """A batch's lines: their disclosures, and their leaf hashes in the batch's own tree.

    The disclosure of an erased line is empty: only its hash is left.
    """

    disclosures: list[bytes]
    hashes: list[bytes]

    @property
    def root(self) -> bytes:
        """The RFC 9162 root over the batch's lines, as `p root` of its entry says."""
        return merkle.root_of(self.hashes)

    def patched(self, numbers: Sequence[int], others: Lines) -> Lines:
        """These lines with `others` in the rows `numbers`: under the head's lock, only those are made again."""
        disclosures, hashes = list(self.disclosures), list(self.hashes)
        for number, disclosure, digest in zip(
            numbers, others.disclosures, others.hashes, strict=True
        ):
            disclosures[number], hashes[number] = disclosure, digest
        return Lines(disclosures, hashes)


def build_lines(
    *,
    organisation_number: int,
    batch: int,
    ends: Sequence[str],
    rows: Sequence[Row],
    numbers: Sequence[int] | None = None,
    header: str = HEADER,
) -> Lines:
    """Makes a batch's lines from its rows, in order; the same at issue and whenever they are made again.

    `ends` are the ends of the disclosures, one per ruling (`Ruling.line_end`). `numbers` says which rows of the
    batch these are, if they are not all of them. `header` is that of the lines' version.
    """
    places = range(len(rows)) if numbers is None else numbers
    ids = permit_ids(organisation_number, batch, places)
    # 16 bytes and two zero ones give 24 characters, of which the first 22 are the salt's.
    salts = _base64(b"".join([row.salt + b"\0\0" for row in rows]))
    disclosures = []
    for position, (place, row, permit) in enumerate(zip(places, rows, ids, strict=True)):
        contact = f'"{row.contact_id}"' if row.contact_id else "null"
        salt = salts[24 * position : 24 * position + 22]
        text = f'["{salt}","permit",["{permit}",{place},{contact},{ends[row.verdict]}]'
        disclosures.append(
            b2a_base64(text.encode("ascii"), newline=False).translate(_URL).rstrip(b"=")
        )
    digests = b"".join([hashlib.sha256(d).digest() + b"\0" for d in disclosures])
    commitments = _base64(digests).encode("ascii")
    leaf = b"\x00" + header.encode("ascii") + b" "
    hashes = [
        hashlib.sha256(leaf + commitments[start : start + 43]).digest()
        for start in range(0, 44 * len(rows), 44)
    ]
    for position, row in enumerate(rows):
        if row.line_hash is not None:
            disclosures[position], hashes[position] = b"", row.line_hash
    return Lines(disclosures, hashes)


def _base64(data: bytes) -> str:
    return b2a_base64(data, newline=False).translate(_URL).decode("ascii")
