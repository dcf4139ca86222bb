"""A command for CONSENTLEDGER_LOG_KEY_COMMAND: holds the log's key, so that the service does not.

    python3 signing_command.py KEYFILE public   prints the raw Ed25519 public key (32 bytes) in base64
    python3 signing_command.py KEYFILE sign     signs what comes on stdin, prints the signature (64 bytes) in base64

KEYFILE holds 32 bytes in base64url, as `consentledger secrets make` writes them. With a hardware module, the two
marked lines ask the module instead. The service adds the last word itself, and gives the command ten seconds.
"""

from __future__ import annotations

import base64
import sys
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey


def main(key_file: str, verb: str) -> None:
    """Answer one question on stdout."""
    key = Ed25519PrivateKey.from_private_bytes(
        base64.urlsafe_b64decode(Path(key_file).read_text().strip() + "=")
    )
    if verb == "public":
        answer = key.public_key().public_bytes_raw()  # ask the module for its public key here
    elif verb == "sign":
        answer = key.sign(sys.stdin.buffer.read())  # have the module sign these bytes here
    else:
        sys.exit(f"neither public nor sign: {verb}")
    sys.stdout.write(base64.b64encode(answer).decode("ascii") + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
