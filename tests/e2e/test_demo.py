"""The demo as a newcomer meets it: played by itself from an empty folder, and clicked through in a browser."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

COMMAND = [sys.executable, "-P", "-m", "consentledger"]
# A press that is not taken is never answered as if it were, though a page for people comes with it.
ONCE_MORE = (
    "Failed to load resource: the server responded with a status of 422 (UNPROCESSABLE ENTITY)"
)


def _environment() -> dict[str, str]:
    # A wrong setting of whoever runs the tests must not reach the demo, and would break it if it did.
    return {**os.environ, "CONSENTLEDGER_DATABASE_URL": "postgresql://nowhere/none", "TERM": "dumb"}


def test_once_holds_in_an_empty_folder(tmp_path: Path) -> None:
    done = subprocess.run(
        [*COMMAND, "demo", "--once", "--out", "out"],
        cwd=tmp_path, env=_environment(), capture_output=True, text=True, check=False, timeout=120,
        stdin=subprocess.DEVNULL,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert "✗" not in done.stdout
    assert re.search(r"All \d+ steps held", done.stdout)
    assert sorted(file.name for file in tmp_path.iterdir()) == ["out"], "nothing else is left"
    assert sorted(file.name for file in (tmp_path / "out").iterdir()) == [
        "bundle.zip",
        "policy.txt",
    ]
    with zipfile.ZipFile(tmp_path / "out" / "bundle.zip") as bundle:
        assert bundle.testzip() is None
    verified = subprocess.run(
        [*COMMAND, "verify", "out/bundle.zip", "--policy", "out/policy.txt"],
        cwd=tmp_path, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert verified.returncode == 0, verified.stdout


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """A running demo; the addresses that it printed."""
    folder = tmp_path_factory.mktemp("demo")
    process = subprocess.Popen(
        [*COMMAND, "demo", "--instance", str(folder / "instance")],
        env=_environment(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        stdin=subprocess.DEVNULL,
    )  # fmt: skip
    assert process.stdout is not None
    addresses: dict[str, str] = {}
    lines = []
    for line in process.stdout:
        lines.append(line)
        found = re.search(r"^  The (.+?)\s+(http://\S+)", line)
        if found:
            addresses[found[1]] = found[2]
        if "are in" in line:
            break
    assert len(addresses) == 5, "".join(lines)
    yield addresses
    process.send_signal(signal.SIGTERM)
    rest = process.stdout.read()
    assert process.wait(timeout=40) == 0, rest
    process.stdout.close()


@pytest.fixture
def tab(browser: Browser, request: pytest.FixtureRequest) -> Iterator[Page]:
    """A page that fails the test on any script error or refused resource, but those that a parameter expects."""
    context = browser.new_context()
    opened = context.new_page()
    complaints: list[str] = []
    opened.on(
        "console", lambda said: complaints.append(said.text) if said.type == "error" else None
    )
    opened.on("pageerror", lambda error: complaints.append(str(error)))
    yield opened
    context.close()
    assert complaints == getattr(request, "param", [])


def _open_letter(page: Page, town: dict[str, str], recipient: str, count: int = 1) -> None:
    """Wait until `recipient` has `count` letters, and open the newest."""
    deadline = time.monotonic() + 30
    while True:
        listing = json.loads(page.request.get(f"{town['mailbox']}/letters.json").text())
        letters = [letter["id"] for letter in listing if letter["to"] == recipient]
        if len(letters) >= count:
            page.goto(f"{town['mailbox']}/letters/{letters[0]}")
            return
        assert time.monotonic() < deadline, f"no mail for {recipient}"
        time.sleep(0.1)


def _confirm(page: Page, town: dict[str, str], recipient: str) -> None:
    _open_letter(page, town, recipient)
    with page.expect_popup() as popup:
        page.frame_locator("iframe").get_by_role("link").first.click()
    confirm = popup.value
    confirm.get_by_role("button").first.click()
    expect(confirm.locator("main")).to_contain_text("consent.confirmed")
    confirm.close()


@pytest.mark.browser
@pytest.mark.parametrize("tab", [[ONCE_MORE]], indirect=True)
def test_a_person_signs_up_and_leaves_by_the_plain_form(tab: Page, town: dict[str, str]) -> None:
    person = "ada@person.example"
    tab.goto(town["shop"])
    form = tab.locator("#html form")
    form.get_by_label("E-mail address").fill(person)
    form.get_by_role("checkbox").first.check()
    form.get_by_role("button").click()
    # Now on the page of the service, filled in but for the boxes.
    expect(tab.get_by_label("E-mail address")).to_have_value(person)
    tab.get_by_role("checkbox", name="Weekly offers").check()
    tab.get_by_role("button", name="Send me the mail to confirm").click()
    expect(tab.get_by_role("heading", level=1)).to_have_text("Please look into your mailbox")
    _confirm(tab, town, person)

    tab.goto(town["shop’s office"])
    tab.get_by_label("To whom").fill(f"{person}\nstranger@person.example")
    tab.get_by_role("button").click()
    expect(tab.get_by_role("listitem").filter(has_text=person)).to_contain_text("Yes, sent")
    expect(tab.get_by_role("listitem").filter(has_text="stranger")).to_contain_text("no_basis")

    _open_letter(tab, town, person, count=2)
    tab.get_by_role("button", name="Unsubscribe").click()
    expect(tab.get_by_role("status")).to_contain_text("200")

    tab.goto(town["shop’s office"])
    tab.get_by_label("To whom").fill(person)
    tab.get_by_role("button").click()
    expect(tab.get_by_role("listitem").filter(has_text=person)).to_contain_text("withdrawn")


@pytest.mark.browser
def test_a_customer_is_written_to_without_consent_until_they_object(
    tab: Page, town: dict[str, str]
) -> None:
    person = "mary@person.example"
    tab.goto(town["shop"])
    till = tab.locator('form[action="/buy"]')
    till.get_by_label("E-mail address").fill(person)
    till.get_by_label("Country").select_option("DE")
    till.get_by_role("button").click()
    tab.get_by_role("link", name="Ask in the office").click()
    expect(tab.get_by_label("To whom")).to_have_value(person)

    def answer(purpose: str) -> Locator:
        tab.goto(f"{town['shop’s office']}?to={person}")
        tab.get_by_label("What the message is about").select_option(purpose)
        tab.get_by_role("button").click()
        return tab.get_by_role("listitem").filter(has_text=person)

    expect(answer("Trail stories")).to_contain_text("products_not_similar")
    permitted = answer("Weekly offers")
    expect(permitted).to_contain_text("Yes, sent: existing_customer")
    permitted.get_by_text("What the message must carry").click()
    expect(permitted).to_contain_text("identify_sender")
    link = permitted.get_by_role("link", name="DE@1#exception")
    assert str(link.get_attribute("href")).endswith("/rules/DE")

    _open_letter(tab, town, person)
    tab.get_by_role("button", name="Unsubscribe").click()
    expect(tab.get_by_role("status")).to_contain_text("200")
    expect(answer("Weekly offers")).to_contain_text("exception_closed")


@pytest.mark.browser
def test_a_person_signs_up_in_the_frame_on_another_origin(tab: Page, town: dict[str, str]) -> None:
    person = "grace@person.example"
    tab.goto(town["shop"])
    frame = tab.frame_locator("#iframe iframe")
    frame.get_by_role("textbox").first.fill(person)
    frame.get_by_role("checkbox").nth(1).check()
    tab.wait_for_timeout(1600)  # a form that is sent at once is sent by a robot
    frame.get_by_role("button").click()
    expect(frame.locator("h1")).not_to_contain_text("Sign up")
    _confirm(tab, town, person)
    assert tab.context.cookies() == []


@pytest.mark.browser
def test_a_person_signs_up_by_the_element(tab: Page, town: dict[str, str]) -> None:
    person = "joan@person.example"
    tab.goto(town["shop"])
    element = tab.locator("#element consent-form")
    element.get_by_label("E-mail address").fill(person)
    element.get_by_role("checkbox").first.check()
    element.get_by_role("button").click()
    expect(element).to_contain_text("mailbox")
    _confirm(tab, town, person)
    assert tab.context.cookies() == []


@pytest.mark.browser
@pytest.mark.parametrize("permissions", [["clipboard-read", "clipboard-write"], []])
def test_what_to_paste_is_copied_with_and_without_permission(
    tab: Page, town: dict[str, str], permissions: list[str]
) -> None:
    tab.context.grant_permissions(permissions, origin=town["shop"])
    tab.goto(town["shop"])
    if not permissions:
        tab.evaluate("() => { delete Navigator.prototype.clipboard }")
    tab.locator("#element").get_by_role("button", name="Copy").click()
    expect(tab.locator("#element").get_by_role("status").first).to_have_text("Copied.")
    line = tab.locator("#element-html").text_content()
    assert line is not None
    assert f'<script type="module" src="{town["service"]}/embed.js"></script><consent-form' in line
    if permissions:
        assert tab.evaluate("() => navigator.clipboard.readText()") == line
    else:
        assert tab.evaluate("() => getSelection().toString()").strip() == line
