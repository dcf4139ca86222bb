"""What a webhook's address may be, which addresses are public, and what a signature is made of."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta

import pytest
from standardwebhooks import Webhook as Receiver
from standardwebhooks.webhooks import WebhookVerificationError

from consentledger.kernel.errors import InputError
from consentledger.kernel.network import is_public
from consentledger.webhooks import rules
from consentledger.webhooks.rules import Secret

NOW = datetime(2026, 11, 22, 1, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("https://crm.example/hooks?a=1&b=%C3%A4", "https://crm.example/hooks?a=1&b=%C3%A4"),
        ("HTTPS://CRM.Example:443", "https://crm.example/"),
        ("https://crm.example:8443/x", "https://crm.example:8443/x"),
        ("https://bücher.example/", "https://xn--bcher-kva.example/"),
        ("https://1.1.1.1/x", "https://1.1.1.1/x"),
        ("https://[2606:4700:4700::1111]/x", "https://[2606:4700:4700::1111]/x"),
    ],
)
def test_addresses_that_may_be_told(given: str, kept: str) -> None:
    assert rules.check_url(given) == kept


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("http://crm.example/", "scheme"),
        ("ftp://crm.example/", "scheme"),
        ("javascript:alert(1)", "scheme"),
        ("https://user:secret@crm.example/", "format"),
        ("https://crm.example/#part", "format"),
        ("https://crm.example/ä", "format"),
        ("https://crm.example/a b", "format"),
        ("https://crm.example:22/", "port"),
        ("https://crm.example:1023/", "port"),
        ("https://crm.example:0/", "port"),
        ("https://crm.example:65536/", "port"),
        ("https://" + "a" * 60 + ".example/" + "b" * 1000, "too_long"),
        ("https://localhost/", "private"),
        ("https://db.internal/", "private"),
        ("https://intranet/", "private"),
        ("https://127.0.0.1/", "private"),
        ("https://10.1.2.3/", "private"),
        ("https://169.254.169.254/latest/meta-data", "private"),
        ("https://[::1]/", "private"),
        ("https://[::ffff:10.0.0.1]/", "private"),
        ("https://127.1/", "host"),
        ("https://0x7f.1/", "host"),
        ("https://2130706433/", "host"),
    ],
)
def test_addresses_that_may_not(url: str, reason: str) -> None:
    with pytest.raises(InputError) as caught:
        rules.check_url(url)
    assert (caught.value.field, caught.value.reason) == ("url", reason)


def test_this_machine_only_when_asked_for() -> None:
    for url in ("http://127.0.0.1:8025/hook", "https://localhost:8443/", "http://[::1]:80/"):
        assert rules.check_url(url, loopback=True)
    with pytest.raises(InputError):
        rules.check_url("http://crm.example/", loopback=True)


@pytest.mark.parametrize(
    "address",
    [
        "0.0.0.0", "10.0.0.1", "100.64.0.1", "127.0.0.1", "169.254.1.1", "172.31.0.1", "192.0.0.1",
        "192.0.2.1", "192.88.99.1", "192.168.0.1", "198.18.0.1", "224.0.0.1", "239.1.1.1",
        "240.0.0.1", "255.255.255.255",
        "::", "::1", "::ffff:127.0.0.1", "::ffff:192.168.0.1", "::127.0.0.1",
        "64:ff9b::7f00:1", "64:ff9b::a00:1", "64:ff9b:1::1", "100::1", "2001::1", "2001:db8::1",
        "2002:7f00:1::", "2002:101:101::", "3fff::1", "5f00::1", "fc00::1", "fd12::1", "fe80::1",
        "fe80::1%eth0", "fec0::1", "ff02::1", "ff0e::1",
    ],
)  # fmt: skip
def test_addresses_that_are_not_everybodys(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize(
    "address", ["1.1.1.1", "::ffff:1.1.1.1", "2606:4700:4700::1111", "64:ff9b::101:101"]
)
def test_addresses_that_are(address: str) -> None:
    assert is_public(address)


def secret() -> str:
    return rules.new_secret(os.urandom(rules.SECRET_BYTES))


def test_another_implementation_accepts_the_signature_and_nothing_else() -> None:
    known, stranger = secret(), secret()
    at = datetime.now(UTC)
    content = rules.body("contact.erased", at, {"address": "zoë@kunde.example"}).encode()
    headers = rules.headers("msg_1", at, content, [known])
    said = Receiver(known).verify(content, headers)
    assert said["type"] == "contact.erased"
    assert said["data"] == {"address": "zoë@kunde.example"}
    for receiver, body, changed in (
        (stranger, content, {}),
        (known, content.replace(b"erased", b"Erased"), {}),
        (known, content, {"webhook-id": "msg_2"}),
        (known, content, {"webhook-timestamp": str(int(at.timestamp()) - 60)}),
    ):
        with pytest.raises(WebhookVerificationError):
            Receiver(receiver).verify(body, {**headers, **changed})


def test_a_known_answer() -> None:
    # The example of the specification's own text and libraries.
    known = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
    at = datetime.fromtimestamp(1614265330, UTC)
    headers = rules.headers("msg_p5jXN8AQM9LWM0D4loKWxJek", at, b'{"test": 2432232314}', [known])
    assert headers["webhook-signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_two_secrets_sign_while_a_rotation_lasts() -> None:
    first, second, third = secret(), secret(), secret()
    rotated = rules.rotate([Secret(first)], second, NOW, rules.OVERLAP)
    kept = rules.load_secrets(rules.dump_secrets(rotated))
    assert kept == rotated
    assert rules.signing(kept, NOW + timedelta(hours=23)) == [second, first]
    assert rules.signing(kept, NOW + timedelta(hours=24)) == [second]
    at = datetime.now(UTC)
    headers = rules.headers("msg_1", at, b"{}", [second, first])
    assert Receiver(first).verify(b"{}", headers) == Receiver(second).verify(b"{}", headers) == {}
    at_once = rules.rotate(kept, third, NOW, timedelta(0))
    assert rules.signing(at_once, NOW) == [third]


def test_secrets_do_not_show_in_a_log() -> None:
    assert "whsec" not in repr(Secret(secret()))


@pytest.mark.parametrize("hours", [-1, 169])
def test_a_rotation_has_an_end(hours: int) -> None:
    with pytest.raises(InputError):
        rules.check_overlap(hours)


@pytest.mark.parametrize("events", [(), ("contact.created",), ("contact.erased", "webhook.test")])
def test_events_are_known_ones(events: tuple[str, ...]) -> None:
    with pytest.raises(InputError):
        rules.check_events(events)
    assert rules.check_events(["contact.erased"] * 2) == ("contact.erased",)
