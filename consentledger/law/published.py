"""Rule packs that the project published, by the SHA-256 of their files. Written by tools/pin_packs.py."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

# A published file never changes; what has another hash is called "unknown", whatever its name says.
PUBLISHED: Mapping[tuple[str, str], str] = MappingProxyType({})
