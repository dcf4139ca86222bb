"""Signed notes (c2sp.org/signed-note) with Ed25519 keys: sign, open, verifier keys."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from consentledger.kernel.errors import VerificationError
from consentledger.ledger import ed25519, strict

RULE = "c2sp.signed-note"
_ALGORITHM = b"\x01"  # Ed25519
_MAX_NOTE = 1_000_000
_MAX_SIGNATURES = 100
_DASH = "\u2014 "


def check_name(name: str) -> str:
    """Returns the key name if it is one: not empty, no white space, no plus sign, no control."""
    if not name or "+" in name or any(c.isspace() or not c.isprintable() for c in name):
        raise VerificationError("a key name is empty or holds a blank or a plus sign", rule=RULE)
    return name


def key_hash(name: str, public_key: bytes) -> bytes:
    """Returns the four bytes that tell keys of one name apart."""
    data = name.encode("utf-8") + b"\n" + _ALGORITHM + public_key
    return hashlib.sha256(data).digest()[:4]


@dataclass(frozen=True, slots=True)
class Verifier:
    """A key that checks signatures; made from a `vkey` string."""

    name: str
    public_key: bytes

    @classmethod
    def from_vkey(cls, vkey: str) -> Verifier:
        """Reads `<name>+<8 hex digits>+<base64 of 0x01 and the key>`; unsound keys are refused."""
        parts = vkey.split("+", 2)
        if len(parts) != 3:
            raise VerificationError("a verifier key has not three parts", rule=RULE)
        name, hash_text, data_text = parts
        check_name(name)
        data = strict.base64_standard(data_text, rule=RULE, what="a verifier key")
        if data[:1] != _ALGORITHM or len(data) != 33:
            raise VerificationError(f"the key of {name} is not an Ed25519 key", rule=RULE)
        if not ed25519.is_sound_point(data[1:]):
            raise VerificationError(f"the key of {name} is not a sound point", rule=RULE)
        if key_hash(name, data[1:]).hex() != hash_text:
            raise VerificationError(f"the key hash of {name} does not fit its key", rule=RULE)
        return cls(name, data[1:])

    @property
    def hash(self) -> bytes:
        """The four-byte key hash."""
        return key_hash(self.name, self.public_key)

    @property
    def vkey(self) -> str:
        """The key as text."""
        data = base64.b64encode(_ALGORITHM + self.public_key).decode("ascii")
        return f"{self.name}+{self.hash.hex()}+{data}"

    def check(self, text: str, signature: bytes) -> bool:
        """Tells whether the signature is this key's over the text."""
        return ed25519.verify(self.public_key, signature, text.encode("utf-8"))


class NoteSigner(Protocol):
    """Whatever signs notes under a name: a private key, or something that holds it elsewhere."""

    @property
    def verifier(self) -> Verifier:
        """The public half."""

    @property
    def name(self) -> str:
        """The key's name."""

    @property
    def vkey(self) -> str:
        """The verifier key as text."""

    def sign(self, text: str) -> str:
        """Returns the signature line, with its line feed."""


def signature_line(verifier: Verifier, signature: bytes) -> str:
    """Returns a note's line that carries this key's signature, with its line feed."""
    data = base64.b64encode(verifier.hash + signature).decode("ascii")
    return f"{_DASH}{verifier.name} {data}\n"


class Signer:
    """A private key under a name."""

    def __init__(self, name: str, private_key: Ed25519PrivateKey) -> None:
        check_name(name)
        self._private_key = private_key
        raw = private_key.public_key().public_bytes(
            serialization.Encoding.Raw, serialization.PublicFormat.Raw
        )
        self.verifier = Verifier(name, raw)

    @classmethod
    def from_seed(cls, name: str, seed: bytes) -> Signer:
        """Makes a signer from the 32-byte seed of RFC 8032."""
        return cls(name, Ed25519PrivateKey.from_private_bytes(seed))

    @property
    def name(self) -> str:
        """The key's name."""
        return self.verifier.name

    @property
    def vkey(self) -> str:
        """The verifier key as text."""
        return self.verifier.vkey

    def sign(self, text: str) -> str:
        """Returns the signature line, with its line feed."""
        return signature_line(self.verifier, self._private_key.sign(text.encode("utf-8")))


@dataclass(frozen=True, slots=True)
class OpenedNote:
    """A note with a verified signature; `verified` and `unknown` are (name, key hash)."""

    text: str
    verified: tuple[tuple[str, bytes], ...]
    unknown: tuple[tuple[str, bytes], ...]


def sign_note(text: str, signers: Iterable[NoteSigner]) -> str:
    """Returns the signed note; the text must end with a line feed and hold no control character."""
    strict.lines(text, rule=RULE, what="the text of a note", encoding="utf-8")
    return text + "\n" + "".join(signer.sign(text) for signer in signers)


def open_note(note: bytes | str, verifiers: Sequence[Verifier]) -> OpenedNote:
    """Checks a note: a wrong signature by a known key, or none by any, raises VerificationError."""
    text, signatures = split_note(note)
    known = {(verifier.name, verifier.hash): verifier for verifier in verifiers}
    verified: dict[tuple[str, bytes], None] = {}
    unknown: list[tuple[str, bytes]] = []
    for name, hash_, signature in signatures:
        verifier = known.get((name, hash_))
        if verifier is None:
            unknown.append((name, hash_))
        elif (name, hash_) not in verified:
            if not verifier.check(text, signature):
                raise VerificationError(f"the signature by {name} is wrong", rule=RULE)
            verified[name, hash_] = None
    if not verified:
        raise VerificationError("no signature by a known key", rule=RULE)
    return OpenedNote(text, tuple(verified), tuple(unknown))


def split_note(note: bytes | str) -> tuple[str, list[tuple[str, bytes, bytes]]]:
    """Returns a note's text and its signatures as (name, key hash, signature), unchecked."""
    if len(note) > _MAX_NOTE:
        raise VerificationError("a note is longer than a megabyte", rule=RULE)
    strict.lines(note, rule=RULE, what="a note", encoding="utf-8")
    whole = note if isinstance(note, str) else note.decode("utf-8")
    cut = whole.rfind("\n\n")
    if cut < 0 or not whole[cut + 2 :]:
        raise VerificationError("a note has no signatures", rule=RULE)
    text, block = whole[: cut + 1], whole[cut + 2 : -1].split("\n")
    if len(block) > _MAX_SIGNATURES:
        raise VerificationError(f"a note has more than {_MAX_SIGNATURES} signatures", rule=RULE)
    return text, [_signature(line) for line in block]


def _signature(line: str) -> tuple[str, bytes, bytes]:
    name, blank, data_text = line.removeprefix(_DASH).partition(" ")
    if not line.startswith(_DASH) or not blank:
        raise VerificationError("a signature line is malformed", rule=RULE)
    data = strict.base64_standard(data_text, rule=RULE, what="a signature")
    if len(data) < 5:
        raise VerificationError("a signature is too short", rule=RULE)
    return check_name(name), data[:4], data[4:]
