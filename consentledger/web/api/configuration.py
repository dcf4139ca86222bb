"""/configuration: what an organisation wants of the addresses that sign up."""

from __future__ import annotations

from typing import Any

from flask import Response
from marshmallow import Schema, fields, validate

from consentledger.organisations import queries
from consentledger.organisations.address_policies import (
    ADDRESS_POLICIES,
    ChangeAddressPolicy,
    change_address_policy,
)
from consentledger.web.api.acting import act, answer, reading
from consentledger.web.api.keys import caller
from consentledger.web.api.operation import ApiBlueprint

blueprint = ApiBlueprint("configuration", __name__, "What holds for your organisation")


def _policy(description: str, **more: Any) -> fields.String:
    return fields.String(
        validate=validate.OneOf(ADDRESS_POLICIES), metadata={"description": description}, **more
    )


class AddressPolicySchema(Schema):
    """By kind of address: accept, flag (with the request, in figures and status) or refuse (422)."""

    disposable = _policy("addresses of providers of throw-away mailboxes", required=True)
    role = _policy("addresses of a role, such as info@ or sales@", required=True)


class ChangedPolicySchema(Schema):
    """What is left out stays as it is."""

    disposable = _policy("accept, flag or refuse", load_default=None)
    role = _policy("accept, flag or refuse", load_default=None)


class ConfigurationSchema(Schema):
    """What holds for your organisation."""

    addresses = fields.Nested(AddressPolicySchema, required=True)


class ConfigurationInSchema(Schema):
    """What shall hold from the next post on; every change is an entry in your log."""

    addresses = fields.Nested(ChangedPolicySchema, required=True)


HOLDS = ConfigurationSchema()


@blueprint.operation("GET", "/configuration", scope="publish", gives=HOLDS)
def read_configuration() -> Response:
    """Read what holds for your organisation."""
    with reading() as session:
        found = queries.organisation(session, caller().organisation_id)
    return answer(HOLDS.dump({"addresses": found.address_policy}))


@blueprint.operation(
    "PUT", "/configuration", scope="publish", takes=ConfigurationInSchema(), gives=HOLDS
)
def change_configuration(given: dict[str, Any]) -> Response:
    """Change what becomes of disposable and role addresses."""
    command = ChangeAddressPolicy(caller().organisation_id, caller().actor, **given["addresses"])
    return act(lambda tx: {"addresses": change_address_policy(tx, command)}, HOLDS)
