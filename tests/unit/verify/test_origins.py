"""A log that goes on under another name: its newest log.genesis names keys and origin, and what was given up."""

from __future__ import annotations

from base64 import b64encode

import pytest

from consentledger.ledger import merkle
from tests.unit.verify.bundles import BundledLog, check, wrong
from tests.unit.verify.memory import ORIGIN, Contact

NEW = "shop.example/log/second"


def renamed(previous: str | None = None, *, lost: int = 2) -> tuple[BundledLog, Contact, int]:
    """A log of which `lost` signed entries are gone, under a new name."""
    log, anna = BundledLog(), Contact("anna")
    log.request(anna)
    size = len(log.built) + lost
    root = b64encode(merkle.root_of([built.leaf_hash for built in log.built])).decode()
    log.origin = NEW
    plain = {
        "origin": NEW,
        "log_key": log.signer.vkey,
        "evidence_key": log.evidence.vkey,
        "previous": f"{ORIGIN} {size} {root}" if previous is None else previous,
    }
    index = log.add("log.genesis", {"checkpoint": None, "reason": "disk lost"}, plain=plain)
    log.mail(anna)
    return log, anna, index


def test_the_newest_genesis_holds_and_the_report_tells_what_is_missing() -> None:
    log, anna, index = renamed()
    report = check(log.bundle([anna]), log)
    assert report.exit_code == 0, report.text()
    told = f"The log has its name since entry {index}. Before, it was {ORIGIN}, of which {index + 2} entries"
    assert told in report.text()
    assert "2 of them or more are not in this tree any more" in report.text()
    assert "The operator's reason: disk lost." in report.text()
    log, anna, _ = renamed(lost=0)
    assert "not in this tree any more" not in check(log.bundle([anna]), log).text()


@pytest.mark.parametrize(
    "previous",
    [
        "none",
        f"elsewhere.example/log/x 9 {b64encode(bytes(32)).decode()}",
        f"{ORIGIN} 09 {b64encode(bytes(32)).decode()}",
        f"{ORIGIN} 9 AAAA",
        f"{ORIGIN} 9",
    ],
)
def test_a_genesis_that_names_nothing_before_it_is_refused(previous: str) -> None:
    log, anna, index = renamed(previous)
    assert (f"entries/{index}.disclosures", "genesis") in wrong(check(log.bundle([anna]), log))


def test_the_older_origins_checkpoint_is_refused() -> None:
    log, anna, _ = renamed()
    data = log.bundle([anna])
    log.origin = ORIGIN
    assert wrong(check(data, log))
