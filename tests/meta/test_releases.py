"""A released version of the element never changes: sites have pinned it by this hash (W3C Subresource Integrity)."""

from __future__ import annotations

import re

from consentledger.web.releases import FOLDER, newest, releases

# One line per release, written when it is released; none is ever changed or taken away.
RELEASED = {
    "1.0.0": "sha384-4dN1diuDRtv+/mIHXCkxSFPdwp35x1ajtv54kX00BXbZXLVC5qUJ12EZ71QA/pro",
}


def test_what_sites_have_pinned_is_what_is_served() -> None:
    assert {release.version: release.integrity for release in releases()} == RELEASED


def test_the_newest_is_last_in_the_list_and_nothing_else_lies_in_the_folder() -> None:
    assert newest().version == list(RELEASED)[-1]
    assert {file.name for file in FOLDER.iterdir()} == {f"{version}.js" for version in RELEASED}


def test_it_makes_nothing_from_text_and_keeps_nothing() -> None:
    # What strict pages forbid (CSP, Trusted Types), and what would need a banner of its own.
    made = r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\b|new Function|import\("
    kept = r"cookie\b|(local|session)Storage|indexedDB"
    for release in releases():
        code = re.sub(r"/\*.*?\*/|//.*", "", release.file.read_text(encoding="utf-8"), flags=re.S)
        assert not re.search(f"{made}|{kept}", code)
        assert not re.search(r"https?://", code), "it asks nobody but the service it came from"
