"""Kinds of addresses that the organisation wants to know of, or does not want: by its policy. Pure."""

from __future__ import annotations

from consentledger.contacts.address import Address
from consentledger.contacts.address_kinds import kinds_of
from consentledger.kernel.errors import InputError
from consentledger.organisations.facts import AddressPolicy

_REFUSED = {
    "disposable": "this organisation takes no disposable addresses",
    "role": "this organisation takes no addresses of a role, such as info@ or sales@",
}


def flags_of(address: Address, policy: AddressPolicy, field: str = "email") -> tuple[str, ...]:
    """Returns the kinds of an address that are kept with its request: disposable, role.

    InputError with one of them as its reason when the policy refuses it. Only the address is looked at, nothing
    that is known of it.
    """
    found = {kind: getattr(policy, kind) for kind in kinds_of(address)}
    for kind, wanted in found.items():
        if wanted == "refuse":
            raise InputError(f"{field}: {_REFUSED[kind]}", field=field, reason=kind)
    return tuple(kind for kind, wanted in found.items() if wanted == "flag")
