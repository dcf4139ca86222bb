"""What an API key is made of and may do: `cl_<key id, 32 hex>_<43 characters>`; only a hash is kept."""

from __future__ import annotations

import hashlib
import hmac
import re
from base64 import urlsafe_b64encode
from collections.abc import Iterable
from dataclasses import dataclass, field
from types import MappingProxyType
from uuid import UUID

from consentledger.kernel.errors import InputError, UnauthorisedError

SECRET_BYTES = 32
NAME_LENGTH = 100
# Each scope in a sentence: shown by `key create --help`, in the API's documentation, and nowhere else defined.
SCOPES = MappingProxyType(
    {
        "publish": "publish and list senders, purposes, wordings, forms and categories; adopt rule packs",
        "consents:write": "start a double opt-in on a person's behalf",
        "consents:read": "ask for the state of an address",
        "customers:write": "record sales and negotiations, and let records lapse",
        "customers:read": "ask what is recorded of a customer",
        "permits:write": "ask whether messages may go out, and get their links and headers",
        "permits:read": "read permits and ask which are dead by now",
        "sends:write": "report what became of permitted messages",
        "registers": "import external registers, and see how fresh they are",
        "stops:write": "record a withdrawal on a person's behalf",
        "erasures": "forget people, say how long to keep, place and release legal holds",
        "evidence:read": "take away evidence about an address",
        "webhooks": "add, test, rotate and delete webhooks",
    }
)
_TOKEN = re.compile(r"cl_([0-9a-f]{32})_([A-Za-z0-9_-]{43})\Z", re.ASCII)


@dataclass(frozen=True, slots=True)
class Credential:
    """A bearer key taken apart: which row it claims to be, and the secret that must fit."""

    key_id: UUID
    secret: str = field(repr=False)

    @property
    def text(self) -> str:
        """The key as its owner keeps it."""
        return f"cl_{self.key_id.hex}_{self.secret}"


def new_secret(random: bytes) -> str:
    """Writes 32 random bytes as 43 characters."""
    return urlsafe_b64encode(random).decode("ascii").rstrip("=")


def parse_key(text: str) -> Credential:
    """Reads a bearer key; anything else is UnauthorisedError, in the same words as a wrong one."""
    match = _TOKEN.match(text)
    if match is None:
        raise unauthorised()
    return Credential(UUID(match[1]), match[2])


def hash_secret(secret: str) -> bytes:
    """Returns SHA-256 of a secret. It has 256 random bits, so that a slow hash would add nothing."""
    return hashlib.sha256(secret.encode("ascii")).digest()


def fits(secret: str, secret_hash: bytes) -> bool:
    """Compares in constant time."""
    return hmac.compare_digest(hash_secret(secret), secret_hash)


def check_name(name: str) -> str:
    """Returns a key's name: one line that tells its owner where it is used."""
    found = name.strip()
    if not found or len(found) > NAME_LENGTH or not found.isprintable():
        raise InputError(
            f"name must be one line of 1 to {NAME_LENGTH} characters", field="name", reason="format"
        )
    return found


def check_scopes(scopes: Iterable[str]) -> tuple[str, ...]:
    """Returns the scopes, sorted and each once; an unknown one or none at all is an InputError."""
    wanted = sorted(set(scopes))
    unknown = [scope for scope in wanted if scope not in SCOPES]
    if unknown or not wanted:
        what = f"{unknown[0]!r} is no scope" if unknown else "a key needs a scope"
        raise InputError(
            f"scopes: {what}; there are {', '.join(SCOPES)}",
            field="scopes",
            reason="unknown" if unknown else "missing",
        )
    return tuple(wanted)


def unauthorised() -> UnauthorisedError:
    """The one answer to a key that is malformed, unknown, revoked or wrong."""
    return UnauthorisedError("no valid API key came with this request")
