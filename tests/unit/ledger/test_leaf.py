"""Leaves and disclosures: what is built, and every lax parsing that must not get through."""

from __future__ import annotations

import base64
import hashlib
import json
import os

import pytest

from consentledger.kernel.errors import InputError, VerificationError
from consentledger.ledger import leaf as leaves
from consentledger.ledger import merkle
from consentledger.ledger.disclosure import Value, commit, make_disclosure, parse_disclosure
from consentledger.ledger.kinds import KINDS, kind
from consentledger.ledger.kinds.model import Field, make_kind, text

KEY = bytes(range(32))
AT = "2026-11-21T21:45:03.123456Z"


def withdrawal(**changes: Value) -> dict[str, Value]:
    values: dict[str, Value] = {
        "actor": "person",
        "at": AT,
        "software": "consentledger 0",
        "contact": "0194-contact",
        "address": "anna@example.org",
        "prev": None,
        "consent": "c1",
        "sender": "s1",
        "purpose": "p1",
        "channel": "email",
        "method": "one_click",
        "permit": None,
    }
    return values | changes


def built() -> leaves.BuiltLeaf:
    return leaves.build_leaf(kind("consent.withdrawn"), withdrawal(), label=leaves.label(KEY, 0))


def disclosure_of(raw: str) -> str:
    return base64.urlsafe_b64encode(raw.encode("utf-8", "surrogatepass")).rstrip(b"=").decode()


SALT = "A" * 43


def test_the_leaf_as_specified() -> None:
    leaf = built()
    lines = leaf.leaf.decode("ascii").split("\n")
    assert lines[:2] == ["consentledger/leaf/v1", "kind consent.withdrawn/1"]
    assert lines[2] == "s " + base64.urlsafe_b64encode(leaves.label(KEY, 0)).decode().rstrip("=")
    names = [line.split(" ")[1] for line in lines[3:-1]]
    assert lines[-1] == ""
    assert names == sorted(withdrawal())
    for name, disclosure in leaf.disclosures:
        digest = hashlib.sha256(disclosure.encode("ascii")).digest()
        line = f"c {name} {base64.urlsafe_b64encode(digest).decode().rstrip('=')}"
        assert line in lines
        salt, said, value = json.loads(base64.urlsafe_b64decode(disclosure + "=="))
        assert (said, value) == (name, withdrawal()[name])
        assert len(base64.urlsafe_b64decode(salt + "=")) == 32
    assert leaf.leaf_hash == hashlib.sha256(b"\x00" + leaf.leaf).digest()


def test_salts_are_fresh_per_field_and_per_entry() -> None:
    salts = [parse_disclosure(d)[0] for _ in range(3) for _, d in built().disclosures]
    assert len(set(salts)) == len(salts)


def test_known_answer_of_rfc_9901() -> None:
    known = "WyJfMjZiYzRMVC1hYzZxMktJNmNCVzVlcyIsICJmYW1pbHlfbmFtZSIsICJNw7ZiaXVzIl0"
    assert commit(known) == "X9yH0Ajrdm1Oij4tWso9UzzKJvPoDxwmuEcO3XAdRC0"
    with pytest.raises(VerificationError, match="canonical form"):
        parse_disclosure(known)  # it holds blanks, so it is not ours


def test_label_is_hmac_of_a_big_endian_counter() -> None:
    import hmac

    expected = hmac.new(KEY, bytes.fromhex("0000000000000102"), "sha256").digest()
    assert leaves.label(KEY, 258) == expected


def test_round_trip() -> None:
    leaf = built()
    parsed = leaves.parse_leaf(leaf.leaf)
    values = leaves.check_disclosures(parsed, [d for _, d in leaf.disclosures])
    assert values == withdrawal()
    leaves.check_schema(KINDS[parsed.kind_name, parsed.version], parsed, values)


@pytest.mark.parametrize(
    ("changes", "field", "reason"),
    [
        ({"method": None}, "method", "type"),
        ({"method": 1}, "method", "type"),
        ({"method": "\ud800"}, "method", "surrogate"),
        ({"prev": "AB" * 32}, "prev", "type"),
        ({"at": "2026-11-21T21:45:03Z"}, "at", "type"),
        ({"at": "٢026-11-21T21:45:03.123456Z"}, "at", "type"),
        ({"contact": None}, "contact", "missing"),
        ({"colour": "red"}, "colour", "unknown"),
    ],
)
def test_a_wrong_field_is_named(changes: dict[str, Value], field: str, reason: str) -> None:
    with pytest.raises(InputError) as caught:
        leaves.build_leaf(kind("consent.withdrawn"), withdrawal(**changes), label=bytes(32))
    assert (caught.value.field, caught.value.reason) == (field, reason)


@pytest.mark.parametrize("name", sorted(withdrawal()))
def test_a_missing_field_is_named(name: str) -> None:
    values = withdrawal()
    del values[name]
    with pytest.raises(InputError) as caught:
        leaves.build_leaf(kind("consent.withdrawn"), values, label=bytes(32))
    assert caught.value.field == name


@pytest.mark.parametrize(
    ("type_", "good", "bad"),
    [
        ("int", [0, -5, 2**53 - 1], [True, 2**53, -(2**53), 1.0, "1", None]),
        ("bool", [True, False], [1, 0, "true", None]),
        ("strs", [[], ["a", "b"], ("a",)], ["ab", [1], [None], [["a"]], None]),
        ("str", ["", "ä\u2028\x00\U0001f600"], [b"a", 1, None]),
        (
            "blob",
            [["sha256", "0" * 64, 3, "text/plain"]],
            [["sha512", "0" * 64, 3, "text/plain"], ["sha256", "0" * 64, -1, "text/plain"],
             ["sha256", "0" * 64, 3], ["sha256", "0" * 64, 3, 'text/"'], "x", None],
        ),
    ],
)  # fmt: skip
def test_types(type_: str, good: list[Value], bad: list[Value]) -> None:
    one = make_kind("test.typed", "One field.", Field("it", type_))  # type: ignore[arg-type]
    common: dict[str, Value] = {"actor": "x", "at": AT, "software": "y"}
    for value in good:
        leaf = leaves.build_leaf(one, common | {"it": value}, label=None)
        opened = leaves.check_disclosures(
            leaves.parse_leaf(leaf.leaf), [d for _, d in leaf.disclosures]
        )
        assert opened["it"] == (list(value) if isinstance(value, tuple) else value)
    for value in bad:
        with pytest.raises(InputError) as caught:
            leaves.build_leaf(one, common | {"it": value}, label=None)
        assert caught.value.field == "it"


def test_an_act_after_erasure_names_nobody() -> None:
    empty = withdrawal(contact=None, address=None, prev=None)
    leaf = leaves.build_leaf(kind("consent.withdrawn"), empty, label=None)
    assert b"\ns " not in leaf.leaf
    for name in ("contact", "address"):
        with pytest.raises(InputError) as caught:
            leaves.build_leaf(kind("consent.withdrawn"), empty | {name: "x"}, label=None)
        assert caught.value.field == name


def test_an_entry_without_contact_has_no_label() -> None:
    values: dict[str, Value] = {
        "actor": "x",
        "at": AT,
        "software": "y",
        "setting": "a",
        "value": None,
    }
    with pytest.raises(InputError) as caught:
        leaves.build_leaf(kind("configuration.changed"), values, label=bytes(32))
    assert caught.value.field == "label"


@pytest.mark.parametrize(
    "plain",
    [None, {"count": "1"}, {"count": "1", "root": "x", "more": "y"}, {"count": "1", "root": ""},
     {"count": "1", "root": "a\nb"}, {"count": "1", "root": "é"}, {"count": "1", "root": " a"}],
)  # fmt: skip
def test_wrong_plain_lines(plain: dict[str, str] | None) -> None:
    values = {f.name: None for f in kind("permits.issued").fields} | dict.fromkeys(
        ("actor", "software", "batch", "sender", "purpose", "channel", "class", "pack"), "x"
    )
    values |= {"pack_hash": "x", "at": AT, "valid_until": AT}
    with pytest.raises(InputError):
        leaves.build_leaf(kind("permits.issued"), values, label=None, plain=plain)


def test_too_long_a_leaf() -> None:
    wide = make_kind("test.wide", "Many fields.", *[text(f"f{i}") for i in range(1300)])
    values: dict[str, Value] = {f.name: "x" for f in wide.fields} | {"at": AT}
    with pytest.raises(InputError) as caught:
        leaves.build_leaf(wide, values, label=None)
    assert caught.value.reason == "too_long"


def mangled() -> list[tuple[str, bytes]]:
    good = built().leaf
    lines = good.split(b"\n")
    swapped = [*lines[:4], lines[5], lines[4], *lines[6:]]
    upper = lines[3].replace(b"c actor", b"c Actor")
    return [
        ("no line feed at the end", good[:-1]),
        ("CR LF", good.replace(b"\n", b"\r\n")),
        ("an empty line more", good + b"\n"),
        ("U+2028 as a line end", good.replace(b"\nc at", "\u2028c at".encode())),
        ("form feed", good.replace(b"\nc at", b"\x0cc at")),
        ("other header", good.replace(b"/v1\n", b"/v2\n", 1)),
        ("no kind", b"consentledger/leaf/v1\n"),
        ("empty", b""),
        ("version with a zero", good.replace(b"withdrawn/1", b"withdrawn/01")),
        ("version in Arabic digits", good.replace(b"withdrawn/1", "withdrawn/١".encode())),
        ("kind in capitals", good.replace(b"consent.withdrawn", b"Consent.withdrawn")),
        ("lines swapped", b"\n".join(swapped)),
        ("line doubled", b"\n".join([*lines[:4], lines[3], *lines[4:]])),
        ("name in capitals", b"\n".join([*lines[:3], upper, *lines[4:]])),
        ("two blanks", good.replace(b"c at ", b"c at  ")),
        ("label behind", b"\n".join([*lines[:2], *lines[3:-1], lines[2], b""])),
        ("label doubled", b"\n".join([*lines[:3], lines[2], *lines[3:]])),
        ("plain behind committed", good + b"p count 1\n"),
        ("short commitment", good.replace(lines[-2], lines[-2][:-1])),
        ("padded commitment", good.replace(lines[-2], lines[-2] + b"=")),
        ("unknown letter", good + b"x y z\n"),
        ("too long", good + b"c zz " + b"A" * 70_000 + b"\n"),
    ]


@pytest.mark.parametrize(("what", "data"), mangled(), ids=[what for what, _ in mangled()])
def test_a_mangled_leaf_is_refused(what: str, data: bytes) -> None:
    with pytest.raises(VerificationError) as caught:
        leaves.parse_leaf(data)
    assert caught.value.rule == "leaf"


def test_commitment_with_loose_bits_is_refused() -> None:
    # 43 characters hold 258 bits: the last two must be zero, or one hash had several spellings.
    lines = built().leaf.split(b"\n")
    last = lines[-2]
    loose = chr(ord(last[-1:].decode()) + 1).encode()
    if loose not in b"BCDFGHJKLNOPRSTVWXZabdefhijlmnpqrtuvxyz12356790":
        loose = b"B"
    with pytest.raises(VerificationError):
        leaves.parse_leaf(b"\n".join([*lines[:-2], last[:-1] + loose, b""]))


@pytest.mark.parametrize(
    "raw",
    [
        f'["{SALT}", "at","x"]',
        f'["{SALT}","at",1.0]',
        f'["{SALT}","at",1e400]',
        f'["{SALT}","at",NaN]',
        f'["{SALT}","at",Infinity]',
        f'["{SALT}","at",-0]',
        f'["{SALT}","at",01]',
        f'["{SALT}","at",9007199254740993]',
        f'["{SALT}","at",{2**53}]',
        f'["{SALT}","at",{"9" * 5000}]',
        f'["{SALT}","at","\\ud800"]',
        f'["{SALT}","at","\\u0061"]',
        f'["{SALT}","at","\\/"]',
        f'["{SALT}","at",{{}}]',
        f'["{SALT}","at",{{"a":1,"a":2}}]',
        f'["{SALT}","at",[[1]]]',
        f'["{SALT}","at",[1.5]]',
        f'["{SALT}","at"]',
        f'["{SALT}","at",1,2]',
        f'["{SALT}","At",1]',
        f'["{SALT}","",1]',
        f'["{SALT}",1,1]',
        '[1,"at",1]',
        '["AAAA","at",1]',
        f'["{SALT[:-1]}B","at",1]',
        f'{{"{SALT}":1}}',
        "[" * 100_000,
        "[" * 1000 + "]" * 1000,
        "",
        "null",
        "\ufeff[]",
        f'["{SALT}","at",1]\n',
    ],
    ids=range(32),
)
def test_a_lax_disclosure_is_refused(raw: str) -> None:
    with pytest.raises(VerificationError) as caught:
        parse_disclosure(disclosure_of(raw))
    assert caught.value.rule == "disclosure"


@pytest.mark.parametrize("form", ["{}=", "{}==", "{}\n", " {}", "{}A", "{}*", "é{}"])
def test_a_lax_base64_is_refused(form: str) -> None:
    good = make_disclosure(bytes(32), "at", 1)
    assert parse_disclosure(good) == (bytes(32), "at", 1)
    with pytest.raises(VerificationError):
        parse_disclosure(form.format(good))


def test_a_disclosure_may_not_answer_for_another_name() -> None:
    first, second = built(), built()
    parsed = leaves.parse_leaf(first.leaf)
    ours, theirs = dict(first.disclosures), dict(second.disclosures)
    with pytest.raises(VerificationError, match="does not fit its commitment"):
        leaves.check_disclosures(parsed, [theirs["at"]])
    with pytest.raises(VerificationError, match="twice"):
        leaves.check_disclosures(parsed, [ours["at"], ours["at"]])
    foreign = make_disclosure(os.urandom(32), "colour", "red")
    with pytest.raises(VerificationError, match="no such field"):
        leaves.check_disclosures(parsed, [foreign])


def test_swapping_two_values_of_one_leaf_is_seen() -> None:
    # SD-JWT's unnamed set would let `sender` and `purpose` change places.
    leaf = built()
    by_name = dict(leaf.disclosures)
    text_ = leaf.leaf.decode()
    one, two = commit(by_name["purpose"]), commit(by_name["sender"])
    swapped = text_.replace(one, "!").replace(two, one).replace("!", two).encode()
    with pytest.raises(VerificationError, match="does not fit"):
        leaves.check_disclosures(leaves.parse_leaf(swapped), [by_name["purpose"]])


def test_schema_is_checked() -> None:
    leaf = built()
    parsed = leaves.parse_leaf(leaf.leaf)
    with pytest.raises(VerificationError, match="fields are not those"):
        leaves.check_schema(kind("consent.expired"), parsed, {})
    with pytest.raises(VerificationError, match="method must be text"):
        leaves.check_schema(kind("consent.withdrawn"), parsed, {"method": 7})


def test_blobs() -> None:
    salt, content = os.urandom(32), b"<p>wording</p>"
    value = leaves.blob_value(salt, content, "text/html")
    assert value == ["sha256", hashlib.sha256(salt + content).hexdigest(), 14, "text/html"]
    assert leaves.check_blob(value, salt + content) == content
    for stored in (salt + content + b"x", salt + b"<p>Wording</p>", content, b""):
        with pytest.raises(VerificationError) as caught:
            leaves.check_blob(value, stored)
        assert caught.value.rule == "blob"
    with pytest.raises(VerificationError):
        leaves.check_blob("text", salt + content)
    with pytest.raises(ValueError, match="32 bytes"):
        leaves.blob_value(b"short", content, "text/html")


def test_every_kind_can_be_built_and_read() -> None:
    samples: dict[str, Value] = {
        "str": "x", "time": AT, "hash": "0" * 64, "int": 1, "bool": True, "strs": ["a"],
        "blob": ["sha256", "0" * 64, 1, "text/plain"],
    }  # fmt: skip
    for one in KINDS.values():
        values = {f.name: samples[f.type] for f in one.fields}
        plain = dict.fromkeys(one.plain, "x y") or None
        mark = bytes(32) if one.contact else None
        leaf = leaves.build_leaf(one, values, label=mark, plain=plain)
        parsed = leaves.parse_leaf(leaf.leaf)
        opened = leaves.check_disclosures(parsed, [d for _, d in leaf.disclosures])
        leaves.check_schema(one, parsed, opened)
        assert opened == values
        assert merkle.leaf_hash(leaf.leaf) == leaf.leaf_hash
        assert one.doc.endswith(".")
