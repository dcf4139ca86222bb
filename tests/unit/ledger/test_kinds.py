"""Kinds are extended by a new version, never changed: each schema's hash is pinned here."""

from __future__ import annotations

import hashlib
import json

from consentledger.ledger.kinds import KINDS, kind
from consentledger.ledger.kinds.model import COMMON, CONTACT, Kind

PINNED = {
    "categories.published/1": "d9d3dbf7b24584fe",
    "configuration.changed/1": "0faf382fce3de777",
    "confirmation.handled/1": "1755cf7ddbd0617c",
    "confirmation.prepared/1": "5aec7e8f7a464c99",
    "consent.confirmed/1": "2a399f3d43856d34",
    "consent.declined/1": "360fa18cf785a4bf",
    "consent.expired/1": "0f68ef33d9a20cd8",
    "consent.requested/1": "7c4a5fe2e369c7c1",
    "consent.withdrawn/1": "be3197e1421e3f00",
    "customer.lapsed/1": "674cfbc8b94a9371",
    "customer.objected/1": "acf6f02fd8103b5f",
    "customer.recorded/1": "08827c876e63495e",
    "form.published/1": "ab9ee7217c44b24f",
    "hold.placed/1": "3eeba7c2de38a783",
    "hold.released/1": "a3bfaaa117ed3f09",
    "log.erasure/1": "02d40e59af5213c3",
    "log.erasure/2": "ed44b4f8aecaf6e4",
    "log.genesis/1": "89aea42e99c5b717",
    "log.genesis/2": "b59a4505a9e5a837",
    "log.index/1": "0b455cb8a8e391dc",
    "log.key/1": "00a20b033ce38f3d",
    "log.retention/1": "af2ad83a098ad7a4",
    "message.sent/1": "d398f4f4c4818b57",
    "objection.recorded/1": "f360eb04fc53a428",
    "organisation.changed/1": "be778200adea8981",
    "pack.adopted/1": "c14245a31e2cd951",
    "pack.adopted/2": "e47d669354676d9b",
    "permits.issued/1": "b0fb6bf81f212cfa",
    "permits.issued/2": "7623126f14e433b6",
    "permits.voided/1": "8797eb6756d09d6e",
    "purpose.published/1": "9770afe17e6a3391",
    "register.imported/1": "abfba960334f8802",
    "restriction.opened/1": "69269f69dfc7917b",
    "sender.published/1": "cc122b6b04a7648c",
    "wording.published/1": "58c1160190ca583a",
}


def digest(one: Kind) -> str:
    """The hash of all that a kind's leaves are made and read by."""
    schema = {
        "fields": [[f.name, f.type, f.nullable, f.opening] for f in one.fields],
        "plain": list(one.plain),
        "contact": one.contact,
        "affects": one.affects,
    }
    return hashlib.sha256(json.dumps(schema, sort_keys=True).encode()).hexdigest()[:16]


def test_no_published_kind_has_changed() -> None:
    assert {one.id: digest(one) for one in KINDS.values()} == PINNED


def test_every_kind_carries_who_when_and_by_what() -> None:
    for one in KINDS.values():
        names = {f.name for f in one.fields}
        assert {f.name for f in COMMON} <= names
        assert ({f.name for f in CONTACT} <= names) == one.contact
        assert one.name.split(".")[-1] == one.name.split(".")[-1].lower()


def test_the_newest_version_is_found() -> None:
    assert kind("consent.confirmed") is KINDS["consent.confirmed", 1]


def test_sorted_bytewise() -> None:
    for one in KINDS.values():
        names = [f.name.encode() for f in one.fields]
        assert names == sorted(names)
        assert len(set(names)) == len(names)
