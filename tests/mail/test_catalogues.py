"""Each language says every sentence of the mails, and the compiled catalogue is the written one."""

from __future__ import annotations

import gettext
import re
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.frontend import parse_mapping_cfg
from babel.messages.pofile import read_po

from consentledger.mail.render import DOMAIN, SOURCE_LANGUAGE, TRANSLATIONS, languages

ROOT = Path(__file__).resolve().parents[2]
TRANSLATED = [language for language in languages() if language != SOURCE_LANGUAGE]


def written(language: str) -> Catalog:
    with (TRANSLATIONS / language / "LC_MESSAGES" / f"{DOMAIN}.po").open("rb") as file:
        return read_po(file, locale=language, domain=DOMAIN)


def extracted() -> set[str]:
    with (TRANSLATIONS / f"{DOMAIN}.cfg").open() as file:
        mapping, options = parse_mapping_cfg(file)
    return {str(found[2]) for found in extract_from_dir(ROOT, mapping, options)}


def test_there_is_a_translation():
    assert "de" in TRANSLATED


@pytest.mark.parametrize("language", TRANSLATED)
def test_every_sentence_is_translated_with_its_placeholders(language: str):
    catalogue = {message.id: message for message in written(language) if message.id}
    assert set(catalogue) == extracted()
    for message in catalogue.values():
        assert message.string, message.id
        assert not message.fuzzy, message.id
        placeholder = re.compile(r"%\(\w+\)s")
        assert sorted(placeholder.findall(str(message.id))) == sorted(
            placeholder.findall(str(message.string))
        )


@pytest.mark.parametrize("language", TRANSLATED)
def test_the_compiled_catalogue_is_the_written_one(language: str):
    compiled = gettext.translation(DOMAIN, TRANSLATIONS, [language])
    for message in written(language):
        if message.id:
            assert compiled.gettext(str(message.id)) == message.string
