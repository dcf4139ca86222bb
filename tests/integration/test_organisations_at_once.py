"""Two at once: names are taken once, versions have no gaps, and a wording is published once."""

from __future__ import annotations

import threading
from collections.abc import Callable

from sqlalchemy import select

from consentledger.db.engine import Database
from consentledger.db.models import LogHead
from consentledger.kernel.errors import ConflictError
from consentledger.kernel.settings import Settings
from consentledger.organisations import queries, service
from consentledger.organisations.models import FormVersion
from tests import factories

THREADS = 6


def at_once(act: Callable[[], object]) -> list[object]:
    """Runs the same act in threads that start together; returns results and ConflictErrors."""
    start = threading.Barrier(THREADS)
    found: list[object] = []

    def run() -> None:
        start.wait()
        try:
            found.append(act())
        except ConflictError as error:
            found.append(error)

    threads = [threading.Thread(target=run) for _ in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == THREADS, "an act failed otherwise than by a conflict"
    return found


def test_one_name_makes_one_organisation(database: Database, settings: Settings) -> None:
    found = at_once(lambda: factories.create_organisation(database, settings, name="alice"))
    made = [each for each in found if isinstance(each, service.OrganisationCreated)]
    assert len(made) == 1
    with database.read() as session:
        assert [each.name for each in queries.organisations(session)] == ["alice"]
        assert session.scalars(select(LogHead.size)).all() == [3]


def test_versions_of_a_form_have_no_gaps(database: Database, settings: Settings) -> None:
    made = factories.create_published_form(database, settings)

    def publish() -> int:
        with database.begin() as tx:
            command = service.PublishForm(made.organisation_id, made.form_id, "operator")
            return service.publish_form(tx, command).version

    assert sorted(at_once(publish)) == list(range(2, 2 + THREADS))  # type: ignore[type-var]
    with database.read() as session:
        rows = session.execute(
            select(FormVersion.version, FormVersion.entry_index)
            .where(FormVersion.form_id == made.form_id)
            .order_by(FormVersion.version)
        ).all()
    assert [version for version, _ in rows] == list(range(1, 2 + THREADS))
    indexes = [index for _, index in rows]
    assert indexes == sorted(set(indexes))


def test_versions_of_a_sender_have_no_gaps(database: Database, settings: Settings) -> None:
    made = factories.create_published_form(database, settings)

    def publish() -> int:
        with database.begin() as tx:
            command = service.PublishSender(
                made.organisation_id, factories.identity(), "operator", made.sender_id
            )
            return service.publish_sender(tx, command).version

    assert sorted(at_once(publish)) == list(range(2, 2 + THREADS))  # type: ignore[type-var]


def test_a_wording_is_published_once(database: Database, settings: Settings) -> None:
    made = factories.create_published_form(database, settings)
    draft = factories.create_wording(
        database, made.organisation_id, made.sender_id, made.purpose_ids[0], publish=False
    )

    def publish() -> service.WordingPublished:
        with database.begin() as tx:
            command = service.PublishWording(made.organisation_id, draft, "operator")
            return service.publish_wording(tx, command)

    found = at_once(publish)
    assert len([each for each in found if isinstance(each, service.WordingPublished)]) == 1
    assert len([each for each in found if isinstance(each, ConflictError)]) == THREADS - 1
