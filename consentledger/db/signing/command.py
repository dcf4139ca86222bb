"""A command that signs, so that a key may live in a hardware module: how it is run, and for how long.

`<command> public` prints the raw Ed25519 public key in base64, `<command> sign` reads the bytes on stdin and prints
the 64-byte signature in base64. No shell, no variable of ours, bounded time and output.
"""

from __future__ import annotations

import contextlib
import os
import selectors
import signal
import subprocess
import time
from collections.abc import Sequence
from typing import IO

from consentledger.kernel.errors import UnavailableError

SECONDS = 10.0
MOST = 4096
"""More bytes than this on stdout or stderr are no answer."""


class SigningCommand:
    """One command as words, never given to a shell."""

    def __init__(self, words: Sequence[str], *, seconds: float = SECONDS) -> None:
        self._words = list(words)
        self._seconds = seconds

    @property
    def name(self) -> str:
        """How messages call it: its first word only, since arguments may hold a PIN."""
        return f"the signing command {self._words[0]}"

    def run(self, verb: str, data: bytes) -> bytes:
        """Returns what the command printed; UnavailableError when it fails, prints too much or takes too long."""
        try:
            process = subprocess.Popen(
                [*self._words, verb],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                env=_environment(),
                cwd="/",
                start_new_session=True,  # so that whatever it starts ends with it
            )
        except OSError as error:
            raise UnavailableError(f"{self.name} does not start: {error.strerror}") from error
        with process:
            try:
                said, complaint = self._talk(process, verb, data)
                code = process.wait(timeout=1)
            except subprocess.TimeoutExpired as error:
                raise UnavailableError(f"{self.name} {verb} answers, but does not end") from error
            finally:
                _end(process)
        if code != 0:
            words = complaint.decode("utf-8", "replace").strip().splitlines()
            raise UnavailableError(
                f"{self.name} {verb} failed with exit code {code}"
                + (f": {words[-1]}" if words else "")
            )
        return said

    def _talk(
        self, process: subprocess.Popen[bytes], verb: str, data: bytes
    ) -> tuple[bytes, bytes]:
        if process.stdin is None or process.stdout is None or process.stderr is None:
            raise TypeError("all three are pipes")
        # A checkpoint is smaller than any pipe's buffer, so this never waits for a reader.
        with contextlib.suppress(BrokenPipeError):
            process.stdin.write(data)
            process.stdin.close()
        deadline = time.monotonic() + self._seconds
        heard = {process.stdout: bytearray(), process.stderr: bytearray()}
        with selectors.DefaultSelector() as selector:
            for pipe in heard:
                selector.register(pipe, selectors.EVENT_READ)
            while selector.get_map():
                ready = selector.select(max(0.0, deadline - time.monotonic()))
                if not ready:
                    raise UnavailableError(
                        f"{self.name} {verb} did not answer within {self._seconds:g} s"
                    )
                for key, _ in ready:
                    self._hear(selector, key.fileobj, heard)  # type: ignore[arg-type]
        return bytes(heard[process.stdout]), bytes(heard[process.stderr])

    def _hear(
        self,
        selector: selectors.BaseSelector,
        pipe: IO[bytes],
        heard: dict[IO[bytes], bytearray],
    ) -> None:
        piece = os.read(pipe.fileno(), MOST)
        heard[pipe] += piece
        if not piece:
            selector.unregister(pipe)
        if len(heard[pipe]) > MOST:
            raise UnavailableError(
                f"{self.name} prints more than {MOST} bytes: no key and no signature is so long"
            )


def _environment() -> dict[str, str]:
    # Nothing of ours: the command has no business with the other secrets.
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    return {"LC_ALL": "C", **kept}


def _end(process: subprocess.Popen[bytes]) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
