"""Bundles checked by software that is not ours: proofbundle, pymerkle, and the standard library alone.

Nothing of consentledger reads the bundle here; it only makes it. proofbundle checks the checkpoint's
signature and each inclusion proof as C2SP formats; pymerkle, from the numbers alone, the inclusion;
the standard library with `cryptography` walks the steps of the bundle's own README.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import io
import itertools
import json
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from proofbundle import verify_consistency as theirs_consistency
from proofbundle import verify_tlog_proof
from proofbundle.checkpoint import verify_checkpoint
from pymerkle.core import _inclusion_path_layout
from pymerkle.proof import InclusionProof, InvalidProof

from consentledger.db.installation import Installation
from consentledger.evidence.readme import readme
from consentledger.ledger.checkpoint import Checkpoint
from tests.factories import create_published_form
from tests.support.evidence import Path
from tests.unit.verify.bundles import journey
from tests.unit.verify.memory import Contact


@dataclass(frozen=True)
class Taken:
    """What an auditor has in hand: the bundle's files, and the log's key from somewhere else."""

    files: dict[str, bytes]
    vkey: str
    origin: str

    def proofs(self) -> Iterator[tuple[int, str, bytes]]:
        for name, data in sorted(self.files.items()):
            if name.endswith(".tlog-proof"):
                text = data.decode()
                extra = next(x for x in text.split("\n") if x.startswith("extra "))
                index = int(name.rpartition("/")[2].removesuffix(".tlog-proof"))
                yield index, text, base64.b64decode(extra.removeprefix("extra "))


def take(data: bytes, policy: bytes) -> Taken:
    with zipfile.ZipFile(io.BytesIO(data)) as opened:
        files = {name: opened.read(name) for name in opened.namelist()}
    vkey = policy.decode().split("\n")[0].removeprefix("log ")
    return Taken(files, vkey, vkey.split("+")[0])


@pytest.fixture(scope="module")
def made() -> Taken:
    """A log in memory that holds every turn of the main path."""
    log, anna, _, _ = journey()
    tail = log.object(Contact("carl"))
    return take(log.bundle([anna], tail=[tail]), log.policy())


@pytest.fixture
def exported(installation: Installation) -> Taken:
    """What the service really writes, on each engine."""
    path = Path(installation, create_published_form(installation.database, installation.settings))
    link = path.decide(path.request())
    assert link
    path.press(link)
    path.leave(path.permit())
    path.permit()
    data, _ = path.export()
    return take(data, path.policy())


def check_with_proofbundle(taken: Taken) -> None:
    note = taken.files["checkpoint"].decode()
    assert verify_checkpoint(note, taken.vkey)["ok"]
    count = 0
    for index, text, leaf in taken.proofs():
        verdict = verify_tlog_proof(text, leaf, taken.vkey, expected_origin=taken.origin)
        assert verdict["ok"], verdict
        assert (verdict["log_ok"], verdict["inclusion_ok"]) == (True, True)
        assert verdict["index"] == index
        count += 1
    assert count >= 10


def test_proofbundle_accepts_what_the_service_exports(exported: Taken) -> None:
    check_with_proofbundle(exported)


def test_proofbundle_accepts_checkpoint_and_every_proof(made: Taken) -> None:
    check_with_proofbundle(made)


def test_proofbundle_refuses_what_is_not_so(made: Taken) -> None:
    proofs = list(made.proofs())
    other = journey()[0].signer.vkey.replace("shop.example", "else.example")
    for (_, text, leaf), (_, _, wrong_leaf) in itertools.pairwise(proofs):
        assert not verify_tlog_proof(text, wrong_leaf, made.vkey)["ok"]
        assert not verify_tlog_proof(text, leaf + b"x", made.vkey)["ok"]
        assert not verify_tlog_proof(text, leaf, made.vkey, expected_origin="else")["ok"]
        with_other_key = verify_tlog_proof(text, leaf, other)
        assert not with_other_key["ok"]


def numbers(text: str) -> tuple[int, int, bytes, list[bytes]]:
    """(index, size, root, path) of a proof, read by hand."""
    head, _, note = text.partition("\n\n")
    lines = [line for line in head.split("\n")[1:] if not line.startswith("extra ")]
    path = [base64.b64decode(line) for line in lines[1:]]
    _, size, root = note.split("\n")[:3]
    return int(lines[0].removeprefix("index ")), int(size), base64.b64decode(root), path


def test_pymerkle_accepts_every_inclusion(made: Taken) -> None:
    for index, text, leaf in made.proofs():
        number, size, root, path = numbers(text)
        assert number == index
        base = hashlib.sha256(b"\x00" + leaf).digest()
        rule, _ = _inclusion_path_layout(index + 1, size)
        proof = InclusionProof("sha256", True, size, index + 1, rule, [base, *path])
        proof.verify(base, root, index=index + 1, size=size)
        with pytest.raises(InvalidProof):
            proof.verify(base, bytes(32), index=index + 1, size=size)


def test_proofbundle_accepts_our_consistency_proofs() -> None:
    from consentledger.ledger import merkle

    hashes = [merkle.leaf_hash(bytes([n])) for n in range(40)]
    node = merkle.nodes_of(hashes)
    for new in range(1, 41):
        for old in range(1, new + 1):
            proof = merkle.consistency_proof(old, new, node)
            roots = merkle.root_of(hashes[:old]), merkle.root_of(hashes[:new])
            assert theirs_consistency(old, new, proof, *roots)


def b64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def test_the_readme_s_steps_with_nothing_but_a_hash_function(made: Taken) -> None:
    files = made.files
    text, _, signatures = files["manifest"].decode().rpartition("\n\n")
    listed = dict(reversed(line.split("  ")) for line in text.split("\n"))
    assert listed.keys() == files.keys() - {"manifest"}
    for name, digest in listed.items():
        assert hashlib.sha256(files[name]).hexdigest() == digest
    genesis = next(leaf for index, _, leaf in made.proofs() if index == 0).decode()
    evidence = next(x for x in genesis.split("\n") if x.startswith("p evidence_key "))
    check_note(text + "\n", signatures, evidence.removeprefix("p evidence_key "))
    for index, _, leaf in made.proofs():
        lines = leaf.decode().split("\n")
        if f"entries/{index}.disclosures" not in files:
            continue  # of the tail there is the leaf alone
        for disclosure in files[f"entries/{index}.disclosures"].decode().split("\n")[:-1]:
            _, name, _ = json.loads(base64.urlsafe_b64decode(disclosure + "=="))
            digest = hashlib.sha256(disclosure.encode()).digest()
            assert f"c {name} {b64url(digest)}" in lines
    for name, data in files.items():
        if name.startswith("blobs/"):
            assert hashlib.sha256(data).hexdigest() == name.removeprefix("blobs/")


def check_note(text: str, signatures: str, vkey: str) -> None:
    name, _, key = vkey.split("+", 2)
    [line] = signatures.removesuffix("\n").split("\n")
    dash, said, signature = line.split(" ")
    assert (dash, said) == ("—", name)
    public = Ed25519PublicKey.from_public_bytes(base64.b64decode(key)[1:])
    public.verify(base64.b64decode(signature)[4:], text.encode())
    with pytest.raises(InvalidSignature):
        public.verify(base64.b64decode(signature)[4:], text.encode() + b"x")


def test_a_permit_by_hand(made: Taken) -> None:
    permits = {n: d for n, d in made.files.items() if n.startswith("permits/")}
    assert permits
    leaves = {index: leaf.decode().split("\n") for index, _, leaf in made.proofs()}
    for data in permits.values():
        permit = json.loads(data)
        commitment = b64url(hashlib.sha256(permit["disclosure"].encode()).digest())
        line = f"consentledger/permit/v1 {commitment}".encode()
        base = hashlib.sha256(b"\x00" + line).digest()
        plain = dict(x.split(" ")[1:] for x in leaves[permit["batch"]] if x.startswith("p "))
        size, row = int(plain["count"]), permit["row"]
        rule, _ = _inclusion_path_layout(row + 1, size)
        path = [base, *map(base64.b64decode, permit["path"])]
        proof = InclusionProof("sha256", True, size, row + 1, rule, path)
        proof.verify(base, bytes.fromhex(plain["root"]), index=row + 1, size=size)


def in_tree(place: dict[str, Any], count: int, root: str) -> bytes:
    """The label at a place, if its path leads to the root."""
    mark = base64.urlsafe_b64decode(place["label"] + "=")
    base = hashlib.sha256(b"\x00" + mark).digest()
    rule, _ = _inclusion_path_layout(place["position"] + 1, count)
    path = [base, *map(base64.b64decode, place["path"])]
    proof = InclusionProof("sha256", True, count, place["position"] + 1, rule, path)
    proof.verify(base, bytes.fromhex(root), index=place["position"] + 1, size=count)
    return mark


def absence_by_hand(taken: Taken) -> int:
    """The steps of the bundle's README; returns how many places were looked at."""
    [told] = [json.loads(data) for name, data in taken.files.items() if name.startswith("absence/")]
    key = json.loads(taken.files[f"labels/{told['contact']}.json"])["key"]
    number = told["label"].to_bytes(8, "big")
    mark = hmac.digest(base64.urlsafe_b64decode(key + "="), number, "sha256")
    leaves = {index: leaf.decode().split("\n") for index, _, leaf in taken.proofs()}
    indexes = [i for i, lines in sorted(leaves.items()) if lines[1] == "kind log.index/1"]
    assert [part["entry"] for part in told["ranges"]] == indexes
    end = places = 0
    for part in told["ranges"]:
        plain = dict(x.split(" ")[1:] for x in leaves[part["entry"]] if x.startswith("p "))
        count = int(plain["count"])
        assert int(plain["first"]) == end
        end = int(plain["size"])
        left, right = part["left"], part["right"]
        before = left["position"] if left else -1
        assert (right["position"] if right else count) == before + 1
        assert left is None or in_tree(left, count, plain["root"]) < mark
        assert right is None or in_tree(right, count, plain["root"]) > mark
        for place in part["present"]:
            in_tree(place, count, plain["root"])
        places += bool(left) + bool(right) + len(part["present"])
    size = int(taken.files["checkpoint"].decode().split("\n")[1])
    for index in range(end, size):
        assert f"s {b64url(mark)}" not in leaves[index]
    return places


def test_absence_by_hand(made: Taken, exported: Taken) -> None:
    assert absence_by_hand(made) >= 6
    assert absence_by_hand(exported) == 0  # a young log is all tail


def test_a_label_by_the_command_of_the_readme(made: Taken) -> None:
    [key] = [json.loads(d)["key"] for n, d in made.files.items() if n.startswith("labels/")]
    text = readme(Checkpoint("o", 1, bytes(32)), 1, 1).decode()
    program = text.partition("python3 -c '")[2].partition("'")[0]
    program = program.replace("KEY", key).replace("(N)", "(4)")
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    lines = {x for _, _, leaf in made.proofs() for x in leaf.decode().split("\n")}
    assert f"s {done.stdout.strip()}" in lines
