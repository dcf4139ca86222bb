"""Leaves: the stored, hashed and served bytes of an entry, with named commitments."""

from __future__ import annotations

import hashlib
import hmac
import os
import re
from binascii import b2a_base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from consentledger.kernel.errors import InputError, VerificationError
from consentledger.ledger import merkle, strict
from consentledger.ledger.disclosure import (
    LAST_OF_32,
    NAME,
    URL_ALPHABET,
    Scalar,
    Value,
    commit,
    make_disclosure,
    parse_disclosure,
    read_disclosure,
    url64,
)
from consentledger.ledger.kinds.model import Kind
from consentledger.ledger.schema import Encoders, check_value, encoder_of

__all__ = [
    "BuiltLeaf",
    "ParsedLeaf",
    "blob_value",
    "build_leaf",
    "check_blob",
    "check_disclosures",
    "commit",
    "label",
    "make_disclosure",
    "parse_disclosure",
    "parse_leaf",
]

HEADER = "consentledger/leaf/v1"
MAX_LEAF = 65_535
RULE = "leaf"
_sha256 = hashlib.sha256
_KIND = re.compile(r"([a-z][a-z_]*(?:\.[a-z][a-z_]*)+)/([1-9][0-9]{0,3})\Z", re.ASCII)
_COMMITTED = re.compile(
    rf"c ([a-z][a-z0-9_]{{0,63}}) ([A-Za-z0-9_-]{{42}}[{LAST_OF_32}])\Z", re.ASCII
)
_PLAIN = re.compile(r"[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?\Z", re.ASCII)


class BuiltLeaf(NamedTuple):
    """A leaf ready to append; `joined` are its disclosures in the leaf's order, LF between them."""

    leaf: bytes
    leaf_hash: bytes
    kind: Kind
    joined: bytes

    @property
    def disclosures(self) -> tuple[tuple[str, str], ...]:
        """The disclosures as (name, disclosure); made when asked for, since most are only sealed."""
        return tuple(zip(self.kind.by_name, self.joined.decode("ascii").split("\n"), strict=True))


@dataclass(frozen=True, slots=True)
class ParsedLeaf:
    """What a leaf says in the clear; `label` is 32 bytes or None, `commitments` by field name."""

    kind_name: str
    version: int
    label: bytes | None
    plain: dict[str, str]
    commitments: dict[str, str]


def label(label_key: bytes, n: int) -> bytes:
    """Returns HMAC-SHA-256(L_c, uint64be(n)), the label of a contact's n-th entry."""
    return hmac.digest(label_key, n.to_bytes(8, "big"), "sha256")


def build_leaf(
    kind: Kind,
    values: Mapping[str, Value],
    *,
    label: bytes | None,
    plain: Mapping[str, str] | None = None,
) -> BuiltLeaf:
    """Builds a leaf: checks the schema completely, draws fresh salts, commits every field.

    A missing, unknown or wrong field raises InputError that names it. A contact kind without a
    label is an act after an erasure: its contact, address and prev must be null.
    """
    encoders = encoder_of(kind)
    odd = (label is None) == kind.contact or (kind.contact and values.get("contact") is None)
    if odd or len(values) != len(encoders):
        _check_shape(kind, values, label)
    joined = _disclose(kind, encoders, values)
    digests = [_sha256(disclosure).digest() for disclosure in joined.split(b"\n")]
    commitments = _grouped(digests)
    parts = [f"{HEADER}\nkind {kind.name}/{kind.version}\n"]
    if label is not None:
        parts.append(f"s {url64(label).decode('ascii')}\n")
    if kind.plain or plain:
        parts.append(_plain_lines(kind, plain or {}))
    position = 0
    for name, _, _ in encoders:
        parts.append(f"c {name} {commitments[position : position + 43]}\n")
        position += 44
    data = "".join(parts).encode("ascii")
    if len(data) > MAX_LEAF:
        raise InputError(f"a leaf is longer than {MAX_LEAF} bytes", field="leaf", reason="too_long")
    return BuiltLeaf(data, merkle.leaf_hash(data), kind, joined)


def _disclose(kind: Kind, encoders: Encoders, values: Mapping[str, Value]) -> bytes:
    count = len(encoders)
    random = os.urandom(32 * count)
    # One base64 call for all salts: 32 bytes and a zero byte give 43 characters and a filler.
    salts = _grouped([random[i : i + 32] for i in range(0, 32 * count, 32)])
    encoded = []
    position = 0
    for name, middle, encode in encoders:
        try:
            value = values[name]
        except KeyError:
            raise _missing(kind, name) from None
        text = f'["{salts[position : position + 43]}{middle}{encode(value)}]'
        encoded.append(b2a_base64(_utf8(text, name), newline=False))
        position += 44
    # The URL alphabet and the missing padding for all of them at once: neither touches a line's end.
    return b"\n".join(encoded).translate(URL_ALPHABET).replace(b"=", b"")


def _grouped(chunks: list[bytes]) -> str:
    """base64url of 32-byte chunks, 44 characters each, of which the first 43 count."""
    return url64(b"\x00".join([*chunks, b""])).decode("ascii")


def _utf8(text: str, name: str) -> bytes:
    try:
        return text.encode("utf-8")
    except UnicodeEncodeError as error:
        raise InputError(
            f"{name} holds half a character", field=name, reason="surrogate"
        ) from error


def _missing(kind: Kind, name: str) -> InputError:
    return InputError(f"{kind.id} needs the field {name}", field=name, reason="missing")


def _check_shape(kind: Kind, values: Mapping[str, Value], label: bytes | None) -> None:
    for name in values:
        if name not in kind.by_name:
            raise InputError(f"{kind.id} has no field {name}", field=name, reason="unknown")
    for field in kind.fields:
        if field.name not in values:
            raise _missing(kind, field.name)
    if label is not None and not kind.contact:
        raise InputError(f"{kind.id} carries no label", field="label", reason="unknown")
    if label is not None and values["contact"] is None:
        raise InputError(
            f"{kind.id} with a label needs its contact", field="contact", reason="missing"
        )
    if label is None and kind.contact:
        for name in ("contact", "address", "prev"):
            if values[name] is not None:
                raise InputError(
                    f"{kind.id} without a label must not hold {name}", field=name, reason="no_label"
                )


def _plain_lines(kind: Kind, plain: Mapping[str, str]) -> str:
    if set(plain) != set(kind.plain):
        wrong = sorted(set(plain) ^ set(kind.plain))[0]
        raise InputError(f"{kind.id}: wrong plain line {wrong}", field=wrong, reason="plain")
    for name, value in plain.items():
        if _PLAIN.match(value) is None:
            raise InputError(
                f"the plain line {name} is not plain ASCII", field=name, reason="not_ascii"
            )
    return "".join(f"p {name} {plain[name]}\n" for name in kind.plain)


def parse_leaf(data: bytes) -> ParsedLeaf:
    """Reads a leaf's bytes strictly (line order, sorting, alphabets, lengths); knows no schema."""
    if len(data) > MAX_LEAF:
        raise VerificationError(f"a leaf is longer than {MAX_LEAF} bytes", rule=RULE)
    lines = strict.lines(data, rule=RULE, what="a leaf")
    if lines[0] != HEADER or len(lines) < 2 or not lines[1].startswith("kind "):
        raise VerificationError("a leaf does not start with its header and kind", rule=RULE)
    match = _KIND.match(lines[1][5:])
    if match is None:
        raise VerificationError("a leaf's kind is malformed", rule=RULE)
    position, found = 2, None
    if len(lines) > 2 and lines[2].startswith("s "):
        found = strict.base64_url(lines[2][2:], rule=RULE, what="the label", length=32)
        position = 3
    plain, commitments = _sections(lines[position:])
    return ParsedLeaf(match[1], int(match[2]), found, plain, commitments)


def _sections(lines: list[str]) -> tuple[dict[str, str], dict[str, str]]:
    """The `p` lines, then the `c` lines, each sorted by name and none twice."""
    plain: dict[str, str] = {}
    commitments: dict[str, str] = {}
    position, last = 0, ""
    while position < len(lines) and lines[position].startswith("p "):
        name, _, value = lines[position][2:].partition(" ")
        if NAME.match(name) is None or _PLAIN.match(value) is None:
            raise VerificationError("a plain line of a leaf is malformed", rule=RULE)
        last = _after(last, name)
        plain[name] = value
        position += 1
    last = ""
    for line in lines[position:]:
        match = _COMMITTED.match(line)
        if match is None:
            raise VerificationError("a line of a leaf is malformed", rule=RULE)
        name, commitment = match.groups()
        last = _after(last, name)
        commitments[name] = commitment
    if plain.keys() & commitments.keys():
        raise VerificationError("a name is both plain and committed", rule=RULE)
    return plain, commitments


def _after(last: str, name: str) -> str:
    if name <= last:
        raise VerificationError("a leaf's lines are not sorted, or double", rule=RULE)
    return name


def check_disclosures(parsed: ParsedLeaf, disclosures: Sequence[str]) -> dict[str, Value]:
    """Returns the values that the disclosures open; each must fit its own name's commitment."""
    values: dict[str, Value] = {}
    try:
        encoded = [disclosure.encode("ascii") for disclosure in disclosures]
    except UnicodeEncodeError as error:
        raise VerificationError("a disclosure is not ASCII", rule="disclosure") from error
    made = _grouped([hashlib.sha256(data).digest() for data in encoded])
    position = 0
    for data in encoded:
        name, value = read_disclosure(data)
        commitment = parsed.commitments.get(name)
        if commitment is None:
            raise VerificationError(
                f"{name} is disclosed, but the leaf has no such field", rule="disclosure"
            )
        if name in values:
            raise VerificationError(f"{name} is disclosed twice", rule="disclosure")
        if made[position : position + 43] != commitment:
            raise VerificationError(
                f"the disclosure of {name} does not fit its commitment", rule="disclosure"
            )
        values[name] = value
        position += 44
    return values


def check_schema(kind: Kind, parsed: ParsedLeaf, values: Mapping[str, Value]) -> None:
    """Checks that a leaf has exactly its kind's lines and that opened values have their types."""
    if set(parsed.commitments) != set(kind.by_name):
        raise VerificationError(f"the fields are not those of {kind.id}", rule="schema")
    if set(parsed.plain) != set(kind.plain):
        raise VerificationError(f"the plain lines are not those of {kind.id}", rule="schema")
    if parsed.label is not None and not kind.contact:
        raise VerificationError(f"{kind.id} carries no label", rule="schema")
    for name, value in values.items():
        try:
            check_value(kind.by_name[name], value)
        except InputError as error:
            raise VerificationError(str(error), rule="schema") from error


def blob_value(salt: bytes, content: bytes, media_type: str) -> list[Scalar]:
    """Returns a blob field's value: ["sha256", hash of salt and content, length, media type]."""
    if len(salt) != 32:
        raise ValueError("a blob's salt is 32 bytes long")
    return ["sha256", hashlib.sha256(salt + content).hexdigest(), len(content), media_type]


def check_blob(value: Value, stored: bytes) -> bytes:
    """Returns the content of a stored blob (32 salt bytes, content) if it fits the value."""
    if not isinstance(value, list | tuple) or len(value) != 4 or value[0] != "sha256":
        raise VerificationError("the value is no blob", rule="blob")
    content = stored[32:]
    if len(stored) < 32 or len(content) != value[2]:
        raise VerificationError("a blob has another length than committed", rule="blob")
    if hashlib.sha256(stored).hexdigest() != value[1]:
        raise VerificationError("a blob does not fit its hash", rule="blob")
    return content
