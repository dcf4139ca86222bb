"""A mail server's DKIM signature (RFC 6376, Ed25519 by RFC 8463), so that the demo's messages leave as they should.

The key lives as long as the process; the demo has no DNS that would publish it, and its post office asks for none.
"""

from __future__ import annotations

import re
from base64 import b64encode
from functools import cache
from hashlib import sha256

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

COVERED = (
    "from",
    "to",
    "subject",
    "date",
    "message-id",
    "list-unsubscribe",
    "list-unsubscribe-post",
)
_BLANKS = re.compile(rb"[ \t]+")


def signed(wire: bytes, domain: str, key: Ed25519PrivateKey | None = None) -> bytes:
    """Return a message (CRLF between lines) with a signature of `domain` before it, relaxed/relaxed."""
    head, _, body = wire.partition(b"\r\n\r\n")
    fields = dict(_relaxed(line) for line in re.split(rb"\r\n(?![ \t])", head))
    names = [name for name in COVERED if name.encode() in fields]
    digest = b64encode(sha256(_body(body)).digest()).decode()
    tags = (
        f"v=1; a=ed25519-sha256; c=relaxed/relaxed; d={domain}; s=demo; "
        f"h={':'.join(names)}; bh={digest}; b="
    )
    lines = [name.encode() + b":" + fields[name.encode()] + b"\r\n" for name in names]
    data = b"".join(lines) + b"dkim-signature:" + tags.encode()
    signature = b64encode((key or _key()).sign(sha256(data).digest())).decode()
    return f"DKIM-Signature: {tags}{signature}\r\n".encode() + wire


@cache
def _key() -> Ed25519PrivateKey:
    return Ed25519PrivateKey.generate()


def _relaxed(line: bytes) -> tuple[bytes, bytes]:
    """Section 3.4.2: the name in lower case, one blank between words, none around the value."""
    name, _, value = line.partition(b":")
    return name.strip().lower(), _BLANKS.sub(b" ", value.replace(b"\r\n", b"")).strip()


def _body(body: bytes) -> bytes:
    """Section 3.4.4: one blank between words, none at the ends of lines, no empty lines at the end."""
    lines = [_BLANKS.sub(b" ", line).rstrip(b" ") for line in body.split(b"\r\n")]
    while lines and not lines[-1]:
        lines.pop()
    return b"".join(line + b"\r\n" for line in lines)
