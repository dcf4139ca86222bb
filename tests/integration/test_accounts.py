"""API keys on both engines: only a hash is kept, a revoked or foreign one opens nothing."""

from __future__ import annotations

from uuid import UUID

import pytest
from sqlalchemy import select

from consentledger.accounts import queries, rules, service
from consentledger.accounts.models import ApiKey
from consentledger.db.engine import Database
from consentledger.db.models import LogHead
from consentledger.kernel.errors import InputError, NotFoundError, UnauthorisedError
from consentledger.kernel.settings import Settings
from tests import factories


def _opens(database: Database, token: str) -> queries.KeyFacts:
    with database.read() as session:
        return queries.authenticate(session, token)


def test_a_key_opens_its_own_organisation_and_is_kept_as_a_hash(
    database: Database, settings: Settings
) -> None:
    cast = factories.create_cast(database, settings)
    found = _opens(database, cast.bob.key.token)
    assert found.organisation_id == cast.alice.organisation_id
    assert found.scopes == ("permits:read",)
    assert found.actor == f"key:{cast.bob.key.key_id}"
    assert _opens(database, cast.charlie.key.token).organisation_id == cast.charlie.organisation_id
    secret = cast.bob.key.token[-43:].encode()
    with database.read() as session:
        rows = session.scalars(select(ApiKey)).all()
    assert {len(row.secret_hash) for row in rows} == {32}
    assert all(secret not in row.secret_hash for row in rows)
    assert cast.bob.key.token not in repr(cast)


def test_every_wrong_key_is_refused_in_the_same_words(
    database: Database, settings: Settings
) -> None:
    cast = factories.create_cast(database, settings)
    good = cast.alice.key.token
    other = cast.charlie.key.token
    wrong = [
        "",
        "cl_",
        good[:-1],
        good + "A",
        good[:-1] + ("A" if good[-1] != "A" else "B"),
        good[:36] + other[36:],
        good.upper(),
        "Bearer " + good,
        good + "\n",
        rules.Credential(UUID(int=7), "A" * 43).text,
    ]
    said = set()
    for token in wrong:
        with pytest.raises(UnauthorisedError) as raised:
            _opens(database, token)
        said.add(str(raised.value))
    assert len(said) == 1


def test_a_revoked_key_opens_nothing(database: Database, settings: Settings) -> None:
    cast = factories.create_cast(database, settings)
    revoke = service.RevokeKey(cast.alice.organisation_id, cast.bob.key.key_id)
    with database.begin() as tx:
        assert service.revoke_key(tx, revoke)
    with pytest.raises(UnauthorisedError):
        _opens(database, cast.bob.key.token)
    assert _opens(database, cast.alice.key.token)
    with database.begin() as tx:
        assert not service.revoke_key(tx, revoke)
    with database.read() as session:
        listed = queries.keys(session, cast.alice.organisation_id)
    assert [each.revoked_at is None for each in listed] == [True, False]


def test_nobody_revokes_anothers_key(database: Database, settings: Settings) -> None:
    cast = factories.create_cast(database, settings)
    with pytest.raises(NotFoundError), database.begin() as tx:
        service.revoke_key(
            tx, service.RevokeKey(cast.charlie.organisation_id, cast.alice.key.key_id)
        )
    assert _opens(database, cast.alice.key.token)


@pytest.mark.parametrize(
    ("name", "scopes", "field", "reason"),
    [
        ("", ("publish",), "name", "format"),
        ("a\nb", ("publish",), "name", "format"),
        ("x" * 101, ("publish",), "name", "format"),
        ("shop", (), "scopes", "missing"),
        ("shop", ("publish", "everything"), "scopes", "unknown"),
    ],
)
def test_a_wrong_key_names_its_field(
    database: Database,
    settings: Settings,
    name: str,
    scopes: tuple[str, ...],
    field: str,
    reason: str,
) -> None:
    owner = factories.create_organisation(database, settings)
    with pytest.raises(InputError) as raised, database.begin() as tx:
        service.create_key(tx, service.CreateKey(owner.organisation_id, name, scopes))
    assert (raised.value.field, raised.value.reason) == (field, reason)
    with database.read() as session:
        assert queries.keys(session, owner.organisation_id) == []
        assert session.scalar(select(LogHead.size)) == 3
