"""The German catalogue is complete, and what is compiled is what is written."""

from __future__ import annotations

import io
import re
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.frontend import parse_mapping_cfg
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "consentledger" / "translations"
GERMAN = FOLDER / "de" / "LC_MESSAGES"
PLACE = re.compile(r"%\(\w+\)[sd]")


def _german() -> Catalog:
    with (GERMAN / "messages.po").open("rb") as file:
        return read_po(file, locale="de")


def _sources() -> set[str]:
    with (FOLDER / "babel.cfg").open() as file:
        methods, options = parse_mapping_cfg(file)
    found = set()
    for top in ("consentledger", "templates"):
        under = [(pattern.removeprefix(f"{top}/"), how) for pattern, how in methods]
        settings = {pattern.removeprefix(f"{top}/"): kept for pattern, kept in options.items()}
        patterns = [
            (p, h) for (p, h), (full, _) in zip(under, methods, strict=True) if full.startswith(top)
        ]
        for _, _, message, _, _ in extract_from_dir(ROOT / top, patterns, settings):
            found.add(message[0] if isinstance(message, tuple) else message)
    return found


def test_the_compiled_catalogue_matches_the_written_one() -> None:
    compiled = io.BytesIO()
    write_mo(compiled, _german())
    assert compiled.getvalue() == (GERMAN / "messages.mo").read_bytes()


def test_every_sentence_has_a_german_one_and_none_is_left_over() -> None:
    written = {m.id[0] if isinstance(m.id, tuple) else m.id for m in _german() if m.id}
    sources = _sources()
    assert len(sources) > 100
    assert sources - written == set(), "translate these in messages.po (docs/pages.md says how)"
    assert written - sources == set(), "no page says this any more"


def test_translations_keep_every_place_and_are_not_fuzzy() -> None:
    for message in _german():
        if not message.id:
            continue
        assert not message.fuzzy
        sources = message.id if isinstance(message.id, tuple) else (message.id,)
        targets = message.string if isinstance(message.string, tuple) else (message.string,)
        assert all(targets), message.id
        assert set(PLACE.findall(targets[-1])) == set(PLACE.findall(sources[-1])), message.id
