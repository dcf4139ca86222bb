"""POST /consents: a sign-up that the marketer's own server took; it starts the same double opt-in."""

from __future__ import annotations

from ipaddress import ip_address
from typing import Any

from flask import Response
from marshmallow import Schema, fields, validate

from consentledger.consents import service
from consentledger.consents.commands import Origin, RequestConsent
from consentledger.consents.flagging import flags_of
from consentledger.contacts import address as addresses
from consentledger.kernel.errors import InputError, NotFoundError
from consentledger.organisations import queries
from consentledger.organisations.facts import PublishedForm
from consentledger.organisations.fields import line
from consentledger.web import cached
from consentledger.web.api.acting import act, reading
from consentledger.web.api.keys import caller
from consentledger.web.api.operation import ApiBlueprint
from consentledger.web.api.shapes import Instant, address_field, maybe
from consentledger.web.limits import Post
from consentledger.web.services import services

blueprint = ApiBlueprint("consents", __name__, "Ask for a person's consent")


class ConsentInSchema(Schema):
    """What the person did on the marketer's page. No mail goes out but the one that asks them to confirm."""

    form = fields.UUID(required=True, metadata={"description": "whose wordings the person saw"})
    version = fields.Integer(
        load_default=None,
        allow_none=True,
        strict=True,
        validate=validate.Range(1, 2**31 - 1),
        metadata={"description": "the version they saw"},
    )
    address = address_field("the person's address")
    purposes = fields.List(
        fields.UUID(), required=True, metadata={"description": "the boxes that the person ticked"}
    )
    page = maybe("the page where they did")
    ip = maybe(
        "the person's IP address, as your server saw it; without it your key is limited instead"
    )
    user_agent = maybe("the person's User-Agent, as your server saw it")
    collected_by = maybe("who collected it, when that is not the sender")
    condition = maybe("what was promised for signing up, such as a voucher")
    age_band = maybe("as the person stated it, such as 16-17")


class AcceptedSchema(Schema):
    """The request is in the log; the same answer for every address."""

    request = fields.UUID(required=True, attribute="request_id", data_key="request")
    expires_at = Instant(required=True)
    entry_index = fields.Integer(required=True, attribute="index")
    leaf_hash = fields.Function(lambda accepted: accepted.leaf_hash.hex())


ACCEPTED = AcceptedSchema()
# These stand in the entry as the marketer tells them.
LONGEST = {
    "page": 2_000,
    "user_agent": 1_000,
    "collected_by": 200,
    "condition": 500,
    "age_band": 20,
}


@blueprint.operation(
    "POST",
    "/consents",
    scope="consents:write",
    takes=ConsentInSchema(),
    gives=ACCEPTED,
    status=202,
)
def request_consent(given: dict[str, Any]) -> Response:
    """Start a double opt-in for an address, under the same limits as a form's page; 409 while the form is paused."""
    command = _command(given)
    _count(command)
    return act(lambda tx: service.request(tx, command), ACCEPTED, 202)


def _command(given: dict[str, Any]) -> RequestConsent:
    form = _form(given)
    if not given["purposes"]:
        raise InputError("purposes: name at least one", field="purposes", reason="missing")
    for number, purpose_id in enumerate(given["purposes"]):
        if form.purpose(purpose_id) is None:
            field = f"purposes.{number}"
            raise InputError(f"{field}: this form has no such box", field=field, reason="unknown")
    told = {name: _told(given[name], name, longest) for name, longest in LONGEST.items()}
    return RequestConsent(
        form=form,
        address=given["address"],
        ticked=tuple(given["purposes"]),
        method="api",
        source="api",
        page=told["page"],
        came=Origin(_ip(given["ip"]), told["user_agent"]),
        actor=caller().actor,
        collected_by=told["collected_by"],
        condition=told["condition"],
        age_band=told["age_band"],
    )


def _told(value: str | None, name: str, longest: int) -> str | None:
    return None if value is None else line(value, name, longest=longest)


def _ip(value: str | None) -> str | None:
    try:
        return None if value is None else str(ip_address(value))
    except ValueError as error:
        raise InputError("ip: this is no IP address", field="ip", reason="format") from error


def _form(given: dict[str, Any]) -> PublishedForm:
    """The version that the person saw, of a form that is published and of the caller's organisation."""
    form = cached.published_form(given["form"])
    if form.organisation_id != caller().organisation_id:
        raise NotFoundError("there is no such form")
    if given["version"] in (None, form.version):
        return form
    with reading() as session:
        return queries.form_version(session, form.organisation_id, form.form_id, given["version"])


def _count(command: RequestConsent) -> None:
    """Refuses a kind of address that the organisation does not want, then counts; by the address alone."""
    form, address = command.form, addresses.parse(command.address, "address")
    flags_of(address, form.address_policy, "address")
    # A stranger must not bomb a mailbox through a shop's server either: the person is counted if the server
    # names them, like one who posts the form, else its key.
    folded = addresses.fold_for_limits(address.text)
    post = Post(command.came.ip, folded, form.form_id, form.organisation_id)
    services().limiter.count_api(post, caller().key_id)
