"""The form studio as a marketer types it, on both engines: from one file to a served form."""

from __future__ import annotations

import json
import re
import shlex
import tomllib
from collections.abc import Callable
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy import select

from consentledger.cli.form.making import EXAMPLE
from consentledger.db.installation import Installation
from consentledger.kernel.errors import ConflictError, ConsentLedgerError, InputError, NotFoundError
from consentledger.organisations import queries
from consentledger.organisations.models import Form, Purpose, Sender, Wording
from consentledger.organisations.pausing import PauseForm, pause_form
from consentledger.organisations.service import CreateOrganisation, create_organisation
from tests.support import published
from tests.support.operators import Operator

ROOT = Path(__file__).resolve().parents[2]
TEXT = EXAMPLE.read_text(encoding="utf-8")
LEGAL_NAME = "Galway Bay Books Ltd"


@pytest.fixture
def shop(
    installation: Installation,
    environment: dict[str, str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Operator:
    with installation.database.begin() as tx:
        command = CreateOrganisation("Galway Bay Books", LEGAL_NAME, "IE")
        create_organisation(tx, command, installation.settings)
    monkeypatch.chdir(tmp_path)
    Path("form.toml").write_text(TEXT, encoding="utf-8")
    return Operator(environment)


def write(text: str, name: str = "form.toml") -> None:
    Path(name).write_text(text, encoding="utf-8")


def rows(installation: Installation) -> list[int]:
    with installation.database.read() as session:
        return [session.query(table).count() for table in (Form, Purpose, Sender, Wording)]


def size(installation: Installation) -> int:
    with installation.database.read() as session:
        [owner] = queries.organisations(session)
    return published.size(installation.database, owner.organisation_id)


def forms(shop: Operator) -> list[dict[str, object]]:
    found: list[dict[str, object]] = json.loads(shop.types("form", "list", "--json"))["forms"]
    return found


def test_the_example_is_the_one_in_docs() -> None:
    assert (ROOT / "docs/examples/form.toml").read_text(encoding="utf-8") == TEXT


def test_the_commands_of_the_guide_work_as_they_stand(shop: Operator) -> None:
    guide = (ROOT / "docs" / "embed.md").read_text(encoding="utf-8")
    own = guide.partition("## A form of your own")[2].partition("## In production")[0]
    lines = "".join(re.findall(r"```sh\n(.*?)```", own, re.S)).splitlines()
    assert len(lines) == 8
    for line in lines:
        program, *words = shlex.split(line, comments=True)
        assert program == ".venv/bin/consentledger"
        if ">" in words:
            *words, _, file = words
            write(shop.types(*words), file)
        else:
            shop.types(*words)
    assert [each["state"] for each in forms(shop)] == ["published", "published"]


def test_from_the_example_to_a_served_form(shop: Operator, installation: Installation) -> None:
    assert shop.types("form", "example") == TEXT
    assert "no form yet" in shop.types("form", "list")
    said = shop.types("form", "new", "form.toml")
    assert "the sender Galway Bay Books is published" in said
    assert "2 wordings are drafted" in said
    assert "consentledger form publish books" in said
    assert "nothing is missing" in shop.types("form", "check", "books")
    file = shop.types("form", "preview").strip()
    assert file == "books.en.preview.html"
    html = Path(file).read_text(encoding="utf-8")
    assert "This is a preview" in html
    assert "<form" not in html
    assert '<link rel="stylesheet"' not in html
    assert "<style>" in html
    said = shop.types("form", "publish", "books")
    assert "version 1" in said
    line = shop.types("form", "snippet").strip()
    assert line in said
    assert line.count("\n") == 0
    [form] = forms(shop)
    assert f'<consent-form form="{form["form"]}">' in line
    assert line in shop.types("form", "snippet", "books", "--as", "page")
    pinned = shop.types("form", "snippet", "new books", "--as", "pinned")
    assert 'integrity="sha384-' in pinned
    assert (form["state"], form["version"], form["inputs"]) == ("published", 1, ["email", "name"])
    with installation.database.read() as session:
        served = queries.published_form(session, _uuid(form))
    assert [box.title for box in served.purposes] == ["New books", "Readings"]
    assert served.controllers == (LEGAL_NAME,)
    shown = shop.types("form", "show")
    for words in ("published, version 1", "https://books.example", "0 asked", "/f/"):
        assert words in shown
    assert "is taken down" in shop.types("form", "take-down")
    assert "unpublished, version 1" in shop.types("form", "list")
    assert isinstance(shop.fails("form", "resume"), ConflictError)


def test_what_is_written_back_changes_nothing(shop: Operator, installation: Installation) -> None:
    shop.types("form", "new", "form.toml")
    shop.types("form", "publish")
    before, entries = rows(installation), size(installation)
    text = shop.types("form", "show", "--toml")
    assert tomllib.loads(text)["box"][0]["title"] == "New books"
    write(text, "again.toml")
    assert "0 wordings are drafted" in shop.types("form", "edit", "books", "again.toml")
    assert rows(installation) == before
    assert size(installation) == entries
    write(text.replace("once a week", "at most once a week"), "again.toml")
    assert "1 wordings are drafted" in shop.types("form", "edit", "books", "again.toml")
    write(text.replace("once a week", "twice a week"), "again.toml")
    shop.types("form", "edit", "books", "again.toml")
    # A draft is changed in place; a published wording never is.
    assert rows(installation) == [before[0], before[1], before[2], before[3] + 1]
    assert "version 2" in shop.types("form", "publish", "books")
    assert "twice a week" in shop.types("form", "show")


def test_origins_hold_at_once_in_every_language(shop: Operator) -> None:
    shop.types("form", "new", "form.toml")
    shop.types("form", "publish")
    _translate(shop)
    shop.types("form", "publish", "--language", "de")
    said = shop.types("form", "origins", "--add", "http://127.0.0.1:8900")
    assert "http://127.0.0.1:8900" in said
    assert "Published in en" in said
    assert "Published in de" in said
    first, german = forms(shop)
    assert first["origins"] == german["origins"]
    assert (first["version"], german["version"]) == (2, 2)
    assert shop.types("form", "origins") == said.partition("Published")[0]
    assert [each["version"] for each in forms(shop)] == [2, 2]
    # A draft that says something else is not published by the way.
    write(shop.types("form", "show", "--toml").replace("once a week", "often"), "again.toml")
    shop.types("form", "edit", "books", "again.toml")
    said = shop.types("form", "origins", "--remove", "http://127.0.0.1:8900")
    assert "Not served so in en yet: consentledger form publish books --language en" in said
    assert forms(shop)[0]["version"] == 2
    for words in (("--add", "https://books.example/path"), ("--remove", "https://other.example")):
        error = shop.fails("form", "origins", *words)
        assert isinstance(error, InputError)
        assert error.field == "origins"


def test_a_paused_form_says_why_and_is_resumed(shop: Operator, installation: Installation) -> None:
    shop.types("form", "new", "form.toml")
    shop.types("form", "publish")
    with installation.database.begin() as tx:
        [row] = tx.session.scalars(select(Form))
        pause = PauseForm(
            *(row.organisation_id, row.form_id, row.counted_from, "unconfirmed", 50, 2)
        )
        assert pause_form(tx, pause, lambda told: None)
    shown = shop.types("form", "show")
    assert "of 50 people it wrote to 2 confirmed" in shown
    assert "consentledger form resume books" in shown
    assert "http://127.0.0.1:8900" in shop.types(
        "form", "origins", "--add", "http://127.0.0.1:8900"
    )
    assert forms(shop)[0]["state"] == "paused", "nobody asked to serve it again"
    assert "is served again" in shop.types("form", "resume")
    assert forms(shop)[0]["state"] == "published"


def test_a_form_is_translated_by_its_words_alone(
    shop: Operator, installation: Installation
) -> None:
    shop.types("form", "new", "form.toml")
    shop.types("form", "publish")
    write(shop.types("form", "translate", "--to", "de"), "de.toml")
    shop.types("form", "translate", "books", "de.toml")
    assert "look: wordings: the text of New books is still" in shop.types("form", "check")
    said = _translate(shop)
    assert "still the first form" not in shop.types("form", "check")
    assert "a purpose is called Neue Bücher in de now" in said
    assert "consentledger form publish books --language de" in said
    assert "(not served)" in shop.types("form", "check", "--language", "de")
    assert "published in de, version 1" in shop.types("form", "publish", "--language", "de")
    first, german = forms(shop)
    assert german["translation_of"] == first["form"]
    with installation.database.read() as session:
        found = queries.translation_for(session, _uuid(first), "de-AT")
    assert found == _uuid(german)
    before = rows(installation)
    assert "drafted anew" in shop.types("form", "translate", "books", "de.toml")
    assert rows(installation) == before
    write(Path("de.toml").read_text(encoding="utf-8").replace("Lesungen", "Lesekreis"), "new.toml")
    shown = shop.fails("form", "translate", "books", "new.toml")
    assert "box 2 (Lesekreis): title: people agreed to it as Lesungen" in str(shown)
    french = shop.fails("form", "show", "--language", "fr")
    assert "form translate books --to fr" in str(french)
    text = Path("de.toml").read_text(encoding="utf-8")
    write(text.partition("[[box]]")[0] + "[[box]]" + text.rpartition("[[box]]")[2], "half.toml")
    error = shop.fails("form", "translate", "books", "half.toml")
    assert "half.toml: box: none for the purpose New books" in str(error)


def _translate(shop: Operator) -> str:
    text = shop.types("form", "translate", "books", "--to", "de")
    german = (
        ('title = "New books"', 'title = "Neue Bücher"'),
        ("may send me New books by", "darf mir Neue Bücher schicken, per"),
        ('title = "Readings"', 'title = "Lesungen"'),
        ("may send me Readings by", "darf mir Lesungen schicken, per"),
    )
    for old, new in german:
        assert old in text
        text = text.replace(old, new)
    write(text, "de.toml")
    return shop.types("form", "translate", "books", "de.toml")


def without(key: str) -> Callable[[str], str]:
    return lambda text: re.sub(rf"(?m)^{key} = .*\n", "", text, count=1)


def instead(old: str, new: str) -> Callable[[str], str]:
    return lambda text: text.replace(old, new, 1)


WRONG: list[tuple[Callable[[str], str], str, str]] = [
    (instead('name = "books"', "name = books"), "file", "malformed"),
    (without("language"), "language", "missing"),
    (instead('language = "en"', "language = 7"), "language", "type"),
    (instead('language = "en"', 'language = "English"'), "language", "format"),
    (instead('inputs = ["name"]', 'inputs = "name"'), "inputs", "type"),
    (instead("origins =", "orgins ="), "orgins", "unknown"),
    (instead('https://books.example", "http', 'https://*.shop", "http'), "origins", "wildcard"),
    (instead('title = "Readings"\n', ""), "box.2.title", "missing"),
    (
        instead('title = "Readings"', 'title = "New books"'),
        "box.2.categories",
        "differs",
    ),
    (instead('statement = "', 'ticked = true\nstatement = "'), "box.1.ticked", "unknown"),
    (instead('["events"]', '["Stories!"]'), "box.2.categories", "format"),
    (without("legal_name"), "sender.legal_name", "missing"),
    (instead('country = "IE"', 'country = "Ireland"'), "sender.country", "format"),
    (instead("https://books.example/privacy", "ftp://shop"), "sender.privacy_url", "scheme"),
    (instead('\ntext = """', '\nfile = "notice.txt"\ntext = """'), "notice.file", "double"),
]


def test_a_wrong_file_makes_nothing_and_is_told(shop: Operator, installation: Installation) -> None:
    entries = size(installation)
    for change, field, reason in WRONG:
        text = change(TEXT)
        assert text != TEXT, field
        write(text)
        error = shop.fails("form", "new", "form.toml")
        assert isinstance(error, InputError), field
        assert (error.field, error.reason) == (field, reason)
        assert "form.toml" in str(error)
        assert rows(installation) == [0, 0, 0, 0], field
        assert size(installation) == entries
    notice = re.compile(r'(?s)text = """.*?"""')
    Path("latin.txt").write_bytes("Datenschutzerklärung".encode("latin-1"))
    for name in ("nothing.txt", "latin.txt", "/dev/zero"):
        write(notice.sub(f'file = "{name}"', TEXT))
        error = shop.fails("form", "new", "form.toml")
        assert isinstance(error, InputError)
        assert (error.field, error.reason) == ("notice.file", "unreadable")
        assert rows(installation) == [0, 0, 0, 0], name
    # The right file is still taken: the wrong ones have left no name behind.
    Path("notice.txt").write_text(tomllib.loads(TEXT)["notice"]["text"], encoding="utf-8")
    write(notice.sub('file = "notice.txt"', TEXT))
    shop.types("form", "new", "form.toml")
    assert "nothing is missing" in shop.types("form", "check")


def test_publishing_names_everything_that_is_missing(
    shop: Operator, installation: Installation
) -> None:
    write(TEXT.replace("Ltd may send me New books by e-mail", "Ltd may write"))
    shop.types("form", "new", "form.toml")
    entries = size(installation)
    for words in (("form", "check"), ("form", "publish")):
        result = shop.run(*words)
        assert result.return_value == 1
        for gap in (
            "box New books: statement: does not name the purpose",
            "box New books: statement: does not name the channel",
        ):
            assert gap in result.output
    assert size(installation) == entries
    [form] = forms(shop)
    assert (form["state"], form["version"]) == ("draft", 0)
    gaps = json.loads(shop.run("form", "publish", "--json").output)["gaps"]
    assert [gap["reason"] for gap in gaps] == ["purpose_missing", "channel_missing"]


def test_what_is_called_alike_is_asked_back(shop: Operator, environment: dict[str, str]) -> None:
    assert isinstance(shop.fails("form", "show"), NotFoundError)
    shop.types("form", "new", "form.toml")
    taken = shop.fails("form", "new", "form.toml")
    assert isinstance(taken, ConflictError)
    assert "called books already" in str(taken)
    write(TEXT.replace('name = "books"', 'name = "shop"', 1))
    shop.types("form", "new", "form.toml")
    for words in ((), ("New books",)):
        error = shop.fails("form", "show", *words)
        assert isinstance(error, InputError)
        assert error.reason == "ambiguous"
        assert "books" in str(error)
        assert "shop" in str(error)
    one = forms(shop)[0]
    for word in (str(one["form"]), str(one["form"])[-12:], "books"):
        assert str(one["form"]) in shop.types("form", "show", word)
    assert isinstance(shop.fails("form", "show", "nothing"), NotFoundError)
    shop.types("organisation", "create", "charlie", "--legal-name", "C Ltd", "--country", "IE")
    error = shop.fails("form", "list")
    assert "--organisation, one of Galway Bay Books, charlie" in str(error)
    assert "no form yet" in shop.types("form", "list", "--organisation", "charlie")


def test_a_sender_and_a_purpose_that_there_are_stay_as_they_are(shop: Operator) -> None:
    shop.types("form", "new", "form.toml")
    head, _, rest = TEXT.partition("# Who writes, as every")
    tail = "[notice]" + rest.partition("[notice]")[2]
    second = head.replace('"books"', '"second"', 1) + 'sender = "Galway Bay Books"\n' + tail
    write(second)
    said = shop.types("form", "new", "form.toml")
    assert "is published" not in said
    assert "0 wordings" in said
    for old, new, words in (
        ('sender = "Galway Bay Books"', 'sender = "Nobody"', "there is: Galway Bay Books"),
        ('["books"]', '["indoor"]', "box 1 (New books): categories"),
        ('statement = "', 'purpose = "Nothing"\nstatement = "', "there is: New books"),
        ('categories = ["events"]', 'class = "tracking"', "box 2 (Readings): class"),
    ):
        write(second.replace('"second"', '"third"', 1).replace(old, new, 1))
        error = shop.fails("form", "new", "form.toml")
        assert isinstance(error, ConsentLedgerError)
        assert words in str(error)
    assert len(forms(shop)) == 2


def _uuid(form: dict[str, object]) -> UUID:
    return UUID(str(form["form"]))
