"""That no later entry exists: shown by honest bundles, and by no operator who leaves one out."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from typing import Any

import pytest

from consentledger.ledger import merkle, strict
from consentledger.ledger.bundle import to_json
from consentledger.ledger.leaf import label
from consentledger.verify.absence import absence_file, absence_range, place_json
from tests.unit.verify.bundles import BundledLog, Change, check, journey, members, wrong
from tests.unit.verify.memory import Contact

FILE = "absence/anna.json"


def world() -> tuple[BundledLog, Contact]:
    """Two indexes, the first of them with all of Anna's entries; behind them a tail of three."""
    log, anna, _, _ = journey()
    for name in ("carl", "dora", "emil"):
        log.request(Contact(name), f"r-{name}")
    log.index()
    log.object(Contact("fritz"))
    log.add("configuration.changed", {"setting": "ip_policy", "value": "none"})
    return log, anna


def tail_of(log: BundledLog) -> list[int]:
    return list(range(log.indexes()[-1][1].size + 1, len(log.built)))


def opened(index: int) -> str:
    return f"entries/{index}.disclosures"


@pytest.mark.parametrize("form", ["pairs", "tail", "tiles"])
def test_an_honest_bundle_shows_it(form: str) -> None:
    log, anna = world()
    tail = tail_of(log)
    data = {
        "pairs": lambda: log.bundle([anna]),
        "tail": lambda: log.bundle([anna], tail=tail),
        "tiles": lambda: log.tiled([anna], shown=lambda index: index not in tail),
    }[form]()
    report = check(data, log)
    assert report.exit_code == 0, report.text()
    assert (
        f"No later entry under contact anna exists in this log up to {len(log.built)} entries:"
        " label 5 is in none of its 2 indexes, nor in the 3 entries behind them. A stop filed"
        " under another contact, or never logged, is not excluded" in report.text()
    )


def test_a_log_without_an_index_is_all_tail() -> None:
    log, anna = BundledLog(), Contact("anna")
    log.request(anna)
    report = check(log.bundle([anna]), log)
    assert report.exit_code == 0
    assert f"none of its 0 indexes, nor in the {len(log.built)} entries" in report.text()


def test_a_range_without_labels_and_one_with_a_single_label() -> None:
    log, anna = BundledLog(), Contact("anna")
    log.index()
    log.request(anna)
    log.index()
    assert [index.count for _, index in log.indexes()] == [0, 1]
    report = check(log.bundle([anna]), log)
    assert report.exit_code == 0, report.text()


def test_without_the_key_or_the_file_it_says_that_it_shows_nothing() -> None:
    log, anna = world()

    def drop(found: dict[str, bytes]) -> None:
        del found[FILE]

    for report in (check(log.bundle(), log), members(log, [anna], drop)):
        assert report.exit_code == 0
        assert "That no later entry of the contact exists is not shown" in report.text()
        assert "No later entry" not in report.text()


def test_a_file_without_its_key() -> None:
    log, anna = world()

    def drop(found: dict[str, bytes]) -> None:
        del found["labels/anna.json"]

    assert wrong(members(log, [anna], drop)) == [(FILE, "absence")]


def hidden_world() -> tuple[BundledLog, Contact, int]:
    """Anna withdraws again, an index covers it, and the operator does not want to show it."""
    log, anna = world()
    hidden = log.object(anna)
    log.index()
    anna.entries -= 1
    return log, anna, hidden


def test_a_hidden_stop_is_in_an_index_whatever_neighbours_are_shown() -> None:
    log, anna, hidden = hidden_world()
    *before, (entry, index) = log.indexes()
    labels = log.labels(index.first, index.size)
    raw = labels.to_bytes()
    places: list[object] = [None]
    places += [place_json(labels.place(raw[i : i + 32])) for i in range(0, len(raw), 32)]
    assert len(places) == 3  # none, and the two labels of that range
    honest = [log.absence_part(anna, one, index.first, index.size) for one, index in before]
    for left in places:
        for right in places:
            part = {"entry": entry, "left": left, "present": [], "right": right}
            told = absence_file("anna", anna.entries, [*honest, part])
            report = check(log.bundle([anna], change=write(told), skip=[hidden]), log)
            assert wrong(report) == [(FILE, "absence")]
            assert f"in the log.index of entry {entry}" in report.text()


def write(told: object) -> Change:
    def change(found: dict[str, bytes]) -> None:
        found[FILE] = to_json(told)

    return change


def test_a_hidden_stop_whose_index_is_left_out_too() -> None:
    log, anna, hidden = hidden_world()
    *before, (last, _) = log.indexes()
    honest = [log.absence_part(anna, one, index.first, index.size) for one, index in before]
    told = absence_file("anna", anna.entries, honest)
    report = check(log.bundle([anna], change=write(told), skip=[hidden, last]), log)
    assert wrong(report) == [(FILE, "absence")]
    assert f"entry {hidden} stands behind the last log.index" in report.text()


@pytest.mark.parametrize("form", ["left out", "leaf only", "tiles"])
def test_a_hidden_stop_in_the_tail(form: str) -> None:
    log, anna = world()
    hidden = log.object(anna)
    anna.entries -= 1
    data = {
        "left out": lambda: log.bundle([anna], skip=[hidden]),
        "leaf only": lambda: log.bundle([anna], tail=[hidden]),
        "tiles": lambda: log.tiled([anna], shown=lambda index: index != hidden),
    }[form]()
    report = check(data, log)
    file = (FILE, "absence") if form == "left out" else ("labels/anna.json", "label")
    assert wrong(report) == [file]
    assert "No later entry" not in report.text()


def test_a_tail_cut_by_one() -> None:
    log, anna = world()
    for index in tail_of(log):
        report = check(log.bundle([anna], skip=[index]), log)
        assert wrong(report) == [(FILE, "absence")]
        assert f"entry {index} stands behind the last log.index" in report.text()


def test_an_index_left_out() -> None:
    log, anna = world()
    (first, _), (second, _) = log.indexes()
    assert wrong(check(log.bundle([anna], skip=[first]), log)) == [(opened(second), "absence")]
    assert wrong(check(log.bundle([anna], skip=[second]), log)) == [(FILE, "absence")]


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"first": "0"}, "goes back before entry"),
        ({"first": "18"}, "leaves a gap behind entry"),
        ({"first": "-1"}, "not a plain decimal number"),
        ({"size": "9999"}, "does not cover entries before itself"),
        ({"count": "999"}, "more labels than entries"),
        ({"count": "0"}, "the root of another count of labels"),
        ({"count": "2"}, "in the log.index of entry"),
        ({"count": "4"}, "in the log.index of entry"),
        ({"root": "ab" * 32}, "a label is not in the index"),
        ({"root": "AB" * 32}, "not 64 lower-case hexadecimal digits"),
    ],
)
def test_an_index_that_says_something_else(changes: dict[str, str], says: str) -> None:
    log, anna, _, _ = journey()
    mark = label(anna.key, anna.entries)
    for name in ("carl", "dora", "emil"):
        key = os.urandom(32)
        while label(key, 0) > mark:  # Anna's is to be the last, so that the count matters
            key = os.urandom(32)
        log.request(Contact(name, key), f"r-{name}")
    (first, _), second = log.indexes()[0], log.index(**changes)
    honest = [
        log.absence_part(anna, first, 0, first),
        log.absence_part(anna, second, first, second),
    ]
    told = absence_file("anna", anna.entries, honest)
    report = check(log.bundle([anna], change=write(told)), log)
    assert {rule for _, rule in wrong(report)} == {"absence"}
    assert {file for file, _ in wrong(report)} <= {FILE, opened(second)}
    assert says in report.text()


def test_an_index_that_leaves_out_what_is_shown() -> None:
    log, anna = BundledLog(), Contact("anna")
    log.request(anna)
    entry = log.index(count="0", root=merkle.EMPTY_ROOT.hex())
    part = {"entry": entry, "left": None, "present": [], "right": None}
    report = check(
        log.bundle([anna], change=write(absence_file("anna", anna.entries, [part]))), log
    )
    assert wrong(report) == [(FILE, "absence")]
    assert "not every entry shown has its label in it" in report.text()


def test_an_index_that_leaves_out_what_is_hidden_is_seen_with_the_whole_log_only() -> None:
    """What the sentence says: whoever holds the log must make each index again (fsck does)."""
    log, anna = world()
    hidden = log.object(anna)
    anna.entries -= 1
    first = log.indexes()[-1][1].size
    lie = log.labels(first, hidden).index(first, hidden + 1)
    entry = log.index(**lie.plain())
    honest = [log.absence_part(anna, one, i.first, i.size) for one, i in log.indexes()[:-1]]
    part = absence_range(entry, log.labels(first, hidden), anna.key, [], anna.entries)
    told = absence_file("anna", anna.entries, [*honest, part])
    report = check(log.bundle([anna], change=write(told), skip=[hidden]), log)
    assert report.exit_code == 0
    assert "that an index lists every label is for whoever holds the whole log" in report.text()
    assert log.labels(first, hidden + 1).index(first, hidden + 1) != lie


def test_the_label_key_of_somebody_else() -> None:
    log, anna = world()
    gert = Contact("gert")
    log.request(gert, "r-gert")

    def swap(found: dict[str, bytes]) -> None:
        key = strict.to_base64_url(gert.key)
        found["labels/anna.json"] = to_json({"contact": "anna", "key": key})

    report = members(log, [anna], swap)
    assert {rule for _, rule in wrong(report)} == {"label"}
    assert "No later entry" not in report.text()


def test_a_label_that_two_entries_carry() -> None:
    log, anna = world()
    anna.entries -= 1
    twice = log.withdraw(anna)
    assert (opened(twice), "label") in wrong(check(log.bundle([anna]), log))
    hidden = check(log.bundle([anna], tail=[twice]), log)
    assert "label" in {rule for _, rule in wrong(hidden)}
    tiled = check(log.tiled([anna], shown=lambda index: index != twice), log)
    assert "label" in {rule for _, rule in wrong(tiled)}


def test_a_leaf_that_nothing_asks_for() -> None:
    log, anna = world()
    indexed = log.indexes()[0][0] + 1
    report = check(log.bundle([anna], tail=[indexed]), log)
    assert (f"tail/{indexed}.tlog-proof", "absence") in wrong(report)
    report = check(log.bundle(tail=tail_of(log)), log)
    assert {rule for _, rule in wrong(report)} == {"absence"}


def test_a_leaf_that_is_not_in_the_tree() -> None:
    log, anna = world()
    one, other = tail_of(log)[:2]

    def swap(found: dict[str, bytes]) -> None:
        first, second = f"tail/{one}.tlog-proof", f"tail/{other}.tlog-proof"
        found[first], found[second] = found[second], found[first]

    report = check(log.bundle([anna], tail=[one, other], change=swap), log)
    assert (f"tail/{one}.tlog-proof", "c2sp.tlog-proof") in wrong(report)
    assert (FILE, "absence") in wrong(report)


def part_of(change: Callable[[dict[str, Any]], object]) -> Callable[[dict[str, Any]], object]:
    return lambda value: change(value["ranges"][0])


MALFORMED: dict[str, Callable[[dict[str, Any]], object]] = {
    "another contact": lambda v: v.update(contact="bert"),
    "another label": lambda v: v.update(label=4),
    "a label that is true": lambda v: v.update(label=True),
    "more members": lambda v: v.update(more=1),
    "no list": lambda v: v.update(ranges={}),
    "a range less": lambda v: v["ranges"].pop(),
    "ranges in another order": lambda v: v["ranges"].reverse(),
    "the range of another entry": part_of(lambda p: p.update(entry=1)),
    "a part with more members": part_of(lambda p: p.update(more=1)),
    "no left neighbour": part_of(lambda p: p.update(left=None)),
    "no right neighbour": part_of(lambda p: p.update(right=None)),
    "no neighbours": part_of(lambda p: p.update(left=None, right=None)),
    "neighbours swapped": part_of(lambda p: p.update(left=p["right"], right=p["left"])),
    "a shown label less": part_of(lambda p: p["present"].pop()),
    "shown labels swapped": part_of(lambda p: p["present"].reverse()),
    "no shown labels": part_of(lambda p: p.update(present=None)),
    "a place that is null": part_of(lambda p: p["present"].__setitem__(0, None)),
    "a place that is text": part_of(lambda p: p["present"].__setitem__(0, "x")),
    "another position": part_of(lambda p: p["present"][0].update(position=99)),
    "a position that is text": part_of(lambda p: p["present"][0].update(position="1")),
    "a path that is text": part_of(lambda p: p["present"][0].update(path="x")),
    "a path of numbers": part_of(lambda p: p["present"][0].update(path=[1])),
    "a short hash": part_of(lambda p: p["present"][0]["path"].append("AAAA")),
    "a short label": part_of(lambda p: p["present"][0].update(label="AAAA")),
}


@pytest.mark.parametrize("name", MALFORMED)
def test_a_malformed_file(name: str) -> None:
    log = BundledLog()
    # So many labels that whichever Anna's next one is, it has a neighbour on either side.
    anna = Contact("anna", key=KEY)
    log.request(anna)
    log.request(anna, "r-2")
    for number in range(24):
        log.request(Contact(f"n{number}", key=bytes([number]) * 32), f"r-n{number}")
    log.index()
    log.request(Contact("fritz"), "r-fritz")
    log.index()

    def change(found: dict[str, bytes]) -> None:
        value = json.loads(found[FILE])
        assert value["ranges"][0]["left"]
        assert value["ranges"][0]["right"]
        MALFORMED[name](value)
        found[FILE] = to_json(value)

    assert wrong(members(log, [anna], change)) == [(FILE, "absence")]


KEY = b"a" * 32
"""With this key Anna's next label has neighbours on both sides."""
