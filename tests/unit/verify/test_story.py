"""The story an operator tells: what was never published, or can't have happened, is a violation."""

from __future__ import annotations

from tests.unit.verify.bundles import BundledLog, check, wrong
from tests.unit.verify.memory import PURPOSE, SENDER, Contact, instant


def failures(log: BundledLog) -> set[str | None]:
    return {rule for _, rule in wrong(check(log.bundle(), log))}


def test_what_was_never_published_or_says_something_else() -> None:
    for changes, rule in [
        ({"form": "f-9"}, "published"),
        ({"sender": "s-9"}, "published"),
        ({"purposes": ["p-9"]}, "published"),
        ({"wordings": ["w-9"]}, "published"),
        ({"channel": "sms"}, "published"),
        ({"boxes_before": [f"{PURPOSE}=ticked"]}, "boxes"),
        ({"boxes_after": [f"{PURPOSE}=empty"]}, "boxes"),
        ({"expires_at": instant(0)}, "story"),
        ({"purposes": []}, "story"),
    ]:
        log = BundledLog()
        log.request(Contact("anna"), **changes)
        assert rule in failures(log), changes
    for changes, rule in [
        ({"wording_id": "w-9"}, "published"),
        ({"wording_id": "w-2"}, "published"),
        ({"request": "r-9"}, "story"),
        ({"at": instant(40_000)}, "story"),
        ({"address": "other@example.org"}, "chain"),
    ]:
        log, anna = BundledLog(), Contact("anna")
        log.request(anna)
        log.mail(anna)
        log.confirm(anna, **changes)
        assert rule in failures(log), changes


def test_a_wording_that_is_not_the_published_one() -> None:
    log, anna = BundledLog(), Contact("anna")
    log.request(anna)
    log.mail(anna)
    log.confirm(anna, wording=log.blob(b"I agree to everything", "text/plain"))
    assert "published" in failures(log)


def test_what_can_not_have_happened() -> None:
    def story(*acts: str) -> BundledLog:
        log, anna = BundledLog(), Contact("anna")
        for act in acts:
            if act == "decline":
                values = {"request": "r-1", "purpose": None, "sender": SENDER, "channel": "email"}
                log.add("consent.declined", values | {"reason": "not_me"}, anna)
            elif act == "expire":
                log.add("consent.expired", {"request": "r-1"}, anna)
            elif act == "reopen":
                log.confirm(anna, reopens=True)
            else:
                getattr(log, act)(anna)
        return log

    good = ["request", "mail", "confirm", "withdraw"]
    assert failures(story(*good)) == set()
    assert failures(story("request", "mail", "decline")) == set()
    for acts in [
        ["confirm"],
        ["request", "confirm"],
        ["request", "request"],
        ["request", "mail", "withdraw"],
        ["request", "mail", "decline", "confirm"],
        ["request", "mail", "expire"],
        ["request", "mail", "object", "reopen"],
        ["request", "mail", "confirm", "confirm"],
        ["mail"],
    ]:
        assert "story" in failures(story(*acts)), acts


def test_a_pack_adopted_after_it_decided() -> None:
    log, anna = BundledLog(), Contact("anna")
    log.request(anna)
    log.mail(anna)
    log.confirm(anna)
    log.issue(anna)
    adopted = next(i for i, b in enumerate(log.built) if b"kind pack.adopted" in b.leaf)
    log.add(
        "pack.adopted", {n: log.values[adopted][n] for n in ("pack", "version", "hash")}, version=1
    )
    rules = {rule for _, rule in wrong(check(log.bundle(skip=[adopted]), log))}
    assert "pack" in rules
