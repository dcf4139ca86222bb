"""Reads the vectors that live beside the tests."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

DATA = Path(__file__).parent / "data"


def vectors(name: str) -> Any:
    """The parsed file `data/<name>.json`."""
    return json.loads((DATA / f"{name}.json").read_text(encoding="utf-8"))


def b64(text: str) -> bytes:
    """Decodes standard base64; an empty text is an empty (hence wrong) hash."""
    return base64.b64decode(text)


def hashes(texts: list[str] | None) -> list[bytes]:
    """Decodes a proof; null is an empty one."""
    return [b64(text) for text in texts or []]
