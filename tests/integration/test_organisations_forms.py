"""Wordings and forms on both engines: frozen when published, refused with every gap named."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sqlalchemy import select

from consentledger.db.engine import Database
from consentledger.kernel.errors import ConflictError, InputError, NotFoundError
from consentledger.kernel.ids import uuid7
from consentledger.kernel.settings import Settings
from consentledger.ledger.leaf import check_blob
from consentledger.organisations import queries, service
from consentledger.organisations.models import Wording
from consentledger.organisations.rules import GapsError
from tests import factories
from tests.support.published import entry, size


def test_a_wording_is_published_with_text_and_notice(
    database: Database, settings: Settings
) -> None:
    made = factories.create_published_form(database, settings)
    with database.read() as session:
        row = session.scalar(select(Wording).where(Wording.wording_id == made.wording_ids[0]))
    assert row is not None
    assert row.entry_index is not None
    kind, values, blobs = entry(database, made.organisation_id, row.entry_index)
    assert kind == "wording.published"
    assert values["controllers"] == ["Alpenkraut Versand GmbH"]
    text = check_blob(values["text"], blobs[0]).decode()  # type: ignore[arg-type]
    notice = check_blob(values["notice"], blobs[1]).decode()  # type: ignore[arg-type]
    assert "weekly offers by e-mail" in text
    assert "every message" in text
    assert notice.startswith("Who is responsible: Alpenkraut Versand GmbH.")


def test_a_published_wording_never_changes(database: Database, settings: Settings) -> None:
    made = factories.create_published_form(database, settings)
    wording_id = made.wording_ids[0]
    before = size(database, made.organisation_id)
    command = service.WriteWording(
        made.organisation_id,
        made.sender_id,
        made.purpose_ids[0],
        "en",
        factories.wording_text(
            statement="Alpenkraut Versand GmbH may send weekly offers by e-mail, and all else."
        ),
    )
    with pytest.raises(ConflictError, match="never changes"), database.begin() as tx:
        service.edit_wording(tx, wording_id, command)
    with pytest.raises(ConflictError, match="already"), database.begin() as tx:
        service.publish_wording(
            tx, service.PublishWording(made.organisation_id, wording_id, "operator")
        )
    assert size(database, made.organisation_id) == before


def test_a_draft_is_edited_and_makes_no_entry(database: Database, settings: Settings) -> None:
    made = factories.create_published_form(database, settings)
    before = size(database, made.organisation_id)
    draft = factories.create_wording(
        database,
        made.organisation_id,
        made.sender_id,
        made.purpose_ids[0],
        publish=False,
        statement="",
        controllers=(),
    )
    with pytest.raises(GapsError) as raised, database.begin() as tx:
        service.publish_wording(tx, service.PublishWording(made.organisation_id, draft, "x"))
    assert {(gap.field, gap.reason) for gap in raised.value.gaps} == {
        ("controllers", "missing"),
        ("statement", "purpose_missing"),
        ("statement", "channel_missing"),
    }
    text = factories.wording_text()
    with database.begin() as tx:
        service.edit_wording(
            tx,
            draft,
            service.WriteWording(
                made.organisation_id, made.sender_id, made.purpose_ids[0], "en", text
            ),
        )
    assert size(database, made.organisation_id) == before
    with database.begin() as tx:
        service.publish_wording(tx, service.PublishWording(made.organisation_id, draft, "x"))
    assert size(database, made.organisation_id) == before + 1


def test_a_form_is_frozen_and_served_by_its_id_alone(
    database: Database, settings: Settings
) -> None:
    made = factories.create_published_form(
        database, settings, titles=("weekly offers", "<b>gardening</b> tips")
    )
    form = made.form
    assert form.organisation_number == made.organisation.number
    assert [box.purpose_id for box in form.purposes] == list(made.purpose_ids)
    assert [box.wording_id for box in form.purposes] == list(made.wording_ids)
    assert form.sender.legal_name == "Alpenkraut Versand GmbH"
    assert form.controllers == ("Alpenkraut Versand GmbH",)
    assert [(item.name, item.required) for item in form.fields] == [
        ("email", True),
        ("name", False),
    ]
    assert form.request_days == 7
    with database.read() as session:
        row = queries.form_version(session, made.organisation_id, made.form_id, 1)
    assert row == form
    last = size(database, made.organisation_id) - 1
    kind, values, blobs = entry(database, made.organisation_id, last)
    assert kind == "form.published"
    assert values["fields"] == ["email:required", "name:optional"]
    assert values["text"] == list(form.text)
    assert values["notice"] == list(form.notice)
    shown = check_blob(values["text"], blobs[0]).decode()  # type: ignore[arg-type]
    assert "checked" not in shown
    assert shown.count('type="checkbox"') == 2
    assert "&lt;b&gt;gardening&lt;/b&gt; tips" in shown
    assert "<b>" not in shown
    assert "Who is responsible" in check_blob(values["notice"], blobs[1]).decode()  # type: ignore[arg-type]


def test_a_new_version_leaves_the_old_one_as_it_was(database: Database, settings: Settings) -> None:
    made = factories.create_published_form(database, settings)
    publish = service.PublishForm(made.organisation_id, made.form_id, "operator")
    spec = service.FormSpec(
        made.sender_id, "en", made.wording_ids, origins=("https://other.example:8443",)
    )
    with database.begin() as tx:
        service.edit_form(tx, made.form_id, service.WriteForm(made.organisation_id, spec))
    with database.read() as session:
        assert queries.published_form(session, made.form_id) == made.form
    with database.begin() as tx:
        assert service.publish_form(tx, publish).version == 2
    with database.read() as session:
        served = queries.published_form(session, made.form_id)
        old = queries.form_version(session, made.organisation_id, made.form_id, 1)
    assert old == made.form
    assert (served.version, served.origins) == (2, ("https://other.example:8443",))
    with database.begin() as tx:
        assert service.unpublish_form(tx, publish).state == "unpublished"
    with pytest.raises(NotFoundError), database.read() as session:
        queries.published_form(session, made.form_id)
    with pytest.raises(ConflictError), database.begin() as tx:
        service.unpublish_form(tx, publish)
    with database.begin() as tx:
        assert service.publish_form(tx, publish).version == 3


def test_a_form_names_all_its_gaps(database: Database, settings: Settings) -> None:
    made = factories.create_published_form(database, settings)
    organisation_id = made.organisation_id
    other_sender = factories.create_sender(database, organisation_id)
    tracking = factories.create_purpose(
        database, organisation_id, "measuring of opens", purpose_class="tracking", channels=("sms",)
    )
    draft = factories.create_wording(
        database,
        organisation_id,
        other_sender,
        tracking,
        publish=False,
        language="de",
        channel="sms",
    )
    again = factories.create_wording(database, organisation_id, made.sender_id, made.purpose_ids[0])
    spec = service.FormSpec(made.sender_id, "en", (*made.wording_ids, draft, again))
    with database.begin() as tx:
        form_id = service.create_form(tx, service.WriteForm(organisation_id, spec)).form_id
    with pytest.raises(GapsError) as raised, database.begin() as tx:
        service.publish_form(tx, service.PublishForm(organisation_id, form_id, "operator"))
    assert [gap.reason for gap in raised.value.gaps] == [
        "not_published",
        "other_sender",
        "other_language",
        "other_channel",
        "not_of_purpose",
        "double_purpose",
    ]
    with database.read() as session:
        assert queries.form(session, organisation_id, form_id).version == 0


def test_sms_is_data_but_can_not_be_collected_yet(database: Database, settings: Settings) -> None:
    owner = factories.create_organisation(database, settings)
    sender_id = factories.create_sender(database, owner.organisation_id)
    purpose_id = factories.create_purpose(
        database, owner.organisation_id, channels=("email", "sms")
    )
    wording_id = factories.create_wording(
        database,
        owner.organisation_id,
        sender_id,
        purpose_id,
        channel="sms",
        statement="Yes, Alpenkraut Versand GmbH may send me weekly offers by SMS.",
    )
    with pytest.raises(GapsError) as raised:
        factories.create_form(
            database, owner.organisation_id, sender_id, (wording_id,), channel="sms"
        )
    assert [(gap.field, gap.reason) for gap in raised.value.gaps] == [
        ("channel", "not_collectable")
    ]


def test_one_organisation_never_sees_anothers(database: Database, settings: Settings) -> None:
    mine = factories.create_published_form(database, settings)
    theirs = factories.create_published_form(database, settings, noise=False)
    me = mine.organisation_id
    text = factories.wording_text()
    write = service.WriteWording(me, theirs.sender_id, mine.purpose_ids[0], "en", text)
    acts = [
        lambda tx: service.create_wording(tx, write),
        lambda tx: service.create_wording(
            tx, replace(write, sender_id=mine.sender_id, purpose_id=theirs.purpose_ids[0])
        ),
        lambda tx: service.edit_wording(
            tx, theirs.wording_ids[0], replace(write, sender_id=mine.sender_id)
        ),
        lambda tx: service.publish_wording(
            tx, service.PublishWording(me, theirs.wording_ids[0], "x")
        ),
        lambda tx: service.publish_form(tx, service.PublishForm(me, theirs.form_id, "x")),
        lambda tx: service.unpublish_form(tx, service.PublishForm(me, theirs.form_id, "x")),
        lambda tx: service.publish_sender(
            tx, service.PublishSender(me, factories.identity(), "x", theirs.sender_id)
        ),
        lambda tx: service.publish_purpose(
            tx, service.PublishPurpose(me, {"en": "a"}, "x", purpose_id=theirs.purpose_ids[0])
        ),
        lambda tx: queries.form_version(tx.session, me, theirs.form_id, 1),
        lambda tx: queries.form(tx.session, me, theirs.form_id),
        lambda tx: queries.wording(tx.session, me, theirs.wording_ids[0]),
        lambda tx: queries.sender(tx.session, me, uuid7()),
    ]
    for act in acts:
        with pytest.raises(NotFoundError), database.begin() as tx:
            act(tx)
    spec = service.FormSpec(mine.sender_id, "en", theirs.wording_ids)
    with pytest.raises(InputError) as raised, database.begin() as tx:
        service.create_form(tx, service.WriteForm(me, spec))
    assert (raised.value.field, raised.value.reason) == ("wordings", "not_found")
    with database.read() as session:
        assert [each.form_id for each in queries.forms(session, me)] == [mine.form_id]
        assert [each.wording_id for each in queries.wordings(session, me)] == list(mine.wording_ids)
        assert [each.purpose_id for each in queries.purposes(session, me)] == list(mine.purpose_ids)
        assert queries.forms(session, me, after=mine.form_id) == []


def test_tracking_is_a_purpose_with_a_box_of_its_own(
    database: Database, settings: Settings
) -> None:
    made = factories.create_published_form(database, settings)
    organisation_id, title = made.organisation_id, "measuring of what I open"
    tracking = factories.create_purpose(database, organisation_id, title, purpose_class="tracking")
    with pytest.raises(GapsError) as raised:
        factories.create_wording(
            database,
            organisation_id,
            made.sender_id,
            made.purpose_ids[0],
            statement="Alpenkraut Versand GmbH may send me weekly offers by e-mail with "
            "measuring of what I open.",
        )
    assert [gap.reason for gap in raised.value.gaps] == ["other_purpose"]
    own = factories.create_wording(database, organisation_id, made.sender_id, tracking, title=title)
    form_id = factories.create_form(
        database, organisation_id, made.sender_id, (*made.wording_ids, own)
    )
    with database.read() as session:
        form = queries.published_form(session, form_id)
    assert [box.purpose_class for box in form.purposes] == ["marketing", "tracking"]
