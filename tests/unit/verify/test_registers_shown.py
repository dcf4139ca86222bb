"""What a bundle shows of registers: presence and absence by the root, and every way to cheat is named."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from typing import Any

import pytest

from consentledger.ledger.absence import Labels
from consentledger.ledger.bundle import to_json
from consentledger.ledger.register import digest, entry_hash, texts_of
from consentledger.verify.bundle import verify_bundle
from consentledger.verify.registers import register_file
from consentledger.verify.report import Report
from tests.unit.verify.bundles import BundledLog
from tests.unit.verify.memory import Contact, instant

SALT = bytes(range(32))
LISTED = ("anna@example.org", "@shop.example", "carl@other.example", "dora@other.example")


class Registered(BundledLog):
    """A log with one person, anna, and one import of a register."""

    def __init__(self, *listed: str, matched: str = "address") -> None:
        super().__init__()
        self.anna = Contact("anna")
        self.request(self.anna)
        self.matched = matched
        texts = listed if matched == "address" else tuple(digest(one, matched) for one in listed)
        self.labels_of_register = Labels(entry_hash(SALT, text) for text in texts)
        values = {
            "register": "AT-ECG", "as_of": instant(0), "source": "a test", "file": "sha256 00",
            "matched": matched, "salt": SALT.hex(),
        }  # fmt: skip
        plain = {"count": str(len(listed)), "root": self.labels_of_register.root.hex()}
        self.imported = self.add("register.imported", values, plain=plain)

    def file(self, folded: str = "anna@example.org") -> dict[str, object]:
        looked = []
        for text in texts_of(folded, self.matched):
            wanted = entry_hash(SALT, text)
            try:
                looked.append((self.labels_of_register.place(wanted), None))
            except ValueError:
                looked.append(self.labels_of_register.around(wanted))
        return register_file("AT-ECG", self.imported, self.anna.name, looked)

    def report(self, change: Callable[[dict[str, Any]], None] = lambda _: None) -> Report:
        value = json.loads(to_json(self.file()))
        change(value)

        def add(members: dict[str, bytes]) -> None:
            path = f"registers/AT-ECG@{self.imported}.json"
            members[path] = to_json(value)

        data = self.bundle([self.anna], change=add)
        return verify_bundle(io.BytesIO(data), policy=self.policy())


def test_presence_and_absence_are_shown() -> None:
    there = Registered(*LISTED).report()
    assert there.exit_code == 0, there.text()
    assert "it is in 1." in there.text()
    absent = Registered(*LISTED[1:]).report()
    assert absent.exit_code == 0, absent.text()
    assert "it is in 0." in absent.text()


@pytest.mark.parametrize("listed", ["anna@example.org", "@example.org", "example.org"])
@pytest.mark.parametrize("matched", ["sha1", "sha256", "sha512"])
def test_digests_of_address_and_domain_are_looked_for(listed: str, matched: str) -> None:
    report = Registered(listed, "else@other.example", matched=matched).report()
    assert report.exit_code == 0, report.text()
    assert "it is in 1." in report.text()


def test_an_empty_register_lists_nobody() -> None:
    report = Registered().report()
    assert report.exit_code == 0, report.text()
    assert "it is in 0." in report.text()


def _hide(value: dict[str, Any]) -> None:
    """Shows the neighbours of the listed entry as if nothing stood between them."""
    other = Registered(*LISTED[1:]).file()
    value["looked"] = json.loads(to_json(other))["looked"]


CHEATS: tuple[tuple[Callable[[dict[str, Any]], None], str], ...] = (
    (_hide, "register"),
    (lambda value: value["looked"].pop(), "not every way to list"),
    (lambda value: value["looked"][0].__setitem__(0, None), "register"),
    (lambda value: value["looked"][0][0].__setitem__("position", 2), "not in the index"),
    (lambda value: value["looked"][0][0]["path"].pop(), "not in the index"),
    (lambda value: value.__setitem__("contact", "berta"), "shows the contact's address"),
    (lambda value: value.__setitem__("entry", 1), "named after another"),
    (lambda value: value.__setitem__("register", "AT-XXX"), "named after another"),
    (lambda value: value.__setitem__("more", 1), "other members"),
    (lambda value: value.__setitem__("looked", {}), "wrong type"),
    (lambda value: value["looked"].__setitem__(0, [None]), "no two neighbours"),
)


@pytest.mark.parametrize(("cheat", "named"), CHEATS, ids=range(len(CHEATS)))
def test_every_cheat_is_named(cheat: Callable[[dict[str, Any]], None], named: str) -> None:
    report = Registered(*LISTED).report(cheat)
    assert report.exit_code == 1
    assert "registers/AT-ECG@" in report.text()
    assert named in report.text()


def test_an_import_that_no_entry_tells_is_named() -> None:
    log = Registered(*LISTED)

    def add(members: dict[str, bytes]) -> None:
        members["registers/AT-ECG@1.json"] = to_json({**log.file(), "entry": 1})

    report = verify_bundle(io.BytesIO(log.bundle([log.anna], change=add)), policy=log.policy())
    assert "entry 1 imported no such register" in report.text()


@pytest.mark.parametrize(("field", "value"), [("salt", "00"), ("matched", "md5"), ("register", "")])
def test_a_malformed_entry_is_named(field: str, value: str) -> None:
    log = Registered(*LISTED)
    plain = {"count": "1", "root": Labels([entry_hash(SALT, "x")]).root.hex()}
    good = {
        "register": "AT-ECG", "as_of": instant(0), "source": "a test", "file": "sha256 00",
        "matched": "address", "salt": SALT.hex(),
    }  # fmt: skip
    log.add("register.imported", {**good, field: value}, plain=plain)
    report = log.report()
    assert report.exit_code == 1
    assert "register" in report.text()
