"""Publishing on both engines: what is stored, what the log says, and what is refused."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

import pytest
from sqlalchemy import func, select

from consentledger.db.engine import Database
from consentledger.db.models import LogHead
from consentledger.kernel.errors import ConflictError, InputError
from consentledger.kernel.settings import Settings
from consentledger.organisations import facts, queries, service
from consentledger.organisations.models import Sender
from consentledger.organisations.rules import GapsError
from tests import factories
from tests.support.published import entry, size


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
    stranger = factories.create_organisation(database, settings)
    with database.read() as session:
        keystore, organisation_id = database.log.keystore, stranger.organisation_id
        assert queries.sender_transport(session, keystore, organisation_id, sender_id) is None
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
