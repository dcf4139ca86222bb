"""Trust policies (c2sp.org/tlog-policy): which logs' keys count, and which witnesses."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from consentledger.kernel.errors import VerificationError
from consentledger.ledger import strict
from consentledger.ledger.note import Verifier

RULE = "c2sp.tlog-policy"
_ED25519, _COSIGNATURE, _COSIGNATURE_ML_DSA = 1, 4, 6


@dataclass(frozen=True, slots=True)
class Policy:
    """The logs' verifier keys; any one of them may have signed a checkpoint."""

    logs: tuple[Verifier, ...]

    def text(self) -> str:
        """Returns the policy as a file, without witnesses."""
        return "".join(f"log {log.vkey}\n" for log in self.logs) + "quorum none\n"


def make_policy(vkeys: Iterable[str]) -> Policy:
    """Makes a policy of logs without witnesses."""
    return Policy(tuple(Verifier.from_vkey(vkey) for vkey in vkeys))


def parse_policy(data: bytes | str) -> Policy:
    """Reads a policy; witness lines are checked, but only `quorum none` is supported for now."""
    raw = data.encode("utf-8", "surrogatepass") if isinstance(data, str) else data
    if any((byte < 0x20 and byte not in (0x09, 0x0A)) or byte == 0x7F for byte in raw):
        raise VerificationError("a policy holds a control character", rule=RULE)
    reader = _Reader()
    # Octets above 0x7F are opaque in the specification: latin-1 keeps each as it is.
    for line in raw.decode("latin-1").split("\n"):
        words = [word for word in line.replace("\t", " ").split(" ") if word]
        if words and not words[0].startswith("#"):
            reader.line(words)
    return reader.policy()


class _Reader:
    def __init__(self) -> None:
        self.logs: dict[str, Verifier] = {}
        self.witness_keys: set[str] = set()
        self.names: set[str] = set()
        self.members: set[str] = set()
        self.quorum: str | None = None

    def line(self, words: list[str]) -> None:
        word, *arguments = words
        handler = {
            "log": self._log,
            "witness": self._witness,
            "group": self._group,
            "quorum": self._quorum,
        }.get(word)
        if handler is None:
            raise VerificationError("a policy has a line of an unknown kind", rule=RULE)
        handler(arguments)

    def policy(self) -> Policy:
        if self.quorum is None:
            raise VerificationError("a policy has no quorum line", rule=RULE)
        if self.quorum != "none":
            raise VerificationError(
                f"the policy asks for cosignatures ({self.quorum}), which this version can't check:"
                " use a release that can, or a policy with `quorum none`",
                rule=RULE,
            )
        if not self.logs:
            raise VerificationError("a policy names no log", rule=RULE)
        return Policy(tuple(self.logs.values()))

    def _log(self, arguments: list[str]) -> None:
        if len(arguments) not in (1, 2):
            raise VerificationError("a log line is `log <vkey> [<url>]`", rule=RULE)
        verifier = Verifier.from_vkey(_utf8(arguments[0]))
        # The specification calls two names of one key duplicates as well; here one installation signs
        # many logs with one key, each under its own origin, so only the same line twice is a slip.
        if verifier.vkey in self.logs:
            raise VerificationError("a policy names the same log twice", rule=RULE)
        self.logs[verifier.vkey] = verifier

    def _witness(self, arguments: list[str]) -> None:
        if len(arguments) not in (2, 3):
            raise VerificationError("a witness line is `witness <name> <vkey> [<url>]`", rule=RULE)
        parts = _utf8(arguments[1]).split("+", 2)
        key = strict.base64_standard(parts[-1], rule=RULE, what="a witness's key")
        if len(parts) != 3 or key[:1] not in (bytes([_COSIGNATURE]), bytes([_COSIGNATURE_ML_DSA])):
            raise VerificationError("a witness's key is no cosignature key", rule=RULE)
        if parts[2] in self.witness_keys:
            raise VerificationError("a policy names the same witness key twice", rule=RULE)
        self.witness_keys.add(parts[2])
        self._define(arguments[0])

    def _group(self, arguments: list[str]) -> None:
        if len(arguments) < 3:
            raise VerificationError("a group line is `group <name> <k> <name>...`", rule=RULE)
        name, threshold, *members = arguments
        if threshold not in ("all", "any"):
            count = strict.decimal(threshold, rule=RULE, what="a group's threshold")
            if not 1 <= count <= len(members):
                raise VerificationError("a group's threshold can't be reached", rule=RULE)
        for member in members:
            if member not in self.names or member in self.members:
                raise VerificationError("a group's member is unknown or used twice", rule=RULE)
            self.members.add(member)
        self._define(name)

    def _quorum(self, arguments: list[str]) -> None:
        if len(arguments) != 1 or self.quorum is not None:
            raise VerificationError("a policy has exactly one line `quorum <name>`", rule=RULE)
        if arguments[0] != "none" and arguments[0] not in self.names:
            raise VerificationError("the quorum is not defined on an earlier line", rule=RULE)
        self.quorum = arguments[0]

    def _define(self, name: str) -> None:
        if name == "none" or name in self.names:
            raise VerificationError("a policy defines a name twice, or `none`", rule=RULE)
        self.names.add(name)


def _utf8(text: str) -> str:
    try:
        return text.encode("latin-1").decode("utf-8")
    except UnicodeDecodeError as error:
        raise VerificationError("a verifier key is not UTF-8", rule=RULE) from error
