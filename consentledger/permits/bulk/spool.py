"""A request's body put aside, whole, before anything is answered: many clients and proxies write before they read.

It lies in an unlinked temporary file, block by block under AES-256-GCM. The key is held in memory only, so what
stays on the disk after a crash opens for nobody. Writing hashes what is written.
"""

from __future__ import annotations

import hashlib
import os
import struct
import tempfile
from collections.abc import Iterator
from types import TracebackType
from typing import BinaryIO, cast

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from consentledger.kernel.errors import InputError, IntegrityError, UnavailableError

BLOCK = 256 * 1024
KEY_BYTES = 32
_LENGTH = struct.Struct(">I")


class Spool:
    """Bytes that are written once, then read in order as often as wanted; gone when closed.

    `limit` bounds the plain bytes: over it `write` raises InputError (`too_large`, HTTP 413). A disk without room
    is an UnavailableError.
    """

    def __init__(self, limit: int) -> None:
        self.size = 0
        self._limit = limit
        self._hash = hashlib.sha256()
        self._cipher = AESGCM(os.urandom(KEY_BYTES))
        self._blocks = 0
        self._waiting = bytearray()
        try:
            self._file = cast(BinaryIO, tempfile.TemporaryFile(prefix="consentledger-"))  # noqa: SIM115
        except OSError as error:
            raise _no_room() from error

    def __enter__(self) -> Spool:
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        self.close()

    @property
    def digest(self) -> bytes:
        """SHA-256 of all that was written."""
        return self._hash.digest()

    def write(self, content: bytes) -> None:
        """Adds bytes; nothing may be written once they are read."""
        self.size += len(content)
        if self.size > self._limit:
            raise InputError(
                f"the body is over the limit of {self._limit} bytes",
                field="body",
                reason="too_large",
            )
        self._hash.update(content)
        self._waiting += content
        while len(self._waiting) >= BLOCK:
            self._put(bytes(self._waiting[:BLOCK]))
            del self._waiting[:BLOCK]

    def blocks(self) -> Iterator[bytes]:
        """Reads everything from the beginning; IntegrityError when the file was changed meanwhile."""
        if self._waiting:
            self._put(bytes(self._waiting))
            self._waiting.clear()
        place = 0
        for number in range(self._blocks):
            # Not the file's own position: a second reader may be under way.
            head = os.pread(self._file.fileno(), _LENGTH.size, place)
            (length,) = _LENGTH.unpack(head)
            sealed = os.pread(self._file.fileno(), length, place + _LENGTH.size)
            place += _LENGTH.size + length
            try:
                yield self._cipher.decrypt(_nonce(number), sealed, None)
            except InvalidTag as error:
                raise IntegrityError("the spooled body was changed on the disk") from error

    def close(self) -> None:
        """Lets the file go; it has had no name since it was made."""
        self._file.close()

    def _put(self, block: bytes) -> None:
        sealed = self._cipher.encrypt(_nonce(self._blocks), block, None)
        try:
            self._file.write(_LENGTH.pack(len(sealed)) + sealed)
            self._file.flush()
        except OSError as error:
            raise _no_room() from error
        self._blocks += 1


def _nonce(number: int) -> bytes:
    # A counter: the key is this spool's own, and each block is sealed once.
    return number.to_bytes(12, "big")


def _no_room() -> UnavailableError:
    return UnavailableError("there is no room to put the request's body aside", retry_after=60)
