"""An operator who signs what is not so: entries left out, claims beyond the entries, wrong decisions."""

from __future__ import annotations

import base64
import json

import pytest

from consentledger.ledger import merkle
from consentledger.ledger.bundle import to_json
from tests.unit.verify.bundles import BundledLog, Change, check, journey, members, wrong
from tests.unit.verify.memory import Contact, instant


def test_an_opening_left_out() -> None:
    log, anna, _, _ = journey()

    def cut(found: dict[str, bytes]) -> None:
        path = "entries/15.disclosures"
        found[path] = found[path].split(b"\n", 1)[1]

    assert ("entries/15.disclosures", "auditor") in wrong(members(log, [anna], cut))


def test_an_entry_left_out_shows_in_the_chain() -> None:
    log, anna, _, _ = journey()
    withdrawal = next(
        i for i, v in enumerate(log.values) if "consent" in v and v.get("method") == "one_click"
    )
    report = check(log.bundle(skip=[withdrawal]), log)
    rules = {rule for _, rule in wrong(report)}
    assert "permit.decision" in rules
    log.object(anna)
    report = check(log.bundle(skip=[withdrawal]), log)
    assert "chain" in {rule for _, rule in wrong(report)}
    report = check(log.bundle([anna], skip=[withdrawal]), log)
    assert ("labels/anna.json", "label") in wrong(report)


def test_an_entry_not_opened_shows_by_its_label() -> None:
    log, anna, _, _ = journey()
    last = log.object(anna)
    data = log.tiled([anna], shown=lambda index: index != last)
    assert ("labels/anna.json", "label") in wrong(check(data, log))
    without_key = log.tiled(shown=lambda index: index != last)
    assert "label" not in {rule for _, rule in wrong(check(without_key, log))}


def test_a_label_of_another_contact() -> None:
    log = BundledLog()
    anna, bert = Contact("anna"), Contact("bert")
    log.request(anna)
    bert.key, bert.entries = anna.key, 1
    log.request(bert, "r-2")
    rules = {rule for _, rule in wrong(check(log.bundle([anna]), log))}
    assert "label" in rules


def test_what_is_erased_may_stay_shut() -> None:
    log, anna = BundledLog(), Contact("anna")
    first = log.request(anna)
    log.mail(anna)
    log.erase(f"{first}-{first + 2}")
    log.request(anna, "r-2")
    log.mail(anna, "r-2")
    log.confirm(anna, "r-2")
    log.issue(anna)
    for data in (log.bundle([anna]), log.tiled([anna])):
        report = check(data, log)
        assert report.exit_code == 0, report.text()
        assert "3 entries are erased" in report.text()
        assert "asserted, not shown" in report.text()


def test_an_erasure_of_one_class_excuses_that_class_only() -> None:
    log, anna, _, _ = journey()
    index = next(i for i, b in enumerate(log.built) if b"consent.requested" in b.leaf)
    log.erase(str(index), "technical")
    assert check(log.bundle([anna]), log).exit_code == 0
    log.hidden[index].add("sender")
    assert (f"entries/{index}.disclosures", "auditor") in wrong(check(log.bundle([anna]), log))


def test_an_erasure_excuses_nothing_after_itself() -> None:
    log, anna, _, _ = journey()
    plain = {
        "classes": "core",
        "part": "1/1",
        "ranges": f"{len(log.built)}",
        "reason": "expired",
        "permits": "none",
    }
    index = log.add("log.erasure", {}, plain=plain)
    assert (f"entries/{index}.disclosures", "auditor") in wrong(check(log.bundle([anna]), log))


@pytest.mark.parametrize(
    ("name", "value"),
    [("ranges", "5-3"), ("ranges", "1,1"), ("ranges", "01"), ("ranges", "3-"), ("ranges", "1,,2"),
     ("ranges", "١"), ("classes", "core,secret"), ("part", "2/1"), ("part", "1")],
)  # fmt: skip
def test_a_lax_erasure(name: str, value: str) -> None:
    log, anna, _, _ = journey()
    plain = {
        "classes": "core",
        "part": "1/1",
        "ranges": "3-5",
        "reason": "expired",
        "permits": "none",
    } | {name: value}
    if not value.isascii():
        plain[name] = "1_0"
    index = log.add("log.erasure", {}, plain=plain)
    assert (f"entries/{index}.disclosures", "auditor") in wrong(check(log.bundle([anna]), log))


def test_a_blob_missing_or_foreign() -> None:
    log, anna, _, _ = journey()
    name = f"blobs/{log.form_text[1]}"

    def drop(found: dict[str, bytes]) -> None:
        del found[name]

    def more(found: dict[str, bytes]) -> None:
        found["blobs/" + "a" * 64] = b"something"

    def other(found: dict[str, bytes]) -> None:
        found[name] = found[name] + b"x"

    assert "blob" in {rule for _, rule in wrong(members(log, [anna], drop))}
    assert wrong(members(log, [anna], more)) == [("blobs/" + "a" * 64, "blob")]
    assert wrong(members(log, [anna], other)) == [(name, "blob")]


def test_a_record_that_claims_more() -> None:
    log, anna, _, _ = journey()

    def claim(found: dict[str, bytes]) -> None:
        record = json.loads(found["records/c-1.jsonld"])
        record["cl:claimedState"] = "confirmed"
        found["records/c-1.jsonld"] = json.dumps(record).encode()

    def drop(found: dict[str, bytes]) -> None:
        del found["records/c-1.jsonld"]

    def invent(found: dict[str, bytes]) -> None:
        found["records/c-9.jsonld"] = found["records/c-1.jsonld"]

    def blank(found: dict[str, bytes]) -> None:
        record = json.loads(found["records/c-1.jsonld"])
        record["dpv:hasEntity"][0]["dpv:hasAddress"] = ""
        found["records/c-1.jsonld"] = json.dumps(record).encode()

    def double(found: dict[str, bytes]) -> None:
        found["records/c-1.jsonld"] = b'{"a":1,"a":2}'

    assert wrong(members(log, [anna], claim)) == [("records/c-1.jsonld", "story.state")]
    assert wrong(members(log, [anna], drop)) == [("records/c-1.jsonld", "record")]
    assert wrong(members(log, [anna], invent)) == [("records/c-9.jsonld", "record")]
    assert "lacks party_address" in members(log, [anna], blank).text()
    assert wrong(members(log, [anna], double)) == [("records/c-1.jsonld", "record")]


def test_a_rule_pack_that_was_not_adopted() -> None:
    log, anna, _, _ = journey()

    def soften(found: dict[str, bytes]) -> None:
        path = "rules/consent_only@1.toml"
        found[path] = found[path].replace(b"stop", b"halt")

    def drop(found: dict[str, bytes]) -> None:
        del found["rules/consent_only@1.toml"]

    def garbage(found: dict[str, bytes]) -> None:
        found["rules/consent_only@1.toml"] = b"[["

    assert ("rules/consent_only@1.toml", "pack") in wrong(members(log, [anna], soften))
    assert {rule for _, rule in wrong(members(log, [anna], drop))} == {"pack"}
    assert ("rules/consent_only@1.toml", "pack") in wrong(members(log, [anna], garbage))


def permit_change(name: str, **changes: object) -> Change:
    def change(found: dict[str, bytes]) -> None:
        value = json.loads(found[f"permits/{name}.json"]) | changes
        found[f"permits/{name}.json"] = to_json(value)

    return change


def test_a_permit_that_is_not_so() -> None:
    log, anna, allowed, denied = journey()
    file = f"permits/{allowed}.json"
    other = json.loads(to_json(log.permits[denied]))
    for changes, rule in [
        ({"row": 3}, "rfc9162.inclusion"),
        ({"path": []}, "rfc9162.inclusion"),
        ({"path": ["!"]}, "permit"),
        ({"batch": 0}, "permit"),
        ({"disclosure": other["disclosure"]}, "rfc9162.inclusion"),
        ({"disclosure": "AA"}, "disclosure"),
        ({"permit": denied}, "permit"),
        ({"row": True}, "permit"),
        ({"extra": 1}, "permit"),
    ]:
        report = members(log, [anna], permit_change(allowed, **changes))
        assert (file, rule) in wrong(report), (changes, report.text())


def test_a_permit_after_a_withdrawal_is_a_violation() -> None:
    log, anna, _, _ = journey()
    name = log.issue(anna)
    assert wrong(check(log.bundle([anna]), log)) == [(f"permits/{name}.json", "permit.decision")]


@pytest.mark.parametrize(
    ("state", "objection", "allowed", "reasons"),
    [
        ("confirmed", "active", True, "consent"),
        ("confirmed", "none", False, "no_basis"),
        ("none", "none", True, "consent"),
        ("confirmed", "none", True, "no_basis"),
    ],
)
def test_a_decision_that_the_rules_do_not_give(
    state: str, objection: str, allowed: bool, reasons: str
) -> None:
    log, anna = BundledLog(), Contact("anna")
    log.request(anna)
    log.mail(anna)
    log.confirm(anna)
    name = log.issue(anna, state, objection, allowed, reasons)
    assert (f"permits/{name}.json", "permit.decision") in wrong(check(log.bundle([anna]), log))


def test_a_permit_that_lives_too_long() -> None:
    log, anna = BundledLog(), Contact("anna")
    log.request(anna)
    log.mail(anna)
    log.confirm(anna)
    name = log.issue(anna, at=instant(0))
    log.values[-1]["at"] = instant(0)
    report = check(log.bundle([anna]), log)
    assert (f"permits/{name}.json", "permit") not in wrong(report)
    long = BundledLog()
    bert = Contact("bert")
    long.request(bert)
    long.mail(bert)
    long.confirm(bert)
    name = long.issue(bert, valid_until=instant(10_000))
    assert (f"permits/{name}.json", "permit") in wrong(check(long.bundle([bert]), long))


def test_a_stranger_in_a_batch_is_asserted() -> None:
    log = BundledLog()
    log.issue(None, "none", "none", False, "no_basis")
    report = check(log.bundle(), log)
    assert report.exit_code == 0, report.text()
    assert "that the recipient is none on record (of 1)" in report.text()


def test_genesis_must_be_there_and_name_these_keys() -> None:
    log, anna, _, _ = journey()
    assert ("manifest", "genesis") in wrong(check(log.bundle([anna], skip=[0]), log))
    log.log_seed = b"n" * 32
    assert ("entries/0.disclosures", "genesis") in wrong(check(log.bundle([anna]), log))
    moved = BundledLog()
    moved.origin = "elsewhere.example/log/abc"
    assert ("entries/0.disclosures", "genesis") in wrong(check(moved.bundle(), moved))


def test_times_that_run_backwards() -> None:
    log, anna = BundledLog(), Contact("anna")
    log.request(anna)
    index = log.mail(anna)
    log.add("consent.expired", {"request": "r-1"}, anna, at="2020-01-01T00:00:00.000000Z")
    found = wrong(check(log.bundle([anna]), log))
    assert (f"entries/{index + 1}.disclosures", "time") in found


def test_since_an_older_checkpoint() -> None:
    log, anna, _, _ = journey()
    hashes = [b.leaf_hash for b in log.built]
    proof = merkle.consistency_proof(9, len(hashes), merkle.nodes_of(hashes))

    def add(found: dict[str, bytes]) -> None:
        text = "".join(base64.b64encode(h).decode() + "\n" for h in proof)
        found["consistency/9.txt"] = text.encode()

    data = log.bundle([anna], change=add)
    report = check(data, log, since=log.checkpoint(9).encode())
    assert "only grew since your checkpoint at 9 entries" in report.text()
    assert report.exit_code == 0
    same = check(data, log, since=log.checkpoint().encode())
    assert same.exit_code == 0
    missing = check(data, log, since=log.checkpoint(8).encode())
    assert wrong(missing) == [("consistency/8.txt", "bundle.zip")]
    forked, _, _, _ = journey()
    fork = check(data, log, since=forked.checkpoint(9).encode())
    assert wrong(fork) == [("consistency/9.txt", "rfc9162.consistency")]
    log.object(anna)
    cut = check(data, log, since=log.checkpoint().encode())
    assert wrong(cut) == [("checkpoint", "rfc9162.consistency")]
