"""Which scripts a domain's label is written in: one that mixes them imitates another (UTS 39 §5).

The standard library knows no script property; a letter's name begins with its script, which is enough for
labels that passed IDNA 2008.
"""

from __future__ import annotations

import unicodedata

# Scripts that are rightly written together (UTS 39, highly restrictive).
_TOGETHER = (
    frozenset(("LATIN", "CJK", "HIRAGANA", "KATAKANA")),
    frozenset(("LATIN", "CJK", "BOPOMOFO")),
    frozenset(("LATIN", "CJK", "HANGUL")),
)


def scripts(label: str) -> frozenset[str]:
    """Returns the scripts of a label's letters; digits, marks and the hyphen belong to all."""
    found = set()
    for character in label:
        if unicodedata.category(character).startswith("L"):
            name = unicodedata.name(character, "UNKNOWN")
            # The iteration mark and the prolonged sound mark are used with kana.
            found.add("KATAKANA" if name.startswith("KATAKANA") else name.split()[0].split("-")[0])
    return frozenset(found)


def mixed_scripts(label: str) -> bool:
    """Says whether a label mixes scripts that nobody writes together."""
    if label.isascii():
        return False
    used = scripts(label)
    return len(used) > 1 and not any(used <= together for together in _TOGETHER)
