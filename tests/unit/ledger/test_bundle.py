"""The bundle's zip and manifest: alike for alike content, and every zip trick refused by name."""

from __future__ import annotations

import io
import shutil
import struct
import subprocess
import zipfile
import zlib
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from consentledger.kernel.errors import UnusableError, VerificationError
from consentledger.ledger.archive import MAX_MEMBERS, Archive, ArchiveWriter, is_path
from consentledger.ledger.bundle import (
    Bundle,
    BundleWriter,
    evidence_signer,
    from_json,
    manifest_text,
    parse_manifest,
    to_json,
)
from consentledger.ledger.note import Signer, Verifier

SIGNER = evidence_signer("shop.example/log/1", bytes(32))
KEY = Verifier.from_vkey(SIGNER.vkey)
BLOB = "blobs/" + "0" * 64


def bundle(extra: dict[str, bytes] | None = None, signer: Signer = SIGNER) -> bytes:
    file = io.BytesIO()
    writer = BundleWriter(file, signer)
    members = {"README.txt": b"read me\n", "policy.txt": b"quorum none\n", BLOB: bytes(4000)}
    for path, data in (members | (extra or {})).items():
        writer.add(path, data)
    writer.close()
    return file.getvalue()


def rezip(data: bytes, change: Callable[[str, bytes], tuple[str, bytes] | None]) -> bytes:
    """The zip again, as Python's zipfile writes it, each member changed or left out."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(out, "w") as new:
        for name in old.namelist():
            changed = change(name, old.read(name))
            if changed is not None:
                new.writestr(*changed, compress_type=zipfile.ZIP_DEFLATED)
    return out.getvalue()


def opened(data: bytes) -> Bundle:
    return Bundle(io.BytesIO(data))


def test_alike_content_gives_alike_bytes() -> None:
    assert bundle() == bundle()


@pytest.mark.parametrize("name", ["-z-Hdb0rft1xXwAA", "_-Hdb0rft1xXwAA-", "A" * 16])
def test_every_permit_s_id_can_be_a_name(name: str) -> None:
    path = f"permits/{name}.json"
    data = bundle({path: b"{}\n"})
    assert opened(data).read(path) == b"{}\n"
    with zipfile.ZipFile(io.BytesIO(data)) as zip_:
        assert zip_.testzip() is None
        assert zip_.read(path) == b"{}\n"
        info = zip_.getinfo(path)
        assert (info.date_time[:3], info.external_attr >> 16) == ((1980, 1, 1), 0o100644)


def test_reading_back() -> None:
    found = opened(bundle())
    assert found.read("README.txt") == b"read me\n"
    assert found.read(BLOB) == bytes(4000)
    assert found.check_manifest() == []
    found.check_manifest_signature([KEY])


def test_the_manifest_is_what_sha256sum_reads(tmp_path: Path) -> None:
    (tmp_path / "bundle.zip").write_bytes(bundle())
    shutil.unpack_archive(tmp_path / "bundle.zip", tmp_path)
    text = (tmp_path / "manifest").read_text().split("\n\n")[0] + "\n"
    (tmp_path / "sums").write_text(text)
    done = subprocess.run(
        ["sha256sum", "-c", "sums"], cwd=tmp_path, capture_output=True, check=False
    )
    assert done.returncode == 0


def test_packed_again_by_another_program(tmp_path: Path) -> None:
    if shutil.which("zip") is None:
        data = rezip(bundle(), lambda name, content: (name, content))
    else:
        (tmp_path / "a.zip").write_bytes(bundle())
        shutil.unpack_archive(tmp_path / "a.zip", tmp_path / "a")
        subprocess.run(["zip", "-qr", "../b.zip", "."], cwd=tmp_path / "a", check=True)
        data = (tmp_path / "b.zip").read_bytes()
    assert opened(data).check_manifest() == []


@pytest.mark.parametrize("path", ["README.txt", "policy.txt", BLOB])
def test_a_changed_member_is_named(path: str) -> None:
    data = rezip(bundle(), lambda n, c: (n, bytes([c[0] ^ 1]) + c[1:]) if n == path else (n, c))
    [problem] = opened(data).check_manifest()
    assert (problem.file, problem.rule) == (path, "bundle.manifest")
    assert "was changed" in str(problem)


def test_a_missing_and_an_unlisted_member_are_named() -> None:
    missing = rezip(bundle(), lambda n, c: None if n == BLOB else (n, c))
    [problem] = opened(missing).check_manifest()
    assert (problem.file, "missing" in str(problem)) == (BLOB, True)
    more = BLOB[:-1] + "1"
    out = io.BytesIO(bundle())
    with zipfile.ZipFile(out, "a") as zip_:
        zip_.writestr(more, b"x")
    [problem] = opened(out.getvalue()).check_manifest()
    assert (problem.file, "not listed" in str(problem)) == (more, True)


def test_a_manifest_by_another_key() -> None:
    other = evidence_signer("shop.example/log/1", b"x" * 32)
    found = opened(bundle(signer=other))
    with pytest.raises(VerificationError, match="no signature by a known key"):
        found.check_manifest_signature([KEY])


def test_a_manifest_changed_after_signing() -> None:
    data = rezip(
        bundle(), lambda n, c: (n, c.replace(b"README", b"REABME")) if n == "manifest" else (n, c)
    )
    with pytest.raises(VerificationError):
        opened(data).check_manifest()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "x\n",
        f"{'0' * 64} README.txt\n",
        f"{'0' * 64}  README.txt",
        f"{'0' * 63}  README.txt\n",
        f"{'A' * 64}  README.txt\n",
        f"{'0' * 64}  manifest\n",
        f"{'0' * 64}  ../README.txt\n",
        f"{'0' * 64}  policy.txt\n{'0' * 64}  README.txt\n",
        f"{'0' * 64}  README.txt\n{'0' * 64}  README.txt\n",
    ],
)
def test_bad_manifests(text: str) -> None:
    with pytest.raises(VerificationError):
        parse_manifest(text)


def test_manifest_round_trip() -> None:
    hashes = {"policy.txt": "1" * 64, "README.txt": "0" * 64}
    assert parse_manifest(manifest_text(hashes)) == hashes


def zip_with(name: str, data: bytes = b"x", **fields: int) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as zip_:
        info = zipfile.ZipInfo(name)
        for key, value in fields.items():
            setattr(info, key, value)
        zip_.writestr(info, data, compress_type=zipfile.ZIP_DEFLATED)
    return out.getvalue()


@pytest.mark.parametrize(
    "name",
    ["../evil", "a/../../b", "/etc/passwd", "a//b", "a\\b", "C:/x", ".hidden", "a/./b", "ä", "a b",
     "entries/../README.txt"],
)  # fmt: skip
def test_a_path_that_climbs_is_named(name: str) -> None:
    with pytest.raises(VerificationError) as caught:
        Archive(io.BytesIO(zip_with(name)))
    assert caught.value.rule == "bundle.zip"
    assert caught.value.file
    assert not is_path(name)


@pytest.mark.parametrize(
    "name",
    ["other.txt", "entries/01.tlog-proof", "entries/1.txt", "blobs/" + "A" * 64, "checkpoint.txt",
     "tile/9/000", "permits/x.json", "readme.txt"],
)  # fmt: skip
def test_a_file_outside_the_layout_is_named(name: str) -> None:
    with pytest.raises(VerificationError) as caught:
        opened(zip_with(name))
    assert (caught.value.rule, caught.value.file) == ("bundle.layout", name)
    with pytest.raises(ValueError, match="can't stand in a bundle"):
        BundleWriter(io.BytesIO(), SIGNER).add(name, b"")


@pytest.mark.filterwarnings("ignore:Duplicate name")
@pytest.mark.parametrize("second", ["README.txt", "readme.TXT"])
def test_duplicate_names_are_named(second: str) -> None:
    out = io.BytesIO(bundle())
    with zipfile.ZipFile(out, "a") as zip_:
        zip_.writestr(second, b"something else")
    with pytest.raises(VerificationError, match="twice") as caught:
        opened(out.getvalue())
    assert caught.value.file == second


def test_zip_bombs_are_named() -> None:
    with pytest.raises(VerificationError) as caught:
        opened(zip_with("README.txt", bytes(30_000_000)))
    assert (caught.value.rule, caught.value.file) == ("bundle.zip-bomb", "README.txt")
    many = io.BytesIO()
    with zipfile.ZipFile(many, "w", zipfile.ZIP_DEFLATED) as zip_:
        for n in range(40):
            zip_.writestr(f"blobs/{n:064x}", bytes(1_000_000))
    with pytest.raises(VerificationError) as caught:
        opened(many.getvalue())
    assert caught.value.rule == "bundle.zip-bomb"


def test_a_bomb_that_lies_about_its_size() -> None:
    data = bytearray(zip_with("README.txt", bytes(30_000_000)))
    size = struct.pack("<L", 30_000_000)
    assert data.count(size) == 2
    lying = bytes(data).replace(size, struct.pack("<L", 1000))
    with pytest.raises(VerificationError, match="longer than announced") as caught:
        opened(lying).read("README.txt")
    assert caught.value.rule == "bundle.zip-bomb"


def test_encrypted_members_are_named() -> None:
    data = bytearray(zip_with("README.txt"))
    data[6] |= 1
    central = data.index(b"PK\x01\x02")
    data[central + 8] |= 1
    with pytest.raises(VerificationError, match="encrypted"):
        opened(bytes(data))


def test_local_headers_that_disagree_are_named() -> None:
    data = bundle()
    name = b"README.txt"
    local = data.index(name)
    for changed in (
        data[:local] + b"readme.txt" + data[local + 10 :],
        data[: local - 16] + b"\x00\x00\x00\x00" + data[local - 12 :],
    ):
        with pytest.raises(VerificationError, match="disagrees") as caught:
            opened(changed)
        assert caught.value.file == "README.txt"


def test_prefix_gap_comment_and_tail_are_refused() -> None:
    data = bundle()
    for changed in (
        b"MZ" + data,
        data + b"x",
        data[:-2] + b"\x01\x00x",
        data[:-1],
        data[:100],
        b"",
    ):
        with pytest.raises((UnusableError, VerificationError)):
            opened(changed)


def test_not_a_zip() -> None:
    with pytest.raises(UnusableError, match="not a zip"):
        opened(b"%PDF-1.7 something quite different and long enough")


def test_every_flipped_bit_of_a_content_is_seen() -> None:
    data = bundle()
    with zipfile.ZipFile(io.BytesIO(data)) as zip_:
        info = zip_.getinfo("policy.txt")
    start = info.header_offset + 30 + len("policy.txt")
    for bit in range(info.compress_size * 8):
        changed = bytearray(data)
        changed[start + bit // 8] ^= 1 << bit % 8
        found = opened(bytes(changed))
        with suppress(VerificationError):  # the packer's last byte has bits that mean nothing
            assert found.read("policy.txt") == b"quorum none\n"
            assert bit // 8 == info.compress_size - 1


def test_trailing_bytes_inside_a_member() -> None:
    content = b"quorum none\n"
    packer = zlib.compressobj(wbits=-15)
    packed = packer.compress(content) + packer.flush()
    honest = zip_with("policy.txt", content)
    assert packed in honest
    grown = honest.replace(packed, packed + b"\x00")
    grown = grown.replace(struct.pack("<L", len(packed)), struct.pack("<L", len(packed) + 1))
    end = len(grown) - 22
    grown = (
        grown[:end]
        + grown[end : end + 16]
        + struct.pack("<L", grown.index(b"PK\x01\x02"))
        + b"\0\0"
    )
    with pytest.raises(VerificationError, match="does not end where it should"):
        opened(grown).read("policy.txt")


def test_writer_refuses_what_no_reader_takes() -> None:
    writer = BundleWriter(io.BytesIO(), SIGNER)
    writer.add("README.txt", b"")
    for path in ("README.txt", "manifest", "../x"):
        with pytest.raises(ValueError, match="can't stand"):
            writer.add(path, b"")
    with pytest.raises(ValueError, match="no path"):
        ArchiveWriter(io.BytesIO()).add("../x", b"")
    assert MAX_MEMBERS < 65_535


@pytest.mark.parametrize("data", [b"", b"{}", b'{"a":1,"a":2}\n', b'{"a": 1}\n', b'{"b":1,"a":2}\n',
                                  b"[" * 100_000, b"\xff\n", b"NaN\n \n"])  # fmt: skip
def test_json_has_one_form(data: bytes) -> None:
    with pytest.raises(VerificationError):
        from_json(data)
    assert from_json(to_json({"b": [1, "é"], "a": None})) == {"a": None, "b": [1, "é"]}
