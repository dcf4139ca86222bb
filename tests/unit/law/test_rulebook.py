"""Which packs judge where, what an adoption may change, and how countries are told."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from consentledger.kernel.errors import InputError
from consentledger.law.countries import CODES, normalise
from consentledger.law.reading import packs
from consentledger.law.reading.packs import load
from consentledger.law.rulebook import STRICTER, Adopted, Rulebook, check_stricter
from tests.support.pack_text import GOOD

DAY = date(2026, 11, 24)


def named(rulebook: Rulebook, *countries: str, day: date = DAY) -> list[str]:
    return [one.pack.name for one in rulebook.candidates(countries, day)]


def adopted(*names: str) -> Rulebook:
    return Rulebook(tuple(Adopted(packs.pack(name)) for name in names))


def test_each_country_has_its_pack() -> None:
    rulebook = adopted("XX@1", "EU@1", "FR@1", "DE@1")
    assert named(rulebook, "DE") == ["DE@1"]
    assert named(rulebook, "FR", "DE") == ["DE@1", "FR@1"]
    # Two countries of one pack are judged once.
    assert named(rulebook, "BG", "LV") == ["EU@1"]


def test_a_country_that_nobody_took_on_is_judged_by_the_fallback() -> None:
    rulebook = adopted("XX@1", "DE@1")
    assert named(rulebook) == ["XX@1"]
    assert named(rulebook, "FR") == ["XX@1"]
    assert named(rulebook, "DE", "FR") == ["DE@1", "XX@1"]
    assert named(rulebook, "no country") == ["XX@1"]


def test_without_a_fallback_nothing_judges() -> None:
    rulebook = adopted("DE@1")
    assert named(rulebook, "DE") == ["DE@1"]
    assert named(rulebook, "DE", "FR") == []
    assert named(rulebook) == []


def test_a_version_judges_while_it_is_in_force() -> None:
    rulebook = adopted("XX@1", "IN@2", "IN@1")
    assert named(rulebook, "IN", day=date(2027, 5, 13)) == ["IN@1"]
    assert named(rulebook, "IN", day=date(2027, 5, 14)) == ["IN@2"]
    assert named(adopted("XX@1", "IN@1"), "IN", day=date(2027, 5, 14)) == ["XX@1"]
    assert named(adopted("XX@1", "DE@1"), "DE", day=date(1990, 1, 1)) == []


def test_of_two_versions_in_force_the_higher_judges_whenever_it_was_adopted() -> None:
    ninth, tenth = (replace(packs.pack("DE@1"), version=version) for version in ("9", "10"))
    for order in ((ninth, tenth), (tenth, ninth)):
        rulebook = Rulebook((*map(Adopted, order), Adopted(packs.pack("XX@1"))))
        assert named(rulebook, "DE") == ["DE@10"]


@pytest.mark.parametrize(
    ("text", "wanted"),
    [("de", "DE"), (" CA-QC ", "CA"), ("gb-eng", "GB"), ("uk", "GB"), ("", None), (None, None)],
)
def test_countries_are_normalised(text: str | None, wanted: str | None) -> None:
    assert normalise(text) == wanted


@pytest.mark.parametrize("text", ["XX", "Germany", "D", "DE-", "DE-ABCD", "ZZ-1", "ＤＥ", "EU"])
def test_what_is_no_country_is_refused(text: str) -> None:
    with pytest.raises(InputError) as caught:
        normalise(text, field="country")
    assert (caught.value.field, caught.value.reason) == ("country", "unknown")
    assert len(CODES) == 249


@pytest.mark.parametrize(
    ("words", "accepts", "field", "reason"),
    [
        (("exception=on",), (), "stricter", "unknown"),
        (("exception.months=N",), (), "stricter", "unknown"),
        (("consent.months=0",), (), "stricter", "unknown"),
        (("consent.months=1201",), (), "stricter", "range"),
        (("opt_out=off", "opt_out=off"), (), "stricter", "duplicate"),
        ((), ("sale_paid",), "accepts", "unknown"),
        ((), ("inquiry", "inquiry"), "accepts", "duplicate"),
    ],
)
def test_an_adoption_may_only_be_stricter(
    words: tuple[str, ...], accepts: tuple[str, ...], field: str, reason: str
) -> None:
    found = load(GOOD.encode())
    good = [word.replace("=N", "=12") for word in STRICTER]
    check_stricter(good, ("inquiry",), found)
    with pytest.raises(InputError) as caught:
        check_stricter(words, accepts, found)
    assert (caught.value.field, caught.value.reason) == (field, reason)


def test_a_longer_life_than_the_laws_is_laxer() -> None:
    expiring = load(GOOD.replace("dormancy_warning", "expires").encode())
    check_stricter(("consent.months=24",), (), expiring)
    with pytest.raises(InputError) as caught:
        check_stricter(("consent.months=25",), (), expiring)
    assert caught.value.reason == "laxer"
