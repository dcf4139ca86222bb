"""An external register in the log: what of it is hashed, and what one `register.imported` says.

An entry of a register is one text: a folded e-mail address, a whole domain as `@example.org`, a telephone number as
`+4312345`, or the hexadecimal digest of one of these where the register publishes digests only. What is stored of it
is HMAC-SHA-256(salt, text) with the register's own secret salt; the leaves of its tree are these hashes, sorted
bytewise, none twice (as ledger.absence says of labels). The salt is a committed field, told only in
evidence (docs/adr/0013).
"""

from __future__ import annotations

import hashlib
import hmac
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass

from consentledger.kernel.errors import VerificationError
from consentledger.ledger import merkle, strict
from consentledger.ledger.absence import Index

RULE = "register"
SALT_BYTES = 32
MATCHED = ("address", "sha1", "sha256", "sha512")
"""How a register tells its entries: in the clear, or as digests of that kind."""
DIGITS = {"sha1": 40, "sha256": 64, "sha512": 128}


def entry_hash(salt: bytes, text: str) -> bytes:
    """Returns what is stored of one entry of a register, 32 bytes."""
    return hmac.digest(salt, text.encode("utf-8"), "sha256")


def fold_stored(address: str) -> str:
    """Returns the text that an address as entries hold it (domain in A-labels) is matched by."""
    local, at, domain = address.rpartition("@")
    if not at:
        return address
    local = unicodedata.normalize("NFC", local)
    return f"{unicodedata.normalize('NFC', local.casefold())}@{domain.lower()}"


def texts_of(folded: str, matched: str) -> tuple[str, ...]:
    """Returns every text by which a register can list a folded address or number: itself, or its whole domain.

    Of registers that publish digests it is not known whether they digest a domain with or without the `@`: both.
    """
    domain = folded.rpartition("@")[2] if "@" in folded else ""
    if matched == "address":
        return (folded, f"@{domain}") if domain else (folded,)
    plain = (folded, f"@{domain}", domain) if domain else (folded,)
    return tuple(digest(one, matched) for one in plain)


def digest(text: str, matched: str) -> str:
    """Returns the hexadecimal digest of a text, as a register that publishes digests tells it."""
    return hashlib.new(matched, text.encode("utf-8"), usedforsecurity=False).hexdigest()


@dataclass(frozen=True, slots=True)
class Imported:
    """What one `register.imported` says: `count` entries of `register` as of an instant, under `root`."""

    register: str
    as_of: str
    matched: str
    salt: bytes
    count: int
    root: bytes

    @property
    def tree(self) -> Index:
        """The import's tree, for the proofs of ledger.absence."""
        return Index(0, max(self.count, 1), self.count, self.root)


def read_imported(values: Mapping[str, object], plain: Mapping[str, str]) -> Imported:
    """Reads a `register.imported` entry's fields and plain lines strictly."""
    count = strict.decimal(plain["count"], rule=RULE, what="count of a register.imported")
    root = strict.hex32(plain["root"], rule=RULE, what="root of a register.imported")
    if (count == 0) != (root == merkle.EMPTY_ROOT):
        raise VerificationError("a register.imported has the root of another count", rule=RULE)
    told = [values.get(name) for name in ("register", "as_of", "matched", "salt")]
    register, as_of, matched, salt = (one if isinstance(one, str) else "" for one in told)
    if not register or not as_of or matched not in MATCHED:
        raise VerificationError("a register.imported does not say what was imported", rule=RULE)
    key = strict.hex32(salt, rule=RULE, what="salt of a register.imported")
    return Imported(register, as_of, matched, key, count, root)
