"""Rule packs: a strict reader that names file, key and reason, and what a pack takes from the one it inherits from."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from datetime import date
from pathlib import Path

import pytest

from consentledger.kernel.errors import InputError, NotFoundError
from consentledger.law.reading import packs, schemas
from consentledger.law.reading.packs import load
from tests.support.pack_text import CHILD, GOOD

SECOND_LIST = """
[[registers]]
code = "DE-LIST"
name = "the list again"
url = "https://list.example"
channels = []
must_check = false
max_age_days = 0
says = "x"
citations = []
"""


def refusal(text: str, parents: dict[str, bytes] | None = None) -> tuple[str, str]:
    with pytest.raises(InputError) as caught:
        load(text.encode(), parents, file="mine.toml")
    assert "mine.toml" in str(caught.value)
    assert caught.value.field in str(caught.value)
    return caught.value.field, caught.value.reason


@pytest.mark.parametrize(
    ("old", "new", "field", "reason"),
    [
        ('title = "Somewhere"', 'title = "Somewhere"\nmotto = "x"', "motto", "unknown"),
        ('title = "Somewhere"', "", "title", "missing"),
        ('title = "Somewhere"', "title = 1", "title", "type"),
        ('title = "Somewhere"', 'title = " "', "title", "missing"),
        ('title = "Somewhere"', 'title = "a\\nb"', "title", "format"),
        ('version = "1"', 'version = "01"', "version", "format"),
        ('version = "1"', 'version = "١"', "version", "format"),
        ('id = "DE"', 'id = "de"', "id", "format"),
        ('status = "published"', 'status = "final"', "status", "unknown"),
        ('confidence = "high"', 'confidence = "sure"', "confidence", "unknown"),
        ("2018-05-25", '"2018-05-25"', "valid_from", "type"),
        ("2018-05-25", "2018-05-25T00:00:00Z", "valid_from", "type"),
        ("2018-05-25", "2018-05-25\nvalid_until = 2018-05-25", "valid_until", "order"),
        ('countries = ["DE"]', 'countries = ["UK"]', "countries[0]", "unknown"),
        ('countries = ["DE"]', 'countries = ["DE", "DE"]', "countries", "duplicate"),
        ('countries = ["DE"]', 'countries = "DE"', "countries", "type"),
        ('kind = "primary"', 'kind = "rumour"', "citations[0].kind", "unknown"),
        ("https://law.example", "law.example", "citations[0].url", "format"),
        ('id = "law"', 'id = "The Law"', "citations[0].id", "format"),
        ("[objection]", '[[citations]]\nid = "law"\ntitle = "x"\nsection = ""\nurl = ""\nkind = "memory"\n[objection]',
         "citations[1].id", "duplicate"),
        ('natural = "opt_in"', 'natural = "perhaps"', "regime.email.natural", "unknown"),
        ("[regime.sms]", "[regime.fax]", "regime.fax", "unknown"),
        ('register = "DE-LIST"', "", "regime.sms.register", "unknown"),
        ('register = "DE-LIST"', 'register = "DE-OTHER"', "regime.sms.register", "unknown"),
        ("available = true", "available = 1", "exception.available", "type"),
        ("available = true", 'available = true\nproduct = "any"', "exception.product", "unknown"),
        ('["sale_paid", "inquiry"]', '["sale", "inquiry"]', "exception.triggers[0]", "unknown"),
        ("[[exception.periods]]", "[exception.not_before]\nsale = 2026-02-05\n[[exception.periods]]",
         "exception.not_before.sale", "unknown"),
        ("count = 24", "count = true", "exception.periods[0].count", "type"),
        ("count = 24", "count = 0", "exception.periods[0].count", "range"),
        ('unit = "months"', 'unit = "weeks"', "exception.periods[0].unit", "unknown"),
        ("dormancy_warning_months = 24", "dormancy_warning_months = -1", "consent.dormancy_warning_months", "range"),
        ('citations = ["law"]\n[service]', 'citations = ["lore"]\n[service]', "objection.citations", "unknown"),
        ("days = 5", "days = 5.0", "unsubscribe.days", "type"),
        ('"Europe/Berlin"', '"Europe/Bielefeld"', "calendar.zones[0]", "unknown"),
        ('"Europe/Berlin"', '"../../etc/passwd"', "calendar.zones[0]", "unknown"),
        ('["Europe/Berlin"]', "[]", "calendar.zones", "missing"),
        ("holidays_from = 2026-01-01\n", "", "calendar.holidays_until", "missing"),
        ("holidays_until = 2027-01-01", "holidays_until = 2026-01-01", "calendar.holidays_until", "order"),
        ("[2026-12-25]", "[2027-12-25]", "calendar.holidays", "range"),
        ("[2026-12-25]", "[2026-12-26, 2026-12-25]", "calendar.holidays", "order"),
        ('code = "DE-LIST"', 'code = "list"', "registers[0].code", "format"),
        ("[[hours]]", SECOND_LIST + "[[hours]]", "registers[1].code", "duplicate"),
        ('opens = "08:00"', 'opens = "8:00"', "hours[0].opens", "format"),
        ('closes = "24:00"', 'closes = "24:30"', "hours[0].closes", "format"),
        ('closes = "24:00"', 'closes = "08:00"', "hours[0].closes", "order"),
        ('["mon", "holiday"]', '["monday"]', "hours[0].days[0]", "unknown"),
        ("[identity]", "[identity", "file", "malformed"),
    ],
)  # fmt: skip
def test_a_wrong_pack_is_refused_with_key_and_reason(
    old: str, new: str, field: str, reason: str
) -> None:
    assert old in GOOD
    assert refusal(GOOD.replace(old, new, 1)) == (field, reason)


@pytest.mark.parametrize(
    "data", [b"\xff", b"", b"a = 1\x00", b"x" * (1 << 21), b"a=" + b"[" * 99_999]
)
def test_bytes_that_are_no_pack_are_refused(data: bytes) -> None:
    with pytest.raises(InputError):
        load(data)


def test_a_pack_is_known_by_its_bytes() -> None:
    found = load(GOOD.encode())
    assert found.name == "DE@1"
    assert found.hash == hashlib.sha256(GOOD.encode()).hexdigest()
    assert load((GOOD + "# a remark\n").encode()).hash != found.hash
    assert not packs.is_published(found)


def test_what_was_read_once_is_kept_by_all_the_bytes_that_it_came_of() -> None:
    parent = GOOD.encode()
    first = load(CHILD.encode(), {"DE@1": parent})
    assert load(CHILD.encode(), {"DE@1": bytes(parent)}) is first
    changed = parent.replace(b'"Service is no marketing."', b'"Service is none."')
    other = load(CHILD.encode(), {"DE@1": changed})
    assert (first.service.says, other.service.says) == (
        "Service is no marketing.",
        "Service is none.",
    )


def test_what_a_pack_leaves_out_is_its_parents() -> None:
    told = (
        CHILD
        + '[regime.sms]\nnatural = "opt_in"\nlegal = "opt_in"\nsays = "x"\ncitations = ["law", "own"]\n'
    )
    told += '[[citations]]\nid = "own"\ntitle = "Own"\nsection = ""\nurl = ""\nkind = "memory"\n'
    parent, found = load(GOOD.encode()), load(told.encode(), {"DE@1": GOOD.encode()})
    assert (found.parent, parent.parent) == ("DE@1", None)
    assert found.exception == parent.exception
    assert found.labels == parent.labels
    assert found.regime["email"] == parent.regime["email"]
    assert found.regime["sms"].legal == "opt_in"
    assert list(found.citations) == ["law", "own"]
    assert (found.countries, found.valid_from) == (("AT",), date(2020, 1, 1))
    assert found.hash == hashlib.sha256(told.encode()).hexdigest()
    # A list that is there replaces the parent's whole, so an empty one takes all away.
    without = told.replace('countries = ["AT"]\n', 'countries = ["AT"]\nlabels = []\n')
    assert load(without.encode(), {"DE@1": GOOD.encode()}).labels == ()


@pytest.mark.parametrize(
    ("text", "parents", "field", "reason"),
    [
        (CHILD, {}, "inherits", "missing"),
        (CHILD, {"DE@1": GOOD.replace('version = "1"', 'version = "2"', 1)}, "inherits", "unknown"),
        (CHILD.replace('"DE@1"', '"DE"'), {}, "inherits", "format"),
        (CHILD.replace('"DE@1"', '"AT@1"'), {"AT@1": CHILD.replace('"DE@1"', '"AT@1"')}, "inherits", "range"),
        (CHILD.replace('countries = ["AT"]', ""), {"DE@1": GOOD}, "countries", "missing"),
        (CHILD + '[[citations]]\nid = "law"\ntitle = "x"\nsection = "x"\nurl = ""\nkind = "memory"\n', {"DE@1": GOOD},
         "citations[1].id", "duplicate"),
    ],
)  # fmt: skip
def test_a_wrong_parent_is_refused(
    text: str, parents: dict[str, str], field: str, reason: str
) -> None:
    with pytest.raises(InputError) as caught:
        load(text.encode(), {name: data.encode() for name, data in parents.items()})
    assert (caught.value.field, caught.value.reason) == (field, reason)


@pytest.mark.parametrize("name", packs.names())
def test_each_pack_of_this_installation_makes_sense(name: str) -> None:
    parents = {one: packs.pack_bytes(one) for one in packs.names()}
    assert schemas.check(packs.pack_bytes(name), parents, file=name).pack == packs.pack(name)


def test_the_versions_and_countries_of_this_installation_fit() -> None:
    found = [packs.pack(name) for name in packs.names()]
    for pack_id in {pack.id for pack in found}:
        schemas.check_versions([pack for pack in found if pack.id == pack_id])
    owners: dict[str, set[str]] = {}
    for pack in found:
        for country in pack.countries:
            owners.setdefault(country, set()).add(pack.id)
    assert {country: ids for country, ids in owners.items() if len(ids) > 1} == {}
    assert packs.pack_of_country("DE").id == "DE"
    assert packs.pack_of_country("BG").id == "EU"
    assert packs.pack_of_country("AQ").id == packs.pack_of_country(None).id == "XX"
    assert packs.newest("IN").version == "2"


def test_every_pack_is_published_with_the_bytes_that_are_pinned() -> None:
    pinned = {f"{pack_id}@{version}": told for (pack_id, version), told in packs.PUBLISHED.items()}
    found = {name: hashlib.sha256(packs.pack_bytes(name)).hexdigest() for name in packs.names()}
    assert found == pinned, "run tools/pin_packs.py"
    assert all(packs.is_published(packs.pack(name)) for name in packs.names())


def test_a_pinned_pack_that_was_changed_by_hand_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    changed, misnamed = tmp_path / "XX.toml", tmp_path / "DE-7.toml"
    changed.write_bytes(packs.pack_bytes("XX@1") + b"# mine\n")
    misnamed.write_bytes(GOOD.encode())
    files = {("XX", "1"): changed, ("DE", "7"): misnamed}
    monkeypatch.setattr(packs, "_files", lambda: files)
    for name, key in (("XX@1", "hash"), ("DE@7", "id")):
        with pytest.raises(InputError) as caught:
            packs.pack.__wrapped__(name)  # past its memory
        assert caught.value.field == key


def test_packs_load_where_the_machine_has_no_time_zones() -> None:
    code = "import consentledger.law.reading.packs as p; print(len([p.pack(n) for n in p.names()]))"
    bare = os.environ | {"PYTHONTZPATH": ""}
    ran = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=bare
    )
    assert int(ran.stdout) == len(packs.names())


def test_other_packs_are_not_found() -> None:
    for read in (packs.pack, packs.pack_bytes):
        with pytest.raises(NotFoundError):
            read("DE@99")
    with pytest.raises(NotFoundError):
        packs.newest("ZZ")


def test_the_law_runs_without_a_framework_or_a_database() -> None:
    code = (
        "import sys, consentledger.law.reading.packs as p, consentledger.law.deciding.decider;"
        "[p.pack(n) for n in p.names()];"
        "print(sorted(m for m in sys.modules if m.split('.')[0] in"
        " ('flask', 'sqlalchemy', 'marshmallow', 'cryptography')"
        " or m.startswith('consentledger.') and m.split('.')[1] not in ('law', 'kernel')))"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "[]"
