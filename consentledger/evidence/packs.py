"""The files of adopted rule packs, for a bundle."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from consentledger.kernel.errors import NotFoundError
from consentledger.law.first import packs as first
from consentledger.law.reading import packs
from consentledger.ledger.bundle import BundleWriter
from consentledger.verify.entries import Entry


def write_packs(writer: BundleWriter, entries: Sequence[Entry]) -> None:
    """Adds the file of every pack that was adopted; verify names one that this installation brings no more."""
    for entry in entries:
        if entry.kind.name == "pack.adopted":
            path = f"rules/{entry.need('pack')}@{entry.need('version')}.toml"
            data = _adopted_file(entry)
            if data is not None and path not in writer:
                writer.add(path, data)


def _adopted_file(entry: Entry) -> bytes | None:
    """Returns the very bytes that an entry adopted, None when this installation has them no more."""
    brought = first.pack_bytes if entry.kind.version == 1 else packs.pack_bytes
    try:
        data = brought(entry.need("pack"), entry.need("version"))
    except NotFoundError:
        return None
    return data if hashlib.sha256(data).hexdigest() == entry.need("hash") else None
