"""A sick peer rests and is tried gently; a healthy one serves many threads but never takes all."""

from __future__ import annotations

import threading
import time

import pytest

from consentledger.mail.result import Delivery
from consentledger.worker.peers import Peers, Rest, RestingError, sick

SENT = Delivery("accepted", "data", 250, "ok")
DOWN = Delivery("deferred", "connect", None, "refused")


def test_one_peer_never_gets_all_threads():
    peers = Peers(2)
    peers.enter("a")
    peers.enter("a")
    with pytest.raises(RestingError):
        peers.enter("a")
    peers.enter("b")
    peers.leave("a", ill=sick(SENT))
    peers.enter("a")


def test_a_place_at_a_full_peer_is_waited_for_but_not_for_ever():
    peers, entered = Peers(1), threading.Event()
    peers.enter("a")

    def wait() -> None:
        peers.enter("a", patience=30)
        entered.set()

    waiting = threading.Thread(target=wait, daemon=True)
    waiting.start()
    assert not entered.wait(0.05)
    peers.leave("a", ill=False)
    assert entered.wait(30)
    with pytest.raises(RestingError):
        peers.enter("a", patience=0.01)


def test_a_peer_that_falls_ill_meanwhile_is_not_waited_for():
    peers, told = Peers(1, Rest(first=60)), []
    peers.enter("a")

    def wait() -> None:
        try:
            peers.enter("a", patience=30)
        except RestingError as error:
            told.append(error.seconds)

    waiting = threading.Thread(target=wait, daemon=True)
    waiting.start()
    peers.leave("a", ill=True)
    waiting.join(30)
    assert told
    assert told[0] > 30


def test_a_failed_peer_rests_longer_each_time_and_one_message_tries_it_first():
    peers = Peers(3, Rest(first=0.05, longest=0.15))
    rests = []
    for _ in range(3):
        peers.enter("a")
        peers.leave("a", ill=sick(DOWN))
        with pytest.raises(RestingError) as caught:
            peers.enter("a")
        rests.append(caught.value.seconds)
        time.sleep(caught.value.seconds)
    assert 0 < rests[0] <= 0.05 < rests[1] <= 0.1 < rests[2] <= 0.15
    peers.enter("a")
    with pytest.raises(RestingError):
        peers.enter("a")
    peers.leave("a", ill=sick(SENT))
    for _ in range(3):
        peers.enter("a")


def test_failures_at_the_same_moment_count_once():
    peers = Peers(3, Rest(first=0.05, longest=10))
    for _ in range(3):
        peers.enter("a")
    for _ in range(3):
        peers.leave("a", ill=sick(DOWN))
    with pytest.raises(RestingError) as caught:
        peers.enter("a")
    assert caught.value.seconds <= 0.05


def test_another_peer_is_not_touched():
    peers = Peers(1, Rest(first=10))
    peers.enter("a")
    peers.leave("a", ill=sick(DOWN))
    peers.enter("b")


def test_an_exception_gives_the_place_back():
    peers = Peers(1)
    peers.enter("a")
    peers.leave("a", ill=False)
    peers.enter("a")


@pytest.mark.parametrize(
    ("delivery", "found"),
    [
        (SENT, False),
        (Delivery("refused", "recipient", 550, ""), False),
        (Delivery("deferred", "recipient", 450, ""), False),
        (Delivery("deferred", "sender", 421, ""), True),
        (Delivery("deferred", "login", 535, ""), True),
        (Delivery("deferred", "connect", 554, ""), True),
        (Delivery("deferred", "timeout", None, ""), True),
    ],
)
def test_what_makes_a_peer_sick(delivery: Delivery, found: bool):
    assert sick(delivery) is found
