"""The demo's post office, against Python's own SMTP client."""

from __future__ import annotations

import asyncio
import smtplib
import threading
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from consentledger.cli.demo.mailbox import one_click_address
from consentledger.cli.demo.postbox import LONGEST_LINE, Postbox, PostOffice

MAIL = (
    b"From: shop@example.org\r\nSubject: hello\r\n"
    b"List-Unsubscribe: <http://127.0.0.1:1/u/x>, <mailto:stop@example.org>\r\n"
    b"List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n\r\n..two dots\r\n.\xc3\xa4\r\n"
)


@pytest.fixture
def postbox(tmp_path: Path) -> Postbox:
    return Postbox(tmp_path / "mail")


@pytest.fixture
def port(postbox: Postbox) -> Iterator[int]:
    loop = asyncio.new_event_loop()
    office = PostOffice(postbox)
    server = loop.run_until_complete(
        asyncio.start_server(office.serve, "127.0.0.1", 0, limit=LONGEST_LINE)
    )
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    yield server.sockets[0].getsockname()[1]
    server.close()
    loop.call_soon_threadsafe(loop.stop)
    thread.join()
    loop.run_until_complete(_ended(loop))
    loop.run_until_complete(loop.shutdown_default_executor())
    loop.close()


async def _ended(loop: asyncio.AbstractEventLoop) -> None:
    """Let every conversation end, and its transport close, before the loop goes."""
    others = asyncio.all_tasks(loop) - {asyncio.current_task(loop)}
    for other in others:
        other.cancel()
    await asyncio.gather(*others, return_exceptions=True)
    await asyncio.sleep(0.05)


def test_it_delivers_the_bytes_to_each_recipient(port: int, postbox: Postbox) -> None:
    with smtplib.SMTP("127.0.0.1", port, timeout=5) as client:
        client.sendmail("shop@example.org", ["a@example.org", "b@example.org"], MAIL)
        client.sendmail("shop@example.org", ["c@example.org"], MAIL)
    letters = postbox.letters()
    assert [letter.recipient for letter in letters] == [
        "c@example.org",
        "b@example.org",
        "a@example.org",
    ]
    assert {letter.content for letter in letters} == {MAIL}
    assert postbox.letter(letters[0].letter_id) == letters[0]
    assert postbox.letter(uuid4()) is None


def test_nothing_is_kept_of_a_message_that_did_not_end(port: int, postbox: Postbox) -> None:
    client = smtplib.SMTP("127.0.0.1", port, timeout=5)
    client.ehlo()
    client.mail("shop@example.org")
    client.rcpt("a@example.org")
    client.docmd("DATA")
    client.send(b"half a mess")
    client.close()
    assert postbox.letters() == []


def test_wrong_order_and_unknown_words_are_answered(port: int) -> None:
    with smtplib.SMTP("127.0.0.1", port, timeout=5) as client:
        client.ehlo()
        assert client.docmd("DATA")[0] == 503
        assert client.docmd("VRFY a")[0] == 502
        assert client.noop()[0] == 250


def test_one_click_needs_both_headers(postbox: Postbox) -> None:
    postbox.keep("a@example.org", MAIL)
    message = postbox.letters()[0].message
    assert one_click_address(message) == "http://127.0.0.1:1/u/x"
    del message["List-Unsubscribe-Post"]
    assert one_click_address(message) is None
