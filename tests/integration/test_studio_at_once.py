"""Two marketers at the same form at once, on both engines: one after the other, and nothing half-written."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

from consentledger.db.engine import Database
from consentledger.db.unit_of_work import Tx
from consentledger.kernel.errors import ConflictError
from consentledger.kernel.settings import Settings
from consentledger.organisations import queries, service
from consentledger.organisations.studio.boxes import BoxPlan
from consentledger.organisations.studio.making import FormPlan, make_form, translate_form
from consentledger.organisations.studio.publishing import (
    ChangeOrigins,
    change_origins,
    publish_whole,
)
from tests import factories
from tests.support.published import size

GERMAN = "Ja, Alpenkraut Versand GmbH darf mir weekly offers per E-Mail schicken, {}."


def plan(made: factories.MadeForm, what: str) -> FormPlan:
    text = factories.wording_text(statement=GERMAN.format(what))
    box = BoxPlan("weekly offers", text)
    return FormPlan(made.organisation_id, "operator", "de", (box,), name=None)


def at_once(database: Database, acts: list[Callable[[Tx], object]]) -> list[BaseException | None]:
    """Runs each act in a thread and a transaction of its own, all beginning together; returns their errors."""
    barrier = Barrier(len(acts))

    def run(act: Callable[[Tx], object]) -> BaseException | None:
        barrier.wait()
        try:
            with database.begin() as tx:
                act(tx)
        except ConflictError as error:
            return error
        return None

    with ThreadPoolExecutor(len(acts)) as pool:
        return list(pool.map(run, acts))


def test_one_name_is_given_once(database: Database, settings: Settings) -> None:
    made = factories.create_published_form(database, settings)
    before = size(database, made.organisation_id)
    named = FormPlan(
        made.organisation_id,
        *("operator", "en", (BoxPlan("tips", factories.wording_text("tips")),)),
        name="tips",
    )
    errors = at_once(database, [lambda tx: make_form(tx, named) for _ in range(4)])
    assert sorted(error is None for error in errors) == [False, False, False, True]
    with database.read() as session:
        assert len(queries.forms(session, made.organisation_id)) == 2
        titles = [each.titles for each in queries.purposes(session, made.organisation_id)]
    assert titles.count({"en": "tips"}) == 1
    assert size(database, made.organisation_id) == before + 1


def test_translating_publishing_and_moving_get_on_with_each_other(
    database: Database, settings: Settings
) -> None:
    made = factories.create_published_form(database, settings)
    owner, first = made.organisation_id, made.form_id
    with database.begin() as tx:
        german = translate_form(tx, first, plan(made, "oft")).form_id
    with database.begin() as tx:
        publish_whole(tx, service.PublishForm(owner, german, "operator"))
    for number in range(5):
        origin = f"https://shop{number}.example"
        errors = at_once(
            database,
            [
                lambda tx, n=number: translate_form(tx, first, plan(made, f"{n} mal")),  # type: ignore[misc]
                lambda tx: publish_whole(tx, service.PublishForm(owner, german, "operator")),
                lambda tx, o=origin: change_origins(  # type: ignore[misc]
                    tx, ChangeOrigins(owner, first, "operator", (o,))
                ),
            ],
        )
        assert errors == [None, None, None]
    with database.begin() as tx:
        publish_whole(tx, service.PublishForm(owner, german, "operator"))
    with database.read() as session:
        origins = queries.published_form(session, first).origins
        assert origins == ("https://shop.example", *(f"https://shop{n}.example" for n in range(5)))
        assert queries.translation_for(session, first, "de") == german
