"""Records of the existing-customer exception, a class of their own: they never claim a consent's status.

One JSON-LD file per recorded ground, made from its entries, and made again by the verifier.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from consentledger.kernel.errors import VerificationError
from consentledger.verify.entries import Entry
from consentledger.verify.story import Story

# How records are written; a change of their shape is a new number, so that old bundles stay checkable.
FORMAT = 1
LAW = "Directive 2002/58/EC art. 13(2), as the recipient's country has it"
_FLAGS = {
    "cl:offeredAtCollection": "offered_at_collection",
    "cl:refusedAtCollection": "refused_at_collection",
    "cl:toldUseForAdvertising": "told_use_for_advertising",
}
_EVENTS = {
    "customer.recorded": "cl:ExceptionEstablished",
    "customer.objected": "cl:ExceptionObjected",
    "customer.lapsed": "cl:ExceptionLapsed",
}


def customer_records(told: Mapping[str, Story], context: str) -> dict[str, dict[str, Any]]:
    """Returns the record of every ground that the stories tell of, by its path."""
    found = {}
    for story in told.values():
        entries = [one for one in story.entries if one.kind.name in _EVENTS and one.is_told]
        for entry in entries:
            if entry.kind.name == "customer.recorded":
                customer = entry.need("customer")
                later = [one for one in entries if _about(one, entry)]
                found[f"records/customer-{customer}.jsonld"] = _record(story, entry, later, context)
    return found


def check_customer(record: Mapping[str, Any], wanted: Mapping[str, Any]) -> None:
    """Checks a bundle's record against the one that its entries give."""
    for name in sorted(wanted.keys() | record.keys()):
        if name not in wanted or name not in record or record[name] != wanted[name]:
            raise VerificationError(f"{name} is not what the entries say", rule="record")


def _about(one: Entry, sale: Entry) -> bool:
    """Tells whether an entry is the sale itself, its end, or an objection on its channel behind it."""
    if one.kind.name == "customer.objected":
        return one.index > sale.index and one.text("channel") == sale.text("channel")
    return one.text("customer") == sale.text("customer")


def _record(story: Story, sale: Entry, entries: list[Entry], context: str) -> dict[str, Any]:
    customer, wording = sale.need("customer"), sale.values.get("wording")
    party = {
        "@type": ["dpv:Organisation", "dpv:DataController"],
        "dpv:hasName": sale.need("seller"),
    }
    return {
        "@context": context,
        "@id": f"urn:cl:record:{customer}",
        "@type": "cl:CustomerExceptionRecord",
        "cl:format": FORMAT,
        "dct:identifier": customer,
        "dpv:hasDataSubject": {"@id": f"urn:uuid:{story.contact}", "@type": "dpv:DataSubject"},
        "dpv:hasEntity": [party],
        "dpv:hasApplicableLaw": LAW,
        "dpv:hasPurpose": "dpv:DirectMarketing",
        "dpv:hasPersonalData": "pd:EmailAddress",
        "dpv:hasDataSource": sale.need("obtained_from"),
        "cl:channel": sale.need("channel"),
        "cl:trigger": sale.need("trigger"),
        "cl:on": sale.need("on"),
        "cl:categories": sale.texts("categories"),
        "cl:country": sale.text("country"),
        "cl:person": sale.need("person"),
        "cl:capacity": sale.need("capacity"),
        "cl:wording": str(wording[1]) if isinstance(wording, list) else None,
        **{name: sale.values.get(field) is True for name, field in _FLAGS.items()},
        "cl:events": [_event(one) for one in entries],
        "cl:claimedState": _state(story, sale, entries),
    }


def _event(entry: Entry) -> dict[str, Any]:
    return {
        "@type": _EVENTS[entry.kind.name],
        "dpv:isIndicatedAtTime": entry.need("at"),
        "dpv:isIndicatedBy": entry.need("actor"),
        "cl:endedOn": entry.text("ended_on"),
        "cl:entry": entry.index,
    }


def _state(story: Story, sale: Entry, entries: list[Entry]) -> str:
    """Returns closed while the person's no stands on the channel; else established, ended or lapsed."""
    if story.standing.closed(sale.need("channel")):
        return "closed"
    lapses = [one for one in entries if one.kind.name == "customer.lapsed"]
    if lapses and lapses[-1].text("ended_on") is None:
        return "lapsed"
    return "ended" if lapses or sale.text("ended_on") else "established"
