"""Writes consentledger/law/reading/published.py: the SHA-256 of every rule pack that the project publishes.

Run it when a pack is new. A pinned file never changes: a correction is a new version, and this refuses to pin other
bytes under a name that is pinned already (`--unreleased` allows it, before a release).
"""

from __future__ import annotations

import hashlib
import sys
from pathlib import Path

from consentledger.law.reading.packs import PUBLISHED, names, pack_bytes
from consentledger.law.reading.schemas import check

OUT = Path(__file__).resolve().parents[1] / "consentledger" / "law" / "published.py"
HEAD = '''"""Rule packs that the project published, by the SHA-256 of their files. Written by tools/pin_packs.py."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

# A published file never changes; what has another hash is called "unknown", whatever its name says.
PUBLISHED: Mapping[tuple[str, str], str] = MappingProxyType(
    {
'''


def main() -> int:
    """Checks and pins all packs; exits 1 when a pinned one was changed."""
    lines, changed = [], []
    parents = {name: pack_bytes(name) for name in names()}
    for name, data in parents.items():
        check(data, parents, file=name)
        pack_id, _, version = name.partition("@")
        found = hashlib.sha256(data).hexdigest()
        if PUBLISHED.get((pack_id, version), found) != found:
            changed.append(name)
        lines.append(f'        ("{pack_id}", "{version}"): "{found}",\n')
    if changed and "--unreleased" not in sys.argv[1:]:
        print(
            f"changed since it was pinned: {', '.join(changed)}; write a new version",
            file=sys.stderr,
        )
        return 1
    OUT.write_text(HEAD + "".join(lines) + "    }\n)\n")
    print(f"{len(lines)} packs pinned in {OUT.name}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
