"""The rules pages: every country has one, unknown ones do not, and nobody needs an account or a script."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator

import pytest
import time_machine
from flask.testing import FlaskClient

from consentledger.app import create_app
from consentledger.db.installation import open_installation
from consentledger.law.countries import CODES
from consentledger.law.reading import packs
from consentledger.law.reading.choosing import ids
from tests.support.databases import SqliteDatabases
from tests.support.installations import environment_for, settings_from

MAIN = re.compile(r"<main.*</main>", re.S)


@pytest.fixture(autouse=True)
def _today() -> Iterator[None]:
    """Packs follow one another: what is in force is asked of one day."""
    with time_machine.travel("2026-12-01T12:00:00+00:00"):
        yield


@pytest.fixture(scope="module")
def client(
    sqlite: SqliteDatabases, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[FlaskClient]:
    """One service for all: these pages read no database."""
    folder = tmp_path_factory.mktemp("rules")
    installation = open_installation(settings_from(environment_for(sqlite.copy(folder), folder)))
    yield create_app(installation.settings, installation).test_client()
    installation.database.close()


def text_of(client: FlaskClient, path: str, language: str = "en") -> str:
    answer = client.get(path, headers={"Accept-Language": language})
    assert answer.status_code == 200, path
    assert answer.headers["Content-Language"] == language
    assert "script" not in answer.headers["Content-Security-Policy"]
    found = MAIN.search(answer.text)
    assert found is not None
    return html.unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", found[0])))


def test_the_list_leads_to_every_country_once(client: FlaskClient) -> None:
    links = re.findall(r'href="/rules/([^"]+)"', client.get("/rules").text)
    assert sorted(links) == sorted(CODES)
    assert client.get("/").text.count('href="/rules"') == 1


@pytest.mark.parametrize("pack_id", ids())
def test_every_pack_has_its_page(client: FlaskClient, pack_id: str) -> None:
    pack = packs.pack(f"{pack_id}@1")
    said = text_of(client, f"/rules/{pack_id}")
    for words in (pack.unsubscribe.says, pack.objection.says, pack.exception.says, pack.outside):
        assert re.sub(r"\s+", " ", words) in said
    assert "This is no legal advice." in said
    assert "Last review:" in said
    assert ("Draft: this was not checked in full" in said) == (pack.status == "draft")
    assert all(one.name in said for one in pack.complaints)
    assert all(one.title in said for one in pack.citations.values())


def test_a_page_says_how_each_source_was_read(client: FlaskClient) -> None:
    said = text_of(client, "/rules/EU")
    assert "from memory, still to be checked" in said
    assert "the text itself was read" in said
    assert "EU@1" in said
    page = client.get("/rules/EU").text
    for cited in re.findall(r'href="#source-([^"]+)"', page):
        assert f'id="source-{cited}"' in page


@pytest.mark.parametrize(
    ("asked", "code"),
    [("de", "DE"), ("DE-BY", "DE"), ("ca-qc", "CA"), ("uk", "GB"), ("eu", "EU"), ("xx", "XX")],
)
def test_other_ways_to_write_a_country_are_sent_on(
    client: FlaskClient, asked: str, code: str
) -> None:
    answer = client.get(f"/rules/{asked}")
    assert (answer.status_code, answer.location) == (301, f"/rules/{code}")


@pytest.mark.parametrize("asked", ["ZZ", "D", "Germany", "DE-", "%20", "..", "<b>", "D\u0415"])
def test_what_is_no_country_is_not_found(client: FlaskClient, asked: str) -> None:
    answer = client.get(f"/rules/{asked}")
    assert answer.status_code == 404
    assert "<b>" not in answer.text


def test_a_country_without_rules_of_its_own_is_read_strictly_and_says_so(
    client: FlaskClient,
) -> None:
    said = text_of(client, "/rules/KP")
    assert "Rules for advertising messages: North Korea" in said
    assert "This country’s rules are not written down here" in said
    shared = text_of(client, "/rules/BG")
    assert "Rules for advertising messages: Bulgaria" in shared
    assert "rules that several countries share" in shared


def test_a_page_speaks_german_and_marks_what_stays_english(client: FlaskClient) -> None:
    said = text_of(client, "/rules/DE", "de")
    assert "Regeln für Werbenachrichten: Deutschland" in said
    assert "Wo Sie sich beschweren" in said
    assert "Zuletzt durchgesehen: 21. November 2026." in said
    assert "Das ist keine Rechtsberatung." in said
    page = client.get("/rules/DE", headers={"Accept-Language": "de"}).text
    says = html.escape(packs.pack("DE@1").unsubscribe.says, quote=False).replace("'", "&#39;")
    assert f'<p lang="en">{says}</p>' in page
    assert re.findall(r"<main.*</main>", page, re.S)[0].count("%(") == 0


def test_what_ends_one_day_says_so(client: FlaskClient) -> None:
    assert "These rules end: 14 May 2027." in text_of(client, "/rules/IN")
