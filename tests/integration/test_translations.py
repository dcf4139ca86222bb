"""A form in several languages on both engines: complete or refused, served only while it says the same."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy import column, select, table

from consentledger.db.engine import Database
from consentledger.db.installation import open_database
from consentledger.db.migrate import upgrade
from consentledger.kernel.errors import ConflictError, InputError
from consentledger.kernel.ids import uuid7
from consentledger.kernel.settings import Settings
from consentledger.organisations import queries, service, translations
from consentledger.organisations.facts import FormField
from consentledger.organisations.models import Form
from consentledger.organisations.rules import GapsError
from tests import factories
from tests.support.installations import environment_for, settings_from
from tests.support.published import size

GERMAN = "Ja, Alpenkraut Versand GmbH darf mir {} per E-Mail schicken."
FIELDS = (FormField("email", True), FormField("name", False))
SPOKEN = ("en", "de")


def german(database: Database, made: factories.MadeForm) -> service.FormSpec:
    """What the German translation of a form is made of; its wordings are published."""
    wordings = tuple(
        factories.create_wording(
            *(database, made.organisation_id, made.sender_id, box.purpose_id),
            language="de",
            statement=GERMAN.format(box.title),
        )
        for box in made.form.purposes
    )
    return service.FormSpec(
        made.sender_id,
        "de",
        wordings,
        FIELDS,
        origins=("https://shop.example",),
        returns=("https://shop.example/thanks",),
    )


def translate(
    database: Database, made: factories.MadeForm, spec: service.FormSpec, *, publish: bool = True
) -> UUID:
    command = service.WriteForm(made.organisation_id, spec, translation_of=made.form_id)
    with database.begin() as tx:
        form_id = service.create_form(tx, command).form_id
    if publish:
        publish_again(database, made, form_id)
    return form_id


def publish_again(
    database: Database, made: factories.MadeForm, form_id: UUID
) -> service.FormPublished:
    with database.begin() as tx:
        return service.publish_form(
            tx, service.PublishForm(made.organisation_id, form_id, "operator")
        )


def edit(
    database: Database, made: factories.MadeForm, form_id: UUID, spec: service.FormSpec
) -> None:
    with database.begin() as tx:
        service.edit_form(tx, form_id, service.WriteForm(made.organisation_id, spec))


def served(database: Database, form_id: UUID, language: str) -> UUID | None:
    with database.read() as session:
        return queries.translation_for(session, form_id, language)


def test_a_translation_is_served_for_its_language_and_no_other(
    database: Database, settings: Settings
) -> None:
    made = factories.create_published_form(database, settings)
    assert served(database, made.form_id, "de") is None
    other = translate(database, made, german(database, made))
    for tag in ("de", "DE", "de-AT", "de_CH"):
        assert served(database, made.form_id, tag) == other, tag
    for tag in ("en", "en-GB", "fr", "", "x" * 300, "de\x00"):
        assert served(database, made.form_id, tag) is None, tag
    # The translation itself is served as it is, and an unknown form is nobody's.
    assert served(database, other, "en") is None
    assert served(database, uuid7(), "de") is None
    with database.read() as session:
        assert queries.translations_stamp(session, made.form_id) == ((other, "de", 1),)
        assert queries.form(session, made.organisation_id, other).translation_of == made.form_id
    publish = service.PublishForm(made.organisation_id, made.form_id, "operator")
    with database.begin() as tx:
        service.unpublish_form(tx, publish)
    assert served(database, made.form_id, "de") is None
    publish_again(database, made, made.form_id)
    with database.begin() as tx:
        service.unpublish_form(tx, replace(publish, form_id=other))
    assert served(database, made.form_id, "de") is None


def test_a_translation_that_says_something_else_is_not_served(
    database: Database, settings: Settings
) -> None:
    made = factories.create_published_form(database, settings)
    spec = german(database, made)
    other = translate(database, made, spec)
    first = service.FormSpec(made.sender_id, "en", made.wording_ids, FIELDS, ("https://x.example",))
    edit(database, made, made.form_id, first)
    assert served(database, made.form_id, "de") == other, "a draft changes nothing"
    assert publish_again(database, made, made.form_id).behind == ("de",)
    assert served(database, made.form_id, "de") is None
    edit(database, made, other, replace(spec, origins=first.origins, returns=()))
    assert publish_again(database, made, other).behind == ()
    assert served(database, made.form_id, "de") == other
    assert publish_again(database, made, made.form_id).behind == ()


def test_publishing_a_translation_names_every_gap(database: Database, settings: Settings) -> None:
    made = factories.create_published_form(database, settings, titles=("weekly offers", "tips"))
    with database.begin() as tx:
        english_only = service.publish_purpose(
            tx, service.PublishPurpose(made.organisation_id, {"en": "events"}, "operator")
        ).id
    spec = german(database, made)
    text = factories.wording_text("events")
    with database.begin() as tx:
        untitled = service.create_wording(
            tx,
            service.WriteWording(made.organisation_id, made.sender_id, english_only, "de", text),
        )
    wrong = replace(spec, wordings=(spec.wordings[0], untitled), fields=(FIELDS[0],), origins=())
    form_id = translate(database, made, wrong, publish=False)
    before = size(database, made.organisation_id)
    with pytest.raises(GapsError) as raised:
        publish_again(database, made, form_id)
    assert [(gap.field, gap.reason) for gap in raised.value.gaps] == [
        ("wordings", "not_published"),
        ("wordings", "purpose_missing"),
        ("wordings", "purpose_added"),
        ("fields", "differs"),
        ("origins", "differs"),
        ("wordings", "purpose_title_missing"),
    ]
    edit(database, made, form_id, replace(spec, wordings=tuple(reversed(spec.wordings))))
    with pytest.raises(GapsError) as raised:
        publish_again(database, made, form_id)
    assert [gap.reason for gap in raised.value.gaps] == ["order"]
    assert size(database, made.organisation_id) == before
    edit(database, made, form_id, spec)
    assert publish_again(database, made, form_id).version == 1


def test_a_translation_waits_for_the_first_form(database: Database, settings: Settings) -> None:
    made = factories.create_published_form(database, settings)
    with database.begin() as tx:
        publish = service.PublishForm(made.organisation_id, made.form_id, "operator")
        service.unpublish_form(tx, publish)
    other = translate(database, made, german(database, made), publish=False)
    with pytest.raises(GapsError) as raised:
        publish_again(database, made, other)
    assert [gap.field for gap in raised.value.gaps] == ["translation_of"]


@pytest.mark.parametrize(
    ("change", "field", "reason"),
    [
        ({"translation_of": uuid7()}, "translation_of", "not_found"),
        ({"translation_of": "theirs"}, "translation_of", "not_found"),
        ({"translation_of": "translation"}, "translation_of", "translation"),
        ({"language": "en"}, "language", "same"),
    ],
)
def test_no_translation_of_a_wrong_thing(
    database: Database, settings: Settings, change: dict[str, object], field: str, reason: str
) -> None:
    made = factories.create_published_form(database, settings)
    spec = german(database, made)
    of = change.get("translation_of", made.form_id)
    if of == "theirs":
        of = factories.create_published_form(database, settings, noise=False).form_id
    if of == "translation":
        of = translate(database, made, spec)
        spec = replace(spec, language="fr")
    spec = replace(spec, language=str(change.get("language", spec.language)))
    command = service.WriteForm(made.organisation_id, spec, translation_of=of)  # type: ignore[arg-type]
    with pytest.raises(InputError) as raised, database.begin() as tx:
        service.create_form(tx, command)
    assert (raised.value.field, raised.value.reason) == (field, reason)


def test_one_translation_per_language_and_one_form_per_name(
    database: Database, settings: Settings
) -> None:
    made = factories.create_published_form(database, settings)
    spec = german(database, made)
    other = translate(database, made, spec)
    with pytest.raises(ConflictError, match="into de already"):
        translate(database, made, spec)
    write = service.WriteForm(made.organisation_id, spec)
    for form_id, command, reason in (
        (other, replace(write, spec=replace(spec, language="fr")), "fixed"),
        (other, replace(write, translation_of=other), "fixed"),
        (made.form_id, replace(write, translation_of=other), "fixed"),
        (made.form_id, write, "translated"),
        (other, replace(write, name=str(uuid7())), "format"),
    ):
        with pytest.raises(InputError) as raised, database.begin() as tx:
            service.edit_form(tx, form_id, command)
        assert raised.value.reason == reason
    named = service.WriteForm(
        made.organisation_id, service.FormSpec(made.sender_id, "en", ()), name="newsletter"
    )
    with database.begin() as tx:
        service.create_form(tx, named)
    with pytest.raises(ConflictError, match="called newsletter already"), database.begin() as tx:
        service.create_form(tx, named)
    theirs = factories.create_published_form(database, settings, noise=False)
    with database.begin() as tx:
        spec = service.FormSpec(theirs.sender_id, "en", ())
        service.create_form(tx, service.WriteForm(theirs.organisation_id, spec, name="newsletter"))


def test_completeness_says_what_every_language_lacks(
    database: Database, settings: Settings
) -> None:
    made = factories.create_published_form(database, settings)
    spec = german(database, made)
    other = translate(database, made, spec)
    french = translate(database, made, replace(spec, language="fr", wordings=()), publish=False)
    with database.read() as session:
        owner = made.organisation_id
        whole = translations.completeness(session, owner, made.form_id, SPOKEN)
        alone = translations.completeness(session, owner, french, SPOKEN)
    assert whole.complete
    assert whole.translations[0].warnings == ()
    assert whole.served
    assert [(one.form_id, one.language, one.served) for one in whole.translations] == [
        (other, "de", True),
        (french, "fr", False),
    ]
    assert [one.complete for one in whole.translations] == [True, False]
    assert [gap.reason for gap in alone.gaps] == ["missing", "purpose_missing"]
    assert [gap.reason for gap in alone.warnings] == ["our_sentences"]
    assert whole.translations[1] == alone
    # What the first form is about to say counts: its draft, before it is published.
    edit(
        database,
        made,
        made.form_id,
        replace(spec, language="en", wordings=made.wording_ids, origins=()),
    )
    with database.read() as session:
        coming = translations.completeness(session, owner, made.form_id, SPOKEN).translations[0]
    assert [gap.field for gap in coming.gaps] == ["origins"]
    assert coming.served


def test_forms_of_before_get_their_language(empty_database_url: str, tmp_path: Path) -> None:
    opened = open_database(settings_from(environment_for(empty_database_url, tmp_path)))
    try:
        upgrade(opened, "0021")
        values = {
            "organisation_id": uuid7(),
            "state": "draft",
            "version": 0,
            "created_at": datetime(2026, 11, 1, tzinfo=UTC),
        }
        names = ("organisation_id", "form_id", "state", "version", "draft", "created_at")
        columns = [column(name, Form.__table__.c[name].type) for name in names]
        old = table("form", *columns)
        with opened.begin() as tx:
            for language in ("pt-BR", "de"):
                row = {**values, "form_id": uuid7(), "draft": {"language": language}}
                tx.session.execute(old.insert().values(row))
        upgrade(opened)
        with opened.read() as session:
            found = session.scalars(select(Form).order_by(Form.form_id)).all()
        assert [(row.language, row.name, row.translation_of) for row in found] == [
            ("pt-BR", None, None),
            ("de", None, None),
        ]
    finally:
        opened.close()
