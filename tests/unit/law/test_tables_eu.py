"""What the law of the European Union, its members and Norway says must come out, pack by pack."""

from __future__ import annotations

import pytest

from tests.unit.law.cases import (
    at,
    be,
    cz,
    de,
    dk,
    es,
    eu,
    fi,
    fr,
    gr,
    hu,
    ie,
    it,
    nl,
    no,
    pl,
    pt,
    ro,
    se,
)
from tests.unit.law.cases.table import Case, run

TABLES = {
    "EU": eu.CASES,
    "DE": de.CASES,
    "AT": at.CASES,
    "FR": fr.CASES,
    "IT": it.CASES,
    "ES": es.CASES,
    "NL": nl.CASES,
    "BE": be.CASES,
    "IE": ie.CASES,
    "SE": se.CASES,
    "DK": dk.CASES,
    "FI": fi.CASES,
    "PL": pl.CASES,
    "CZ": cz.CASES,
    "PT": pt.CASES,
    "RO": ro.CASES,
    "HU": hu.CASES,
    "GR": gr.CASES,
    "NO": no.CASES,
}


@pytest.mark.parametrize(
    ("row", "case"),
    [
        pytest.param(row, case, id=f"{row}-{case.title}")
        for row, cases in TABLES.items()
        for case in cases
    ],
)
def test_law_says(row: str, case: Case) -> None:
    run(row, case)
