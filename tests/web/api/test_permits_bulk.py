"""POST /permits by NDJSON over the app, on both engines."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, update

from consentledger.accounts.models import IdempotentAnswer
from consentledger.app import create_app
from consentledger.db.installation import Installation
from consentledger.organisations.packs import Adoption, AdoptPacks, adopt_packs
from consentledger.permits.bulk import runs
from consentledger.permits.bulk.models import PermitRun, PermitRunBatch
from consentledger.permits.links import PermitId
from consentledger.permits.models import Permit, PermitBatch
from consentledger.permits.service import prepare
from consentledger.worker.housekeeping import sweep_answers
from tests.web.api.bulk import PERMITS, World, crowd, make_world, read


@pytest.fixture(autouse=True)
def small_pieces(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Batches of a hundred, but for the test that wants them as they are."""
    if "as_they_are" not in request.node.name:
        monkeypatch.setattr("consentledger.permits.bulk.running.PIECE", 100)


@pytest.fixture
def world(installation: Installation) -> World:
    return make_world(installation)


def test_each_line_is_answered_and_what_is_shared_stands_once(world: World) -> None:
    answer = world.ask("ann@example.org", {"address": "nobody@example.org"}, "nonsense")
    (batch,), (ann, nobody, nonsense), done = read(answer)
    assert (ann["line"], ann["address"], ann["verdict"]) == (2, "ann@example.org", "allow")
    assert ann["valid_until"] == batch["valid_until"]
    token = ann["unsubscribe_url"].rpartition("/u/")[2]
    link = world.installation.tokens.read("unsubscribe", token)
    assert link is not None
    assert str(PermitId.from_bytes(link)) == ann["permit"]
    assert "Feedback-ID" in batch["headers"]
    ruling = batch["rulings"][ann["ruling"]]
    assert (ruling["verdict"], ruling["basis"]) == ("allow", "consent")
    assert ruling["duties"]
    for one, code in ((nobody, "no_basis"), (nonsense, "invalid_address")):
        assert (one["verdict"], one["valid_until"], one["unsubscribe_url"]) == ("deny", None, None)
        reasons = batch["rulings"][one["ruling"]]["reasons"]
        assert [reason["code"] for reason in reasons] == [code]
        assert reasons[0]["rule"]
        assert reasons[0]["source"]
    assert done["done"] is True
    assert "proves only that we did not permit it" in done["meaning"]
    counts = {name: done[name] for name in ("recipients", "allowed", "denied", "review", "errors")}
    assert counts == {"recipients": 3, "allowed": 1, "denied": 2, "review": 0, "errors": 0}
    assert answer.headers["Cache-Control"] == "no-store"
    read_again = world.client.get(f"{PERMITS}/{ann['permit']}", headers=world.cast.bob.headers)
    assert read_again.json["state"] == "valid"


def test_batches_as_they_are_commit_one_by_one_and_lines_keep_their_order(world: World) -> None:
    people = [*crowd(5_000, "ann@example.org"), *crowd(5_001, "bea@example.org")]
    batches, lines, done = read(world.ask(*people))
    assert [one["line"] for one in lines] == list(range(2, 10_003))
    assert [one["address"] for one in lines] == people
    assert len({one["batch"] for one in batches}) == len(batches) == 3
    indexes = [one["entry_index"] for one in batches]
    assert indexes == sorted(set(indexes))
    assert [one["line"] for one in lines if one["verdict"] == "allow"] == [5_001, 10_002]
    assert (done["recipients"], done["allowed"]) == (10_001, 2)
    assert world.counted(Permit) == 10_001


def test_a_broken_line_stands_in_its_place_and_the_rest_goes_on(world: World) -> None:
    people: list[object] = [*crowd(160, "ann@example.org")]
    broken = {2: b"{", 99: b'"a@x.example" "b@x.example"', 102: b"[1]", 158: b'{"address":1}'}
    for place, line in broken.items():
        people[place - 2] = line
    _, lines, done = read(world.ask(*people))
    assert [one["line"] for one in lines] == list(range(2, 162))
    errors = {one["line"]: one["error"]["code"] for one in lines if "error" in one}
    assert errors == {2: "malformed", 99: "malformed", 102: "type", 158: "missing"}
    assert lines[-1]["verdict"] == "allow"
    assert (done["recipients"], done["errors"], done["allowed"]) == (156, 4, 1)


def test_lines_that_ask_about_nobody_leave_no_batch(world: World) -> None:
    people = [*[b"{"] * 100, *[b""] * 100, "ann@example.org", *[b"7"] * 100]
    first = world.ask(*people, Idempotency_Key="k")
    batches, lines, done = read(first)
    assert (len(batches), done["recipients"], done["errors"]) == (1, 1, 200)
    assert [one["line"] for one in lines if "error" not in one] == [202]
    assert world.ask(*people, Idempotency_Key="k").data == first.data


WRONG: list[tuple[list[object], dict[str, Any], str]] = [
    (["ann@example.org"], {"purpose": "00000000-0000-7000-8000-000000000000"}, "purpose"),
    (["ann@example.org"], {"valid_for": 0}, "valid_for"),
    (["ann@example.org"], {"recipients": ["ann@example.org"]}, "recipients"),
    (["ann@example.org"], {"audience": "all"}, "audience"),
    ([], {"audience": "some"}, "audience"),
    ([], {"audience": ["all"]}, "audience"),
    ([], {"audience": "all", "recipients": []}, "audience"),
    ([], {}, "recipients"),
    ([b"", b" "], {}, "recipients"),
]


def test_what_is_wrong_with_the_message_is_a_problem_and_nothing_is_written(world: World) -> None:
    for lines, more, field in WRONG:
        answer = world.post(world.body(*lines, **more), Idempotency_Key="k")
        assert (answer.status_code, answer.json["errors"][0]["field"]) == (422, field)
        assert answer.mimetype == "application/problem+json"
        for model in (PermitBatch, PermitRun, PermitRunBatch, IdempotentAnswer):
            assert world.counted(model) == 0
    for content in (b"", b"\n\n", b"{broken\n", b'"ann@example.org"\n'):
        assert world.post(content).status_code == 400
    read(world.ask("ann@example.org", Idempotency_Key="k"))  # the key is free


def test_a_body_over_the_limit_is_refused_and_leaves_nothing(
    world: World, installation: Installation
) -> None:
    body = world.body(*crowd(50, "ann@example.org"))
    for limit, status in ((len(body) - 1, 413), (len(body), 200)):
        settings = replace(installation.settings, max_bulk_bytes=limit)
        opened = replace(installation, settings=settings)
        client = create_app(settings, opened).test_client(use_cookies=False)
        answer = World(world.cast, world.shop, client, opened).post(body)
        assert answer.status_code == status
    assert world.counted(PermitBatch) == 1


def test_the_same_key_gets_the_same_answer_and_no_new_batch(world: World) -> None:
    people = crowd(103, "ann@example.org", "bea@example.org")
    people[7:7] = [b"{"]  # type: ignore[list-item] # a broken line is told again in its place
    first = world.ask(*people, Idempotency_Key="once")
    assert "Idempotency-Replayed" not in first.headers
    world.shop.withdraw("ann@example.org")
    again = world.ask(*people, Idempotency_Key="once")
    assert again.data == first.data
    assert again.headers["Idempotency-Replayed"] == "true"
    assert world.counted(PermitBatch) == 2
    other = world.ask(*people[:-1], Idempotency_Key="once")
    assert (other.status_code, other.json["errors"][0]["reason"]) == (422, "key_reused")
    body = {**world.message, "recipients": ["ann@example.org"]}
    by_json = world.client.post(
        PERMITS, json=body, headers={**world.cast.alice.headers, "Idempotency-Key": "once"}
    )
    assert by_json.status_code == 422
    assert read(world.ask("ann@example.org"))[1][0]["verdict"] == "deny"


def test_a_run_that_stopped_goes_on_where_it_stopped(world: World) -> None:
    people = [*crowd(100, "ann@example.org"), *crowd(100, "bea@example.org"), "cy@example.org"]
    body = world.body(*people)
    response = world.begin(body, Idempotency_Key="k")
    told = next(response.iter_encoded())
    response.close()  # the client went away behind the first piece
    assert 1 <= world.counted(PermitBatch) <= 2
    world.shop.withdraw("ann@example.org", "bea@example.org")
    answer = world.post(body, Idempotency_Key="k")
    assert answer.data.startswith(told)
    batches, lines, done = read(answer)
    assert len(batches) == world.counted(PermitBatch) == 3
    verdicts = {one["address"]: one["verdict"] for one in lines}
    assert (
        verdicts["ann@example.org"] == "allow"
    )  # as it was told then; recheck says that it is dead
    assert verdicts["bea@example.org"] == "deny"
    assert done["recipients"] == 201
    assert world.post(body, Idempotency_Key="k").data == answer.data


def test_who_comes_second_with_a_key_is_refused_while_the_first_is_at_it(world: World) -> None:
    body = world.body(*crowd(250, "ann@example.org"))
    response = world.begin(body, Idempotency_Key="k")
    rest = response.iter_encoded()
    first = next(rest)
    second = world.post(body, Idempotency_Key="k")
    assert (second.status_code, "still running" in second.text) == (409, True)
    whole = first + b"".join(rest)
    response.close()
    assert json.loads(whole.splitlines()[-1])["done"]
    assert world.post(body, Idempotency_Key="k").data == whole
    assert world.counted(PermitBatch) == 3


def test_who_was_silent_for_too_long_loses_the_run_to_the_next(world: World) -> None:
    body = world.body(*crowd(400, "ann@example.org"))
    slow = world.begin(body, Idempotency_Key="k")
    rest = slow.iter_encoded()
    told = next(rest)
    with world.installation.database.begin() as tx:
        tx.session.execute(update(PermitRun).values(held_until=tx.now - timedelta(seconds=1)))
    _, lines, done = read(world.post(body, Idempotency_Key="k"))
    assert (done["recipients"], len(lines)) == (400, 400)
    last = json.loads((told + b"".join(rest)).splitlines()[-1])
    slow.close()
    assert last["error"]["code"] == "conflict"
    assert world.counted(PermitBatch) == 4
    assert world.counted(Permit) == 400


def test_a_withdrawal_during_the_run_is_honoured_by_the_batches_behind_it(world: World) -> None:
    # The next piece is prepared ahead, so its facts are older than the withdrawal: the second look finds it.
    people = [*crowd(100), *crowd(100, "ann@example.org"), *crowd(100, "bea@example.org")]
    response = world.begin(world.body(*people))
    rest = response.iter_encoded()
    told = next(rest)
    world.shop.withdraw("ann@example.org", "bea@example.org")
    lines = [json.loads(line) for line in (told + b"".join(rest)).splitlines()]
    response.close()
    assert [one["verdict"] for one in lines if one.get("address", "").endswith("example.org")] == [
        "deny",
        "deny",
    ]


def test_a_pack_adopted_during_the_run_judges_the_batches_behind_it(world: World) -> None:
    # Batches of one run share what they decided; and one is always decided ahead of its turn.
    german = [{"address": who, "country": "DE"} for who in ("ann@example.org", "bea@example.org")]
    people = [*crowd(98), *german] * 4
    response = world.begin(world.body(*people))
    rest = response.iter_encoded()
    told = next(rest)
    with world.installation.database.begin() as tx:
        adoption = AdoptPacks(world.shop.organisation_id, (Adoption("DE"),), "operator")
        adopt_packs(tx, adoption)
    answers = [json.loads(line) for line in (told + b"".join(rest)).splitlines()]
    response.close()
    packs, rulings = [], []
    for one in answers:
        rulings = one.get("rulings", rulings)
        if one.get("address") == "bea@example.org":
            rules = [reason["rule"] for reason in rulings[one["ruling"]]["reasons"]]
            packs.append({rule.partition("@")[0] for rule in rules})
    assert packs == [{"XX"}, {"DE"}, {"DE"}, {"DE"}]


def test_what_batches_share_is_what_each_would_decide_alone(world: World) -> None:
    command = world.shop.ask("ann@example.org", "bea@example.org", "x@example.net")
    first = prepare(world.installation.database, command)
    world.shop.withdraw("bea@example.org")
    people = replace(command, recipients=("bea@example.org", "x@example.net", "ann@example.org"))
    shared = prepare(world.installation.database, people, first)
    alone = prepare(world.installation.database, people)
    for one, other in zip(shared.drafted.rows, alone.drafted.rows, strict=True):
        assert one.contact_id == other.contact_id
        ruling = shared.drafted.rulings.list[one.verdict]
        assert ruling == alone.drafted.rulings.list[other.verdict]
    assert [
        shared.drafted.rulings.list[row.verdict].verdict.allowed for row in shared.drafted.rows
    ] == [False, False, True]


def test_json_takes_ten_thousand_and_no_more(world: World) -> None:
    for count, status in ((10_000, 200), (10_001, 422)):
        people = crowd(count, "ann@example.org")
        answer = world.client.post(
            PERMITS, json={**world.message, "recipients": people}, headers=world.cast.alice.headers
        )
        assert answer.status_code == status
        if status == 200:
            assert [row["address"] for row in answer.json["permits"]] == people
            assert answer.json["permits"][-1]["verdict"] == "allow"
        else:
            assert answer.json["errors"][0]["field"] == "recipients"


def test_runs_are_forgotten_with_their_keys(world: World) -> None:
    read(world.ask("ann@example.org", Idempotency_Key="k"))
    assert (world.counted(PermitRun), world.counted(PermitRunBatch)) == (1, 1)
    sweep_answers(world.installation)
    assert world.counted(PermitRun) == 1
    with world.installation.database.begin() as tx:
        over = tx.now - timedelta(seconds=1)
        for model in (PermitRun, PermitRunBatch, IdempotentAnswer):
            tx.session.execute(update(model).values(kept_until=over))
    assert sweep_answers(world.installation) == 3
    assert (world.counted(PermitRun), world.counted(PermitRunBatch)) == (0, 0)
    assert world.counted(PermitBatch) == 1


def test_a_key_whose_day_is_over_begins_a_new_run(world: World) -> None:
    first = world.ask("ann@example.org", Idempotency_Key="k")
    with world.installation.database.begin() as tx:
        over = tx.now - timedelta(seconds=1)
        tx.session.execute(update(IdempotentAnswer).values(kept_until=over))
    second = world.ask("bea@example.org", Idempotency_Key="k")
    assert read(second)[1][0]["permit"] != read(first)[1][0]["permit"]
    assert (world.counted(PermitRun), world.counted(PermitRunBatch)) == (1, 1)


def test_what_is_kept_of_a_run_names_nobody(world: World) -> None:
    read(world.ask(*crowd(90, "ann@example.org"), Idempotency_Key="k"))
    with world.installation.database.read() as session:
        row = session.scalars(select(PermitRunBatch)).one()
        keys = world.installation.keystore.organisation(session, world.shop.organisation_id)
        run = runs.Run(world.shop.organisation_id, row.key_hash, b"")
        (kept,) = runs.committed(session, world.installation.keystore, run)
        assert keys is not None
    assert (kept.first, kept.last) == (2, 91)
    assert b"@example" not in row.sealed
    assert len(row.sealed) < 400
    assert "ann@" not in json.dumps(dict(kept.kept))
