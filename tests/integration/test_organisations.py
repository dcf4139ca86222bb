"""Publishing on both engines: what is stored, what the log says, and what is refused."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

import pytest
from sqlalchemy import func, select

from consentledger.db.engine import Database
from consentledger.db.entries import open_disclosures, opening_context, unframe
from consentledger.db.models import LogHead, LogLeaf, Opening
from consentledger.kernel.errors import ConflictError, InputError, NotFoundError
from consentledger.kernel.ids import uuid7
from consentledger.kernel.settings import Settings
from consentledger.ledger.leaf import check_blob, check_disclosures, parse_leaf
from consentledger.organisations import facts, queries, service
from consentledger.organisations.models import Sender, Wording
from consentledger.organisations.rules import GapsError
from tests import factories


def size(database: Database, organisation_id: UUID) -> int:
    with database.read() as session:
        found = session.scalar(
            select(LogHead.size).where(LogHead.organisation_id == organisation_id)
        )
    assert found is not None
    return found


def entry(
    database: Database, organisation_id: UUID, index: int
) -> tuple[str, dict[str, object], list[bytes]]:
    """Opens one entry as an auditor would: kind, values against their commitments, blobs."""
    with database.read() as session:
        leaf = session.execute(
            select(LogLeaf).where(
                LogLeaf.organisation_id == organisation_id, LogLeaf.entry_index == index
            )
        ).scalar_one()
        origin = session.scalar(
            select(LogHead.origin).where(LogHead.organisation_id == organisation_id)
        )
        rows = session.scalars(
            select(Opening).where(
                Opening.organisation_id == organisation_id, Opening.entry_index == index
            )
        ).all()
        sealer = database.log.keystore.organisation(session, organisation_id).sealer
    contents = {
        row.opening_class: sealer.open(
            row.sealed, opening_context(str(origin), leaf.leaf_hash, row.opening_class)
        )
        for row in rows
    }
    parsed = parse_leaf(leaf.leaf)
    values = check_disclosures(parsed, open_disclosures(contents["core"]))
    blobs = unframe(contents["copy"]) if "copy" in contents else []
    return parsed.kind_name, {**values, **parsed.plain}, blobs


def test_an_organisation_begins_its_log_with_its_keys(
    database: Database, settings: Settings
) -> None:
    stranger = factories.create_organisation(database, settings)
    made = factories.create_organisation(database, settings, name="alice", ip_policy="truncated")
    kinds = [entry(database, made.organisation_id, index)[0] for index in range(3)]
    assert kinds == ["log.genesis", "organisation.changed", "pack.adopted"]
    genesis = entry(database, made.organisation_id, 0)[1]
    assert genesis["origin"] == f"{settings.log_host}/log/{made.log_id}"
    assert genesis["log_key"] == made.log_key
    assert made.log_key.startswith(f"{made.origin}+")
    assert genesis["evidence_key"] == made.evidence_key != made.log_key
    changed = entry(database, made.organisation_id, 1)[1]
    assert changed["name"] == "alice"
    assert changed["ip_policy"] == "truncated"
    assert changed["actor"] == "operator"
    assert stranger.origin != made.origin
    with database.read() as session:
        found = queries.organisation_by_number(session, made.number)
        assert found == queries.organisation(session, made.organisation_id)
        assert found == queries.organisation_by_name(session, "alice")
        assert found.organisation_id == made.organisation_id
        assert [each.name for each in queries.organisations(session)].count("alice") == 1


@pytest.mark.parametrize(
    ("change", "field", "reason"),
    [
        ({"name": " "}, "name", "missing"),
        ({"name": "a\nb"}, "name", "control_character"),
        ({"legal_name": "x" * 201}, "legal_name", "too_long"),
        ({"legal_name": "Safe \u202egnp"}, "legal_name", "control_character"),
        ({"country": "Germany"}, "country", "format"),
        ({"ip_policy": "some"}, "ip_policy", "unknown"),
        ({"request_days": 0}, "request_days", "range"),
        ({"request_days": 31}, "request_days", "range"),
    ],
)
def test_a_wrong_organisation_names_its_field(
    database: Database, settings: Settings, change: dict[str, object], field: str, reason: str
) -> None:
    with pytest.raises(InputError) as raised:
        factories.create_organisation(database, settings, **change)  # type: ignore[arg-type]
    assert (raised.value.field, raised.value.reason) == (field, reason)
    with database.read() as session:
        assert queries.organisations(session) == []


def test_a_name_is_taken_once(database: Database, settings: Settings) -> None:
    factories.create_organisation(database, settings, name="alice")
    with pytest.raises(ConflictError, match="alice already"):
        factories.create_organisation(database, settings, name="alice")
    with database.read() as session:
        assert session.scalar(select(func.count()).select_from(LogHead)) == 1


def test_a_sender_is_published_in_versions(database: Database, settings: Settings) -> None:
    made = factories.create_published_form(database, settings)
    organisation_id = made.organisation_id
    with database.begin() as tx:
        command = service.PublishSender(
            organisation_id,
            factories.identity(name="Alpenkraut & Söhne"),
            "key:1",
            sender_id=made.sender_id,
            link_host="Links.Bücher.example",
        )
        published = service.publish_sender(tx, command)
    assert (published.id, published.version) == (made.sender_id, 2)
    kind, values, _ = entry(database, organisation_id, published.entry_index)
    assert kind == "sender.published"
    assert values["name"] == "Alpenkraut & Söhne"
    assert values["link_host"] == "links.xn--bcher-kva.example"
    assert values["version"] == 2
    with database.read() as session:
        found = queries.sender(session, organisation_id, made.sender_id)
        listed = queries.senders(session, organisation_id)
        everybody = queries.all_senders(session)
    assert found.link_host == "links.xn--bcher-kva.example"
    assert found.organisation_number == made.organisation.number
    assert listed == [found]
    assert len(everybody) == 2


def test_a_senders_legal_person_never_changes(database: Database, settings: Settings) -> None:
    made = factories.create_published_form(database, settings)
    command = service.PublishSender(
        made.organisation_id, factories.identity("Other GmbH"), "operator", made.sender_id
    )
    with pytest.raises(ConflictError, match="another sender"), database.begin() as tx:
        service.publish_sender(tx, command)


def test_a_sender_names_all_its_gaps(database: Database, settings: Settings) -> None:
    owner = factories.create_organisation(database, settings)
    wrong = factories.identity(
        postal_address=" ",
        from_name="News\r\nBcc: all@example.org",
        from_address="news@@example",
        colour="red",
        privacy_url="javascript:alert(1)",
        country="de",
    )
    before = size(database, owner.organisation_id)
    with pytest.raises(GapsError) as raised, database.begin() as tx:
        service.publish_sender(tx, service.PublishSender(owner.organisation_id, wrong, "operator"))
    assert {gap.field: gap.reason for gap in raised.value.gaps} == {
        "postal_address": "missing",
        "from_name": "control_character",
        "from_address": "format",
        "colour": "format",
        "privacy_url": "scheme",
        "country": "format",
    }
    assert size(database, owner.organisation_id) == before


def test_a_senders_own_transport_is_sealed(database: Database, settings: Settings) -> None:
    owner = factories.create_organisation(database, settings)
    transport = facts.SenderTransport(
        "smtp.shop.example", 587, "starttls", "shop", "hunter2hunter2"
    )

    def publish(sender_id: UUID | None = None, **more: object) -> service.Published:
        with database.begin() as tx:
            return service.publish_sender(
                tx,
                service.PublishSender(
                    owner.organisation_id,
                    factories.identity(),
                    "operator",
                    sender_id,
                    **more,  # type: ignore[arg-type]
                ),
            )

    sender_id = publish(transport=transport).id

    def read() -> facts.SenderTransport | None:
        with database.read() as session:
            return queries.sender_transport(
                session, database.log.keystore, owner.organisation_id, sender_id
            )

    assert read() == transport
    with database.read() as session:
        sealed = session.scalar(select(Sender.sealed_transport))
    assert sealed is not None
    assert b"hunter2" not in sealed
    assert "hunter2" not in repr(transport)
    publish(sender_id)
    assert read() == transport
    publish(sender_id, drop_transport=True)
    assert read() is None
    for field, value in {"tls": "none", "server": "127.0.0.1", "port": 0}.items():
        with pytest.raises(InputError) as raised:
            publish(sender_id, transport=replace(transport, **{field: value}))  # type: ignore[arg-type]
        assert raised.value.field == f"transport.{field}"
    with pytest.raises(InputError, match="full name"):
        publish(sender_id, transport=replace(transport, server="localhost"))


def test_a_purpose_may_say_less_but_never_more(database: Database, settings: Settings) -> None:
    owner = factories.create_organisation(database, settings)

    def publish(purpose_id: UUID | None, **more: object) -> service.Published:
        values = {"titles": {"en": "weekly offers"}, "categories": ("teas", "balms"), **more}
        with database.begin() as tx:
            command = service.PublishPurpose(
                owner.organisation_id,
                actor="operator",
                purpose_id=purpose_id,
                **values,  # type: ignore[arg-type]
            )
            return service.publish_purpose(tx, command)

    first = publish(None)
    again = publish(
        first.id,
        titles={"en": "weekly offers", "de": "Wöchentliche Angebote"},
        categories=("teas",),
        channels=("email", "sms"),
    )
    assert (again.id, again.version) == (first.id, 2)
    values = entry(database, owner.organisation_id, again.entry_index)[1]
    assert values["titles"] == ["de=Wöchentliche Angebote", "en=weekly offers"]
    assert values["class"] == "marketing"
    assert values["channels"] == ["email", "sms"]
    for widening in (
        {"titles": {"en": "all offers of all partners"}},
        {"categories": ("teas", "insurance")},
        {"purpose_class": "tracking"},
        {"titles": {"de": "Wöchentliche Angebote"}},
    ):
        with pytest.raises(ConflictError):
            publish(first.id, **widening)
    with database.read() as session:
        found = queries.purpose(session, owner.organisation_id, first.id)
    assert (found.version, found.categories) == (2, ("teas",))
    assert found.title("de-AT") == "Wöchentliche Angebote"
    assert found.title("fr") == "Wöchentliche Angebote"


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
