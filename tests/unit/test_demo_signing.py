"""The demo's DKIM signature, against the example of RFC 8463 (appendix A)."""

from __future__ import annotations

from base64 import b64decode
from hashlib import sha256

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from consentledger.cli.demo.signing import signed
from consentledger.messages.reading import read
from consentledger.messages.signature import check_signature, tags

SEED = b64decode("nWGxne/9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A=")
PUBLIC = b64decode("11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=")
BODY_HASH = "2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8="
MESSAGE = (
    b"From: Joe SixPack <joe@football.example.com>\r\n"
    b"To: Suzie Q <suzie@shopping.example.net>\r\n"
    b"Subject: Is dinner\r\n  ready?\r\n"
    b"List-Unsubscribe: <https://football.example.com/u>\r\n"
    b"List-Unsubscribe-Post:   List-Unsubscribe=One-Click \r\n"
    b"\r\n"
    b"Hi.\r\n\r\nWe lost  the game. \t Are you hungry yet?\r\n\r\nJoe. \r\n\r\n\r\n"
)
# The header as section 3.4.2 of RFC 6376 makes it, written by hand.
RELAXED = (
    b"from:Joe SixPack <joe@football.example.com>\r\n"
    b"to:Suzie Q <suzie@shopping.example.net>\r\n"
    b"subject:Is dinner ready?\r\n"
    b"list-unsubscribe:<https://football.example.com/u>\r\n"
    b"list-unsubscribe-post:List-Unsubscribe=One-Click\r\n"
)


def test_the_signature_is_that_of_the_specification() -> None:
    key = Ed25519PrivateKey.from_private_bytes(SEED)
    assert key.public_key().public_bytes_raw() == PUBLIC
    made = signed(MESSAGE, "football.example.com", key)
    field, _, rest = made.partition(b"\r\n")
    assert rest == MESSAGE
    found = tags(field.removeprefix(b"DKIM-Signature:"))
    assert found["bh"] == BODY_HASH
    unsigned = field.partition(b" b=")[0].replace(b"DKIM-Signature: ", b"dkim-signature:") + b" b="
    key.public_key().verify(b64decode(found["b"]), sha256(RELAXED + unsigned).digest())
    [finding] = check_signature(read(made))
    assert finding.outcome == "pass"
