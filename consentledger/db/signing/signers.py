"""Who signs the checkpoints of this installation: the keys of LOG_KEY, and commands whose keys are elsewhere.

Every key that is listed signs every checkpoint, so that an overlap needs nothing but two keys in the list; notes carry
several signatures under one name, told apart by the key's hash (C2SP signed-note).
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from functools import lru_cache
from threading import Lock
from time import monotonic

from consentledger.db.signing.command import SigningCommand
from consentledger.kernel.errors import ConfigurationError, UnavailableError
from consentledger.kernel.secrets import PREFIX, Secrets
from consentledger.ledger import ed25519
from consentledger.ledger.bundle import evidence_signer
from consentledger.ledger.note import NoteSigner, Signer, Verifier, signature_line

SIGNATURE_BYTES = 64


class CommandKey:
    """A key behind a command; its public half is asked for once, when it is first needed.

    After a failure nobody asks again for `pause` seconds: else every thread of the web would wait for a module that
    hangs, one after the other.
    """

    def __init__(self, words: Sequence[str], *, pause: float = 5.0) -> None:
        self._command = SigningCommand(words)
        self._pause = pause
        self._lock = Lock()
        self._public: bytes | None = None
        self._failure = ""
        self._again_at = 0.0

    def public(self) -> bytes:
        """Returns the raw public key, 32 bytes; UnavailableError when the command gives none."""
        with self._lock:
            if self._public is None:
                if monotonic() < self._again_at:
                    raise UnavailableError(self._failure)
                try:
                    self._public = self._ask()
                except UnavailableError as error:
                    self._failure, self._again_at = str(error), monotonic() + self._pause
                    raise
            return self._public

    def _ask(self) -> bytes:
        found = self._answer("public", b"")
        if len(found) != 32 or not ed25519.is_sound_point(found):
            raise UnavailableError(f"{self._command.name} public prints no Ed25519 key")
        return found

    def sign(self, text: str) -> bytes:
        """Returns the signature over the text, 64 bytes, checked against the public key before anybody uses it."""
        public, data = self.public(), text.encode("utf-8")
        signature = self._answer("sign", data)
        if len(signature) != SIGNATURE_BYTES or not ed25519.verify(public, signature, data):
            raise UnavailableError(
                f"the signature of {self._command.name} does not verify under its own public key: it was not used"
            )
        return signature

    def _answer(self, verb: str, data: bytes) -> bytes:
        try:
            return base64.b64decode(self._command.run(verb, data).strip(), validate=True)
        except (binascii.Error, ValueError) as error:
            raise UnavailableError(f"{self._command.name} {verb} prints no base64") from error


class CommandSigner:
    """A command's key under a log's name."""

    def __init__(self, name: str, key: CommandKey) -> None:
        self._key = key
        self.verifier = Verifier(name, key.public())

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
        return signature_line(self.verifier, self._key.sign(text))


class LogSigners:
    """All signing keys of one installation, oldest first; the newest one is what a log must name."""

    def __init__(self, seeds: Sequence[bytes], commands: Sequence[Sequence[str]] = ()) -> None:
        self._seeds = tuple(seeds)
        self._commands = tuple(CommandKey(words) for words in commands)

    def ready(self) -> None:
        """Asks the commands for their keys, if nobody has yet: better before a transaction than in one."""
        for key in self._commands:
            key.public()

    def signers(self, origin: str) -> list[NoteSigner]:
        """Returns the signers of one log, newest last; UnavailableError when a command does not answer."""
        own: list[NoteSigner] = [Signer.from_seed(origin, seed) for seed in self._seeds]
        return own + [CommandSigner(origin, key) for key in self._commands]

    def verifiers(self, origin: str) -> list[Verifier]:
        """Returns what checks their signatures, newest first."""
        return [signer.verifier for signer in reversed(self.signers(origin))]

    def vkeys(self, origin: str) -> list[str]:
        """Returns the verifier keys as text, newest first."""
        return [verifier.vkey for verifier in self.verifiers(origin)]

    def vkey(self, origin: str) -> str:
        """Returns the newest verifier key: the one that a log has to name."""
        return self.vkeys(origin)[0]


@lru_cache(maxsize=8)
def log_signers(secrets: Secrets) -> LogSigners:
    """Returns the signers of these secrets; the same ones each time, so that a command tells its key once."""
    return LogSigners(secrets.log_keys, secrets.log_commands)


def newest_evidence_vkey(secrets: Secrets, origin: str) -> str:
    """Returns the verifier key of the newest EVIDENCE_KEY for one log."""
    return evidence_signer(origin, secrets.evidence_keys[-1]).vkey


def named_evidence_signer(secrets: Secrets, origin: str, named: str | None) -> Signer:
    """Returns the signer of bundles whose key the log names; None: the log names no keys, the newest signs.

    ConfigurationError when EVIDENCE_KEY does not hold it.
    """
    signers = [evidence_signer(origin, seed) for seed in reversed(secrets.evidence_keys)]
    found = signers[0] if named is None else next((s for s in signers if s.vkey == named), None)
    if found is None:
        raise ConfigurationError(
            f"{PREFIX}EVIDENCE_KEY does not hold the key that {origin} names for its bundles. Restart this process "
            "if the key was rotated; else add the key again, or run `consentledger log rotate-key`."
        )
    return found
