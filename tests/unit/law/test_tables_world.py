"""Each pack beyond Europe's, held against what its sources say: one table of cases per pack."""

from __future__ import annotations

import pytest

from tests.unit.law.cases import (
    au,
    br,
    ca,
    ch,
    cn,
    gb,
    hk,
    il,
    india,
    jp,
    kr,
    mx,
    nz,
    places,
    sg,
    tr,
    us,
    xx,
    za,
)
from tests.unit.law.cases.table import Case, run

TABLES = {
    "AU": au.CASES,
    "BR": br.CASES,
    "CA": ca.CASES,
    "CH": ch.CASES,
    "CN": cn.CASES,
    "GB": gb.CASES,
    "HK": hk.CASES,
    "IL": il.CASES,
    "IN": india.CASES,
    "JP": jp.CASES,
    "KR": kr.CASES,
    "MX": mx.CASES,
    "NZ": nz.CASES,
    "SG": sg.CASES,
    "TR": tr.CASES,
    "US": us.CASES,
    "XX": xx.CASES,
    "ZA": za.CASES,
}
ALL = [(row, case) for row, cases in TABLES.items() for case in cases]


@pytest.mark.parametrize(("row", "case"), ALL, ids=[f"{row}: {case.title}" for row, case in ALL])
def test_the_pack_decides_as_its_sources_say(row: str, case: Case) -> None:
    run(row, case)


@pytest.mark.parametrize(("row", "case"), places.CASES, ids=[one.title for _, one in places.CASES])
def test_every_place_where_the_recipient_may_be_must_allow(row: str, case: Case) -> None:
    run(row, case)


def test_every_row_has_its_cases() -> None:
    at_least = dict.fromkeys(TABLES, 4) | dict.fromkeys(("GB", "CA", "US", "AU", "KR", "ZA"), 12)
    short = {row: len(cases) for row, cases in TABLES.items() if len(cases) < at_least[row]}
    assert not short


def test_every_case_names_its_source_and_is_told_once() -> None:
    for row, cases in TABLES.items():
        assert all(case.source for case in cases), row
        titles = [case.title for case in cases]
        assert len(set(titles)) == len(titles), row
