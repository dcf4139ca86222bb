"""Rule packs: pinned bytes, and a strict reader that names file, key and reason."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from dataclasses import replace

import pytest

from consentledger.kernel.errors import InputError, NotFoundError
from consentledger.law.first.packs import (
    FOLDER,
    PUBLISHED,
    default_pack,
    is_published,
    load,
    pack,
    pack_bytes,
)

GOOD = pack_bytes("consent_only", "1").decode()


@pytest.mark.parametrize(("key", "entry"), list(PUBLISHED.items()))
def test_published_packs_have_their_pinned_bytes(
    key: tuple[str, str], entry: tuple[str, str]
) -> None:
    loaded = pack(*key)
    assert (loaded.id, loaded.version) == key
    assert loaded.hash == entry[1] == hashlib.sha256(pack_bytes(*key)).hexdigest()
    assert is_published(loaded)


def test_every_file_in_the_folder_is_published() -> None:
    assert {path.name for path in FOLDER.glob("*.toml")} == {name for name, _ in PUBLISHED.values()}


def test_other_packs_are_unknown() -> None:
    for read in (pack, pack_bytes):
        with pytest.raises(NotFoundError):
            read("consent_only", "2")
    assert not is_published(load((GOOD + "# a remark\n").encode()))
    assert not is_published(replace(default_pack(), id="other"))


@pytest.mark.parametrize(
    ("old", "new", "field", "reason"),
    [
        ('version = "1"', 'version = "1"\nvalid = true', "valid", "unknown"),
        ('version = "1"', "", "version", "missing"),
        ('version = "1"', "version = 1", "version", "type"),
        ('version = "1"', 'version = "١"', "version", "format"),
        ('id = "consent_only"', 'id = "Consent"', "id", "format"),
        ('status = "published"', 'status = "final"', "status", "unknown"),
        ('\nconfidence = "high"\nvalid', '\nconfidence = "sure"\nvalid', "confidence", "unknown"),
        ("2018-05-25", '"2018-05-25"', "valid_from", "type"),
        ("2018-05-25", "2018-05-25T00:00:00Z", "valid_from", "type"),
        ("2018-05-25", "2018-05-25\nvalid_until = 2018-05-25", "valid_until", "order"),
        ('email = "opt_in"', 'email = "opt_out"', "channels.email", "unknown"),
        ('email = "opt_in"', "email = 1", "channels", "type"),
        ("[rules.paused]", "[rules.rested]", "rules.paused", "missing"),
        ('code = "paused"', 'code = "paused,consent"', "rules.paused", "format"),
        ('code = "paused"', 'code = "paused"\nhow = "x"', "rules.paused.how", "unknown"),
        ('"gdpr-21-2", ', '"gdpr-99", ', "rules.objection.citations", "unknown"),
        ('citations = ["gdpr-21-2", "eprivacy-13-1"]', "citations = []", "rules.objection.citations", "missing"),
        ('id = "eprivacy-13-4"', 'id = "eprivacy-13-1"', "citations[1].id", "format"),
        ("https://eur-lex.europa.eu/eli/dir/2002", "http://eur-lex", "citations[0].url", "format"),
        ("[[duties]]", "[[duty]]", "duty", "unknown"),
        ("[channels]", "[channels", "file", "malformed"),
    ],
)  # fmt: skip
def test_a_wrong_pack_is_refused_with_key_and_reason(
    old: str, new: str, field: str, reason: str
) -> None:
    assert old in GOOD
    with pytest.raises(InputError) as caught:
        load(GOOD.replace(old, new).encode(), file="mine.toml")
    assert (caught.value.field, caught.value.reason) == (field, reason)
    assert "mine.toml" in str(caught.value)


@pytest.mark.parametrize(
    "data", [b"\xff", b"", b"a = 1\x00", b"x" * (1 << 21), b"a=" + b"[" * 99_999]
)
def test_bytes_that_are_no_pack_are_refused(data: bytes) -> None:
    with pytest.raises(InputError):
        load(data)


def test_the_law_runs_without_a_framework_or_a_database() -> None:
    code = (
        "import sys, consentledger.law.first.packs as p; p.default_pack();"
        "print(sorted(m for m in sys.modules if m.split('.')[0] in"
        " ('flask', 'sqlalchemy', 'marshmallow', 'cryptography')"
        " or m.startswith('consentledger.') and m.split('.')[1] not in ('law', 'kernel')))"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "[]"
