"""README's tour, copied out of it and run: a command that does not work is worse than none."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from consentledger.cli.demo.pages import form_fields

ROOT = Path(__file__).resolve().parents[2]
COMMAND = [sys.executable, "-P", "-m", "consentledger"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder with a running demo and a .venv, as the tour's reader has it."""
    made = tmp_path_factory.mktemp("tour")
    (made / ".venv").mkdir()
    (made / ".venv" / "bin").symlink_to(Path(sys.executable).parent)
    process = subprocess.Popen(
        [*COMMAND, "demo"], cwd=made, text=True,
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip
    assert process.stdout is not None
    said = []
    for line in process.stdout:
        said.append(line)
        if "are in" in line:
            break
    assert (made / "instance" / "tour.sh").exists(), "".join(said)
    yield made
    process.send_signal(signal.SIGTERM)
    process.stdout.read()
    assert process.wait(timeout=40) == 0
    process.stdout.close()


def _blocks() -> dict[int, list[str]]:
    """Return the tour's shell blocks by the number of their paragraph."""
    tour = (ROOT / "README.md").read_text().partition("## A tour")[2].partition("\n## ")[0]
    parts = re.split(r"^\*\*(\d)\.", tour, flags=re.M)[1:]
    return {
        int(number): re.findall(r"```sh\n(.*?)```", text, re.S)
        for number, text in zip(parts[::2], parts[1::2], strict=True)
    }


def _letter_to(folder: Path, address: str) -> str:
    """Wait for somebody's mail; return the mailbox's page that shows it."""
    variables = dict(
        re.findall(r"^(\w+)='?([^'\n]*)'?$", (folder / "instance/tour.sh").read_text(), re.M)
    )
    deadline = time.monotonic() + 30
    while True:
        letters = json.load(urllib.request.urlopen(f"{variables['MAILBOX']}/letters.json"))
        mine = [letter["id"] for letter in letters if letter["to"] == address]
        if mine:
            break
        assert time.monotonic() < deadline
        time.sleep(0.1)
    answer = urllib.request.urlopen(f"{variables['MAILBOX']}/letters/{mine[0]}")
    return str(answer.read().decode())


def _press(folder: Path) -> None:
    """Do what the tour leaves to the reader's hand: open Kim's mail, and press."""
    page = _letter_to(folder, "kim@person.example")
    link = re.search(r"http://127\.0\.0\.1:\d+/c/[A-Za-z0-9_.-]{33}", page)
    assert link is not None
    shown = urllib.request.urlopen(link[0]).read().decode()
    fields = form_fields(shown)
    urllib.request.urlopen(link[0], data=urllib.parse.urlencode(fields).encode()).close()


def test_the_tour_does_what_it_says(folder: Path) -> None:
    blocks = _blocks()
    assert sorted(blocks) == [1, 2, 3, 4, 5, 6]
    waits = "touch asked; while [ ! -e pressed ]; do sleep 0.1; done"
    steps = [*blocks[1], *blocks[2], waits, *blocks[4], *blocks[5], *blocks[6]]
    script = "set -euo pipefail\n" + "\necho ==\n".join(steps)
    environment = {k: v for k, v in os.environ.items() if not k.startswith("CONSENTLEDGER_")}
    shell = subprocess.Popen(
        ["bash", "-c", script], cwd=folder, text=True, env=environment,
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip
    deadline = time.monotonic() + 60
    while not (folder / "asked").exists():
        assert shell.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.05)
    _press(folder)
    (folder / "pressed").touch()
    out, _ = shell.communicate(timeout=60)
    assert shell.returncode == 0, out
    said = out.split("==\n")
    assert said[1].strip() == "202"
    assert '"allowed": false' in said[2]
    assert '"allowed": true' in said[4]
    assert "List-Unsubscribe-Post" in said[4]
    assert said[5].startswith("200\n")
    assert "withdrawn" in said[5]
    assert "VALID: every check held" in said[6]


def _shell(folder: Path, script: str) -> None:
    environment = {k: v for k, v in os.environ.items() if not k.startswith("CONSENTLEDGER_")}
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script], cwd=folder, text=True, env=environment,
        stdin=subprocess.DEVNULL, capture_output=True, check=False, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr


@contextmanager
def _http_server(folder: Path, port: str) -> Iterator[None]:
    """Run the guide's web server; it is up before the block begins."""
    process = subprocess.Popen(
        [sys.executable, "-m", "http.server", port, "--bind", "127.0.0.1"], cwd=folder,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        deadline = time.monotonic() + 30
        while True:
            with suppress(OSError), socket.create_connection(("127.0.0.1", int(port))):
                break
            assert time.monotonic() < deadline
            time.sleep(0.05)
        yield
    finally:
        process.terminate()
        process.wait(timeout=30)


def _sign_up(page: Page, address_of_page: str, address: str) -> None:
    """Fill in the embedded form as a person does, and wait until it says what comes next."""
    page.goto(address_of_page)
    form = page.locator("consent-form")
    form.get_by_label("E-mail address").fill(address)
    form.get_by_role("checkbox").first.check()
    form.get_by_role("button").click()
    expect(form.locator("[part~=done]")).to_be_visible(timeout=30_000)


@pytest.mark.browser
def test_the_guide_to_embedding_does_what_it_says(folder: Path, page: Page) -> None:
    guide = (ROOT / "docs" / "embed.md").read_text()
    served, origin = re.findall(r"```sh\n(.*?)```", guide, re.S)[:2]
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = str(free.getsockname()[1])
    settings, snippet, server = served.splitlines()
    assert snippet.endswith("> index.html")
    assert server == "python3 -m http.server 8800"
    # Port 8800 is in the demo's list; another one is let in as the guide says.
    allow = origin.replace("8900", port)
    assert allow != origin
    _shell(folder, f"{settings}\n{snippet}\n{allow}")
    address = "guide@person.example"
    with _http_server(folder, port):
        _sign_up(page, f"http://127.0.0.1:{port}/", address)
        assert "Harbour &amp; Pine" in _letter_to(folder, address)
