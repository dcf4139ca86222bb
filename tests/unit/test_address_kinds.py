"""Kinds of addresses, and what a policy makes of them: by the address alone."""

from __future__ import annotations

import pytest

from consentledger.consents.flagging import flags_of
from consentledger.contacts.address import parse
from consentledger.contacts.address_kinds import kinds_of
from consentledger.kernel.errors import InputError
from consentledger.organisations.facts import AddressPolicy


@pytest.mark.parametrize(
    ("address", "kinds"),
    [
        ("anna@person.example", ()),
        ("information@person.example", ()),
        ("info.desk@person.example", ()),
        ("info@person.example", ("role",)),
        ("INFO+shop@person.example", ("role",)),
        ("Kontakt@Person.example", ("role",)),
        ("anna@mailinator.com", ("disposable",)),
        ("anna@Sub.Mailinator.COM", ("disposable",)),
        ("anna@mailinator.com.example", ()),
        ("sales@mailinator.com", ("disposable", "role")),
    ],
)
def test_kinds_are_known_by_public_lists(address: str, kinds: tuple[str, ...]):
    assert kinds_of(parse(address)) == kinds


@pytest.mark.parametrize(
    ("policy", "flags"),
    [
        (AddressPolicy(), ("disposable", "role")),
        (AddressPolicy("accept", "flag"), ("role",)),
        (AddressPolicy("accept", "accept"), ()),
    ],
)
def test_what_is_flagged_is_what_the_policy_says(policy: AddressPolicy, flags: tuple[str, ...]):
    assert flags_of(parse("sales@mailinator.com"), policy) == flags
    assert flags_of(parse("anna@person.example"), policy) == ()


@pytest.mark.parametrize(
    ("policy", "reason"),
    [(AddressPolicy("refuse", "flag"), "disposable"), (AddressPolicy("flag", "refuse"), "role")],
)
def test_what_is_refused_names_the_field_and_the_kind(policy: AddressPolicy, reason: str):
    with pytest.raises(InputError) as caught:
        flags_of(parse("sales@mailinator.com"), policy, "address")
    assert (caught.value.field, caught.value.reason) == ("address", reason)
