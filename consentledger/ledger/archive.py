"""Zip files as bundles use them: written alike for alike content, read without trusting a byte."""

from __future__ import annotations

import re
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import BinaryIO, NoReturn

from consentledger.kernel.errors import UnusableError, VerificationError

RULE = "bundle.zip"
BOMB = "bundle.zip-bomb"
MAX_MEMBERS = 65_534
MAX_MEMBER = 64 * 2**20
MAX_TOTAL = 2 * 2**30
MAX_RATIO = 100
_FREE = 2**20  # small members may shrink as they like: a page of blanks is no bomb
MAX_FILE = 2**32 - 2
# 1 January 1980, the first day a zip can name; version 2.0; a plain file that its owner may write.
_DATE, _VERSION, _MADE_ON_UNIX, _MODE = 33, 20, 3 << 8 | 20, 0o100644 << 16
_PATH = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._@-]*(?:/[A-Za-z0-9_-][A-Za-z0-9._@-]*)*\Z", re.ASCII)
_END = struct.Struct("<4s4H2LH")
_CENTRAL = struct.Struct("<4s6H3L5H2L")
_LOCAL = struct.Struct("<4s5H3L2H")
# Times and owners, which Info-ZIP adds when somebody packs a bundle again. No other extra field is
# let in: some of them give a second name or size, which other readers may believe.
_HARMLESS = (b"UT", b"ux")


class ArchiveWriter:
    """Writes members one by one, with fixed dates and modes, so that like content gives like bytes.

    Nothing is written but forward: any file will do, and one left half-written is simply no zip.
    """

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._directory: list[bytes] = []
        self._offset = 0

    def add(self, path: str, data: bytes) -> None:
        """Adds one member; a path that no reader would accept, or too many of them, raise ValueError."""
        if not is_path(path):
            raise ValueError(f"{path!r} is no path of a bundle")
        if len(data) > MAX_MEMBER or len(self._directory) >= MAX_MEMBERS:
            raise ValueError(f"{path} is more than a bundle can hold")
        packer = zlib.compressobj(wbits=-zlib.MAX_WBITS)
        packed = packer.compress(data) + packer.flush()
        name = path.encode("ascii")
        sizes = (zlib.crc32(data), len(packed), len(data), len(name))
        self._directory.append(
            _CENTRAL.pack(
                b"PK\x01\x02", _MADE_ON_UNIX, _VERSION, 0, 8, 0, _DATE, *sizes, 0, 0, 0, 0, _MODE,
                self._offset,
            )
            + name
        )  # fmt: skip
        local = _LOCAL.pack(b"PK\x03\x04", _VERSION, 0, 8, 0, _DATE, *sizes, 0)
        self._write(local + name + packed)

    def close(self) -> None:
        """Writes the central directory."""
        directory, start, count = b"".join(self._directory), self._offset, len(self._directory)
        end = _END.pack(b"PK\x05\x06", 0, 0, count, count, len(directory), start, 0)
        self._write(directory + end)

    def _write(self, data: bytes) -> None:
        if self._offset + len(data) > MAX_FILE:
            raise ValueError("this is more than a bundle can hold")
        self._file.write(data)
        self._offset += len(data)


def is_path(path: str) -> bool:
    """Tells whether a path is relative, ASCII, and climbs nowhere."""
    return _PATH.match(path) is not None and not any(
        part in (".", "..") for part in path.split("/")
    )


@dataclass(frozen=True, slots=True)
class Member:
    """Where one member's compressed bytes lie, and what they must become."""

    path: str
    method: int
    crc: int
    packed: int
    size: int
    start: int


class Archive:
    """A strictly read zip: no comment, no gap, no double, no member that climbs, lies or explodes.

    Opening checks every header; `read` checks length and CRC of the content. Raises UnusableError
    when the file is no zip of this plain kind, VerificationError that names the member otherwise.
    """

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.members = {member.path: member for member in _members(file)}

    def read(self, path: str) -> bytes:
        """Returns one member's content; a path that is not there raises VerificationError."""
        member = self.members.get(path)
        if member is None:
            raise VerificationError("the file is missing from the bundle", rule=RULE, file=path)
        self._file.seek(member.start)
        packed = self._file.read(member.packed)
        data = packed if member.method == 0 else _inflate(member, packed)
        if len(data) != member.size:
            _refuse(path, "the content has another length than announced")
        if zlib.crc32(data) != member.crc:
            _refuse(path, "the content does not fit its check sum")
        return data


def _refuse(path: str, message: str, rule: str = RULE) -> NoReturn:
    raise VerificationError(message, rule=rule, file=path)


def _inflate(member: Member, packed: bytes) -> bytes:
    inflater = zlib.decompressobj(-zlib.MAX_WBITS)
    try:
        data = inflater.decompress(packed, member.size + 1)
    except zlib.error as error:
        raise VerificationError(
            "the content can't be unpacked", rule=RULE, file=member.path
        ) from error
    if len(data) > member.size:
        _refuse(member.path, "the content is longer than announced", BOMB)
    if not inflater.eof or inflater.unused_data or inflater.unconsumed_tail:
        _refuse(member.path, "the content does not end where it should")
    return data


def _members(file: BinaryIO) -> Iterator[Member]:
    length = file.seek(0, 2)
    count, directory, start = _end_of_directory(file, length)
    total, expected, position = 0, 0, 0
    seen: set[str] = set()
    for _ in range(count):
        if position + _CENTRAL.size > len(directory):
            raise UnusableError("the zip's directory is cut short")
        member, position = _central(directory, position)
        if member.path.casefold() in seen:
            _refuse(member.path, "the name stands twice in the zip")
        seen.add(member.path.casefold())
        if member.start != expected:
            _refuse(member.path, "the zip has a gap or an overlap before this member")
        total += member.size
        if total > MAX_TOTAL or total > MAX_RATIO * length + 16 * _FREE:
            _refuse(member.path, "the zip unpacks to far more than its size", BOMB)
        found = _check_local(file, member, start)
        expected = found.start + found.packed
        if not found.path.endswith("/"):
            yield found
    if position != len(directory) or expected != start:
        raise UnusableError("the zip holds bytes that belong to no member")


def _end_of_directory(file: BinaryIO, length: int) -> tuple[int, bytes, int]:
    if length < _END.size:
        raise UnusableError("this is not a zip file")
    file.seek(length - _END.size)
    end = _END.unpack(file.read(_END.size))
    magic, disk, first_disk, here, count, size, start, comment = end
    if magic != b"PK\x05\x06" or comment:
        raise UnusableError("this is not a zip file, or something follows its directory")
    if disk or first_disk or here != count or count > MAX_MEMBERS:
        raise UnusableError("the zip is split, or has too many members")
    if start + size + _END.size != length:
        raise UnusableError("the zip's directory is not where it should be")
    file.seek(start)
    return count, file.read(size), start


def _central(directory: bytes, position: int) -> tuple[Member, int]:
    """One member by the directory (`start` is still its own header's), and where the next one is."""
    fields = _CENTRAL.unpack_from(directory, position)
    magic, _, _, flags, method, _, _, crc, packed, size, name, extra, comment, disk = fields[:14]
    if magic != b"PK\x01\x02":
        raise UnusableError("the zip's directory is damaged")
    position += _CENTRAL.size
    path = directory[position : position + name].decode("ascii", "backslashreplace")
    extras = directory[position + name : position + name + extra]
    if not is_path(path) and not (path.endswith("/") and is_path(path[:-1]) and size == 0):
        _refuse(path, "the name is not a plain relative path")
    if flags & 1:
        _refuse(path, "the member is encrypted")
    if flags or comment or disk or method not in (0, 8) or not _is_harmless(extras):
        _refuse(path, "the member uses a zip feature that bundles do not have")
    if size > MAX_MEMBER or (size > _FREE and size > MAX_RATIO * packed):
        _refuse(path, "the member unpacks to far more than its size", BOMB)
    if method == 0 and packed != size:
        _refuse(path, "a stored member has two lengths")
    return Member(path, method, crc, packed, size, fields[16]), position + name + extra


def _is_harmless(extras: bytes) -> bool:
    while len(extras) >= 4:
        if extras[:2] not in _HARMLESS:
            return False
        extras = extras[4 + int.from_bytes(extras[2:4], "little") :]
    return not extras


def _check_local(file: BinaryIO, member: Member, end: int) -> Member:
    file.seek(member.start)
    header = file.read(_LOCAL.size)
    if len(header) != _LOCAL.size:
        _refuse(member.path, "the member's own header is missing")
    magic, _, flags, method, _, _, crc, packed, size, name, extra = _LOCAL.unpack(header)
    path = file.read(name).decode("ascii", "backslashreplace")
    said = (magic, flags, method, crc, packed, size, path)
    wanted = (
        b"PK\x03\x04", 0, member.method, member.crc, member.packed, member.size, member.path
    )  # fmt: skip
    if said != wanted or not _is_harmless(file.read(extra)):
        _refuse(member.path, "the member's own header disagrees with the directory")
    start = member.start + _LOCAL.size + name + extra
    if start + member.packed > end:
        _refuse(member.path, "the member reaches into the directory")
    return replace(member, start=start)
