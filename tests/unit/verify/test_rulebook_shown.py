"""Which rules held is read from the log and the very bytes it adopted; whoever shows others is named."""

from __future__ import annotations

import hashlib
from collections.abc import Callable

import pytest

from consentledger.law.model import Facts
from consentledger.law.reading import packs
from consentledger.law.rulebook import Adopted
from consentledger.verify.report import Report
from consentledger.verify.rulebook import read_rules
from tests.unit.verify.bundles import check
from tests.unit.verify.lawful import LawfulLog
from tests.unit.verify.memory import Contact

CONFIRMED = Facts(
    consent="confirmed", grade="double_opt_in", consented_on="2026-11-01", countries=()
)
Change = Callable[[dict[str, bytes]], None]


def subscriber(*names: str) -> tuple[LawfulLog, Contact]:
    """A log that adopted the fallback and these packs; anna has confirmed."""
    log, anna = LawfulLog(), Contact("anna")
    for name in ("XX@1", *names):
        log.adopt(name)
    log.request(anna)
    log.mail(anna)
    log.confirm(anna)
    return log, anna


def report(log: LawfulLog, anna: Contact, change: Change = lambda members: None) -> Report:
    return check(log.bundle([anna], change=change), log)


def wrong(found: Report) -> list[tuple[str | None, str | None]]:
    return [(one.file, one.rule) for one in found.findings if one.kind == "failed"]


def own_pack(log: LawfulLog, text: str, name: str = "DE", version: str = "7") -> Change:
    """Adopts a pack that the project never saw; returns what puts its file into the bundle."""
    data = text.encode()
    log.add(
        "pack.adopted",
        {"pack": name, "version": version, "hash": hashlib.sha256(data).hexdigest(), "stricter": [],
         "accepts": []},
    )  # fmt: skip
    return lambda members: members.update({f"rules/{name}@{version}.toml": data})


def german(**changes: str) -> str:
    text = packs.pack_bytes("DE@1").decode().replace('version = "1"', 'version = "7"', 1)
    for old, new in changes.items():
        text = text.replace(old, new, 1)
    return text


def test_packs_and_trees_hold_from_their_entries_on() -> None:
    log, anna = subscriber("EU@1", "DE@1")
    first_tree = log.categories("a", groups=())
    log.permit(anna, CONFIRMED)
    last = log.adopt("EU@1", "exception=off")
    second_tree = log.categories("a", "b", groups=("a",), version=2)
    assert report(log, anna).exit_code == 0
    bundle = _Files(log.members([anna]))
    rules = read_rules(bundle, log.opened(), Report(outside_policy=True))  # type: ignore[arg-type]
    size = len(log.built)
    assert [one.pack.name for one in rules.rulebook_below(last).adopted] == ["XX@1", "EU@1", "DE@1"]
    newest = rules.rulebook_below(size)
    assert [one.pack.name for one in newest.adopted] == ["XX@1", "DE@1", "EU@1"]
    assert newest.adopted[-1].stricter == ("exception=off",)
    assert rules.rulebook_below(size + 5) is newest
    assert rules.rulebook_below(1).adopted == ()
    trees = [rules.tree_below(one) for one in (first_tree, second_tree, size)]
    assert [tree and tree.version for tree in trees] == [None, 1, 2]


class _Files:
    """The members of a bundle, as read_rules asks for them."""

    def __init__(self, members: dict[str, bytes]) -> None:
        self._members = members

    def paths(self, folder: str) -> list[str]:
        return sorted(path for path in self._members if path.startswith(f"{folder}/"))

    def read(self, path: str) -> bytes:
        return self._members[path]


@pytest.mark.parametrize("name", ["XX@1", "DE@1", "EU@1"])
def test_a_changed_pack_is_named(name: str) -> None:
    log, anna = subscriber("EU@1", "DE@1")
    path = f"rules/{name}.toml"

    def tamper(members: dict[str, bytes]) -> None:
        members[path] = members[path].replace(b"opt_in", b"opt_out", 1)

    assert (path, "pack") in wrong(report(log, anna, tamper))


def test_a_pack_that_nobody_adopted_is_named() -> None:
    log, anna = subscriber()
    path = "rules/GB@1.toml"
    added = report(log, anna, lambda members: members.update({path: packs.pack_bytes("GB@1")}))
    assert wrong(added) == [(path, "pack")]
    log, anna = subscriber("EU@1")
    renamed = report(
        log, anna, lambda members: members.update({"rules/FR@1.toml": members["rules/EU@1.toml"]})
    )
    assert wrong(renamed) == [("rules/FR@1.toml", "pack")]


def test_a_pack_that_is_missing_is_named_and_no_permit_rests_on_it() -> None:
    log, anna = subscriber("EU@1")
    path = "rules/EU@1.toml"
    quiet = report(log, anna, lambda members: members.__delitem__(path))
    assert quiet.exit_code == 0
    assert "The rule pack EU@1 that entry" in quiet.text()
    log.permit(anna, CONFIRMED)
    found = report(log, anna, lambda members: members.__delitem__(path))
    assert wrong(found) == [(path, "pack")]
    assert "is not in the bundle" in found.text()


@pytest.mark.parametrize(
    ("stricter", "accepts"),
    [
        (("exception=on",), ()),
        (("opt_out=off", "opt_out=off"), ()),
        ((), ("donation",)),
        (("exception.months=0",), ()),
    ],
)
def test_what_is_adopted_laxer_than_it_is_is_named(
    stricter: tuple[str, ...], accepts: tuple[str, ...]
) -> None:
    log, anna = subscriber()
    index = log.adopt("EU@1", *stricter, accepts=accepts)
    assert wrong(report(log, anna)) == [(f"entries/{index}.disclosures", "pack.stricter")]


def test_a_child_before_its_parent_is_named() -> None:
    log, anna = subscriber()
    index = log.adopt("DE@1")
    log.adopt("EU@1")
    assert wrong(report(log, anna)) == [(f"entries/{index}.disclosures", "pack")]
    log, anna = subscriber()
    log.adopt("DE@1")
    # Without its parent's bytes it can't even be read.
    assert ("rules/DE@1.toml", "pack") in wrong(report(log, anna))


def test_a_pack_adopted_after_the_decision_is_named() -> None:
    log, anna = subscriber("EU@1")
    log.adopted.append(Adopted(packs.pack("DE@1")))
    # Nothing in the bundle tells the country of somebody who signed up: it stands in the line alone.
    log.permit(anna, CONFIRMED._replace(countries=("DE",)))
    log.adopted.pop()
    log.adopt("DE@1")
    found = report(log, anna)
    assert "pack" in [rule for _, rule in wrong(found)]
    assert "DE@1 was not adopted below it" in found.text()


def test_a_permit_that_forgets_what_was_made_stricter_is_named() -> None:
    log, anna = subscriber("EU@1")
    single = CONFIRMED._replace(grade="single_opt_in", countries=("BG",), person="natural")
    log.adopt("EU@1", "double_opt_in=required")
    log.adopted[-1] = Adopted(packs.pack("EU@1"))  # decides as if it had not been made stricter
    log.permit(anna, single)
    assert "permit.decision" in [rule for _, rule in wrong(report(log, anna))]


def test_an_unknown_pack_decides_and_is_called_unknown() -> None:
    log, anna = subscriber("EU@1")
    put = own_pack(log, german())
    found = report(log, anna, put)
    assert found.exit_code == 0
    assert "The rule pack DE@7 is unknown: the project did not publish it." in found.text()


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("not toml at all [", "not TOML"),
        (german(opt_in="opt-in"), "regime.email.natural"),
        (german().replace('id = "DE"', 'id = "FR"', 1), "named after another"),
        (german().replace('"EU@1"', '"EU@9"', 1), "EU@9"),
    ],
)
def test_a_pack_that_can_not_be_read_is_named(text: str, why: str) -> None:
    log, anna = subscriber("EU@1")
    put = own_pack(log, text)
    found = report(log, anna, put)
    assert wrong(found) == [("rules/DE@7.toml", "pack")]
    assert why in found.text()


@pytest.mark.parametrize(
    ("nodes", "groups", "version"),
    [(("a",), (), 2), (("a",), (), 0), (("a",), ("b",), 1)],
)
def test_categories_that_do_not_add_up_are_named(
    nodes: tuple[str, ...], groups: tuple[str, ...], version: int
) -> None:
    log, anna = subscriber()
    index = log.categories(*nodes, groups=groups, version=version)
    assert wrong(report(log, anna)) == [(f"entries/{index}.disclosures", "categories")]
