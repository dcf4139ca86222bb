"""Consent records (ISO/IEC TS 27560:2023 in W3C DPV terms): made from opened entries, and checked.

The mapping is data: MANDATORY names each field that 27560 (and, for GDPR, its profile) demands, and
where it stands in the JSON-LD. A soft opt-in is no consent: its records are a class of their own (customer_records).
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from consentledger.kernel.errors import VerificationError
from consentledger.ledger.bundle import Bundle
from consentledger.verify.customer_records import check_customer, customer_records
from consentledger.verify.entries import Entry
from consentledger.verify.report import Report
from consentledger.verify.rests import Published
from consentledger.verify.states import Act, Consent, Key
from consentledger.verify.story import Story

RULE = "record"
CONTEXT = "consentledger-context.jsonld"
# How `record_of` writes; a change of its shape is a new number, so that old bundles stay checkable.
FORMAT = 1
CONFORMS = "https://w3id.org/dpv/schema/dpv-27560#record-eu-gdpr"
STATUS = {
    "requested": "dpv:ConsentRequested",
    "confirmed": "dpv:ConsentGiven",
    "renewed": "dpv:RenewedConsentGiven",
    "declined": "dpv:ConsentRefused",
    "expired": "dpv:ConsentRequestDeferred",
    "withdrawn": "dpv:ConsentWithdrawn",
}
MANDATORY: Mapping[str, tuple[str, ...]] = {
    "schema_version": ("dct:conformsTo",),
    "record_id": ("dct:identifier",),
    "pii_principal_id": ("dpv:hasDataSubject", "@id"),
    "privacy_notice": ("dpv:hasNotice", "*", "cl:sha256"),
    "language": ("dpv:hasNotice", "*", "dct:language"),
    "purpose": ("dpv:hasProcess", "*", "dpv:hasPurpose"),
    "lawful_basis": ("dpv:hasProcess", "*", "dpv:hasLegalBasis"),
    "pii_information": ("dpv:hasProcess", "*", "dpv:hasPersonalData"),
    "pii_type": ("dpv:hasProcess", "*", "cl:piiType"),
    "pii_controllers": ("dpv:hasDataController",),
    "collection_method": ("dpv:hasProcess", "*", "dpv:hasDataSource"),
    "storage_locations": ("dpv:hasProcess", "*", "dpv:hasStorageCondition", "*", "dpv:hasLocation"),
    "retention_period": ("dpv:hasProcess", "*", "dpv:hasStorageCondition", "*", "dpv:hasDuration"),
    "jurisdiction": ("dpv:hasJurisdiction",),
    "recipient_third_parties": ("dpv:hasProcess", "*", "dpv:hasRecipient"),
    "withdrawal_method": ("dpv:hasConsentControl", "*", "cl:method"),
    "privacy_rights": ("dpv:hasRight",),
    "authority_party": ("dpv:hasAuthority",),
    "party_id": ("dpv:hasEntity", "*", "@id"),
    "party_name": ("dpv:hasEntity", "*", "dpv:hasName"),
    "party_address": ("dpv:hasEntity", "*", "dpv:hasAddress"),
    "party_contact": ("dpv:hasEntity", "*", "dpv:hasContact"),
    "party_type": ("dpv:hasEntity", "*", "@type"),
    "event_time": ("dpv:hasConsentStatus", "*", "dpv:isIndicatedAtTime"),
    "validity_duration": ("dpv:hasConsentStatus", "*", "dpv:hasDuration"),
    "entity_id": ("dpv:hasConsentStatus", "*", "dpv:isIndicatedBy"),
    "event_type": ("dpv:hasConsentStatus", "*", "@type"),
}
_MAY_BE_EMPTY = frozenset({"recipient_third_parties"})
_UNTIL = {"@type": "dpv:UntilEventDuration", "rdf:value": "withdrawal"}
_RIGHTS = ["eu-gdpr:A7-3", *(f"eu-gdpr:A{n}" for n in range(15, 23))]


def record_path(key: Key, consent: Consent) -> str:
    """Returns the path of a consent's record."""
    return f"records/{record_id(key, consent)}.jsonld"


def record_id(key: Key, consent: Consent) -> str:
    """Returns the consent's id; a request that was never confirmed is named by purpose and entry."""
    return consent.consent or f"{key[1]}-{consent.history[0].index}"


def record_of(story: Story, key: Key, published: Published) -> dict[str, Any]:
    """Makes the record of one consent from what the entries open; needs sender, purpose and form."""
    consent = story.standing.of(key)
    sender = _known(published.senders, key[0], "sender")
    source = _source(story, key)
    wordings = [published.wordings[w] for w in _wordings(source) if w in published.wordings]
    wordings = [w for w in wordings if w.text("purpose") == key[1]] or wordings
    country = published.organisation.need("country") if published.organisation else ""
    party = f"urn:uuid:{key[0]}"
    return {
        "@context": CONTEXT,
        "@id": f"urn:cl:record:{record_id(key, consent)}",
        "@type": "dpv:ConsentRecord",
        "cl:format": FORMAT,
        "dct:conformsTo": CONFORMS,
        "dct:identifier": record_id(key, consent),
        "dpv:hasDataSubject": {"@id": f"urn:uuid:{story.contact}", "@type": "dpv:DataSubject"},
        "dpv:hasDataController": party,
        "dpv:hasJurisdiction": f"loc:{country}",
        "dpv:hasApplicableLaw": "eu-gdpr:GDPR",
        "dpv:hasAuthority": "eu-gdpr:DPA (GDPR art. 77: where the person lives, works, or was wronged)",
        "dpv:hasEntity": [_party(party, sender)],
        "dpv:hasProcess": [_process(key, source, published, country)],
        "dpv:hasNotice": [_notice(source, wordings)],
        "dpv:hasConsentControl": [
            {
                "@type": "dpv:WithdrawConsent",
                "cl:method": [w.need("withdrawal") for w in wordings]
                or ["unsubscribe link in every message"],
            }
        ],
        "dpv:hasRight": [{"@type": ["dpv:DataSubjectRight", right]} for right in _RIGHTS],
        "dpv:hasConsentStatus": [_status(story, act, consent) for act in consent.history],
        "cl:claimedState": story.standing.claim(key),
    }


def records_of(
    told: Mapping[str, Story], published: Published
) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yields path and record of every consent, and of every customer's ground, that the stories tell of."""
    yield from customer_records(told, CONTEXT).items()
    for story in told.values():
        for key, consent in story.standing.consents.items():
            if consent.history:
                yield record_path(key, consent), record_of(story, key, published)


def _known(published: Mapping[str, Entry], name: str, what: str) -> Entry:
    found = published.get(name)
    if found is None:
        raise VerificationError(f"the {what} {name} is not published in the bundle", rule=RULE)
    return found


def _source(story: Story, key: Key) -> Entry:
    """The latest entry that asked for this consent, or gave it."""
    for entry in reversed(story.entries):
        asks = entry.text("purpose") == key[1] or key[1] in entry.texts("purposes")
        named = entry.kind.name in ("consent.confirmed", "consent.requested")
        if named and asks and entry.is_told:
            return entry
    raise VerificationError("no entry asked for this consent", rule=RULE)


def _wordings(source: Entry) -> list[str]:
    single = source.text("wording_id")
    return [single] if single else source.texts("wordings")


def _party(party: str, sender: Entry) -> dict[str, Any]:
    return {
        "@id": party,
        "@type": ["dpv:Organisation", "dpv:DataController"],
        "dpv:hasIdentifier": party,
        "dpv:hasName": sender.need("legal_name"),
        "dpv:hasAddress": f"{sender.need('postal_address')}\n{sender.need('country')}",
        "dpv:hasContact": sender.need("contact_email"),
    }


def _process(key: Key, source: Entry, published: Published, country: str) -> dict[str, Any]:
    purpose = _known(published.purposes, key[1], "purpose")
    tracking = purpose.text("class") == "tracking"
    return {
        "@type": "dpv:Process",
        "dpv:hasPurpose": "dpv:Personalisation" if tracking else "dpv:DirectMarketing",
        "dpv:hasLegalBasis": "eu-gdpr:A6-1-a",
        "dpv:hasPersonalData": "pd:EmailAddress" if key[2] == "email" else "pd:TelephoneNumber",
        "cl:piiType": "email" if key[2] == "email" else "mobile",
        "dpv:hasDataSource": f"{source.text('source') or source.text('method')}",
        "dpv:hasRecipient": [],
        "dpv:hasService": {"@type": "dpv:Service", "dct:title": purpose.texts("titles")},
        "dpv:hasStorageCondition": [
            {"@type": "dpv:StorageLocation", "dpv:hasLocation": [f"loc:{country}"]},
            {
                "@type": "dpv:StorageDuration",
                "dpv:hasDuration": {**_UNTIL, "rdf:value": "withdrawal, then limitation"},
            },
        ],
    }


def _notice(source: Entry, wordings: list[Entry]) -> dict[str, Any]:
    blob = source.values.get("notice")
    digest = str(blob[1]) if isinstance(blob, list) else ""
    found: dict[str, Any] = {
        "@id": f"blobs/{digest}",
        "@type": "dpv:ConsentNotice",
        "dct:date": source.need("at"),
        "dct:language": source.need("language"),
        "cl:sha256": digest,
    }
    urls = [w.text("notice_url") for w in wordings if w.text("notice_url")]
    return found | ({"cl:url": urls} if urls else {})


def _status(story: Story, act: Act, consent: Consent) -> dict[str, Any]:
    given = [one for one in consent.history if one.word == "confirmed"]
    word = "renewed" if act in given[1:] else act.word
    by_person = act.by == "person"
    return {
        "@type": [STATUS[word], "dpv:ExpressedConsent"],
        "dpv:isIndicatedAtTime": act.at,
        "dpv:isIndicatedBy": f"urn:uuid:{story.contact}" if by_person else act.by,
        "dpv:hasDuration": _UNTIL,
        "cl:entry": act.index,
    }


def check_mandatory(record: Mapping[str, Any]) -> None:
    """Checks that every field which 27560 demands is there and not empty."""
    for name, path in MANDATORY.items():
        values = _find(record, path)
        if not values or (
            name not in _MAY_BE_EMPTY and all(v in (None, "", [], {}) for v in values)
        ):
            raise VerificationError(f"the record lacks {name} ({'/'.join(path)})", rule=RULE)


def _find(value: Any, path: tuple[str, ...]) -> list[Any]:
    if not path:
        return [value]
    if path[0] == "*":
        items = value if isinstance(value, list) else []
        return [found for item in items for found in _find(item, path[1:])]
    if isinstance(value, Mapping) and path[0] in value:
        return _find(value[path[0]], path[1:])
    return []


def to_record(value: object) -> bytes:
    """Writes a record for people to read."""
    return (json.dumps(value, ensure_ascii=False, indent=1, sort_keys=True) + "\n").encode("utf-8")


def check_records(
    bundle: Bundle, stories: Mapping[str, Story], published: Published, report: Report
) -> None:
    """Checks every record against the replayed story: none too many, none missing, each says the same."""
    before = report.failures
    expected = {
        record_path(key, consent): (story, key)
        for story in stories.values()
        for key, consent in story.standing.consents.items()
        if consent.history
    }
    customers = customer_records(stories, CONTEXT)
    shown = {path for path in bundle.paths("records") if not path.endswith(CONTEXT)}
    for path in sorted((expected.keys() | customers.keys()) - shown):
        report.failed(4, VerificationError("the record is missing", rule=RULE, file=path))
    for path in sorted(shown):
        with report.step(4, path):
            record = _read(bundle.read(path))
            if path in customers:
                check_customer(record, customers[path])
            elif path in expected:
                _check_record(record, *expected[path], published)
            else:
                raise VerificationError("no entry tells of this record", rule=RULE)
    report.passed(
        4,
        f"{len(shown)} records claim the states that the entries give when replayed.",
        since=before,
    )


def _read(data: bytes) -> dict[str, Any]:
    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        if len({name for name, _ in pairs}) != len(pairs):
            raise ValueError("a name stands twice")
        return dict(pairs)

    try:
        value = json.loads(data.decode("utf-8"), object_pairs_hook=unique)
    except (ValueError, RecursionError) as error:
        raise VerificationError("the record is not JSON", rule=RULE) from error
    if not isinstance(value, dict):
        raise VerificationError("the record is not an object", rule=RULE)
    return value


def _check_record(record: Mapping[str, Any], story: Story, key: Key, published: Published) -> None:
    if record.get("cl:format") != FORMAT:
        raise VerificationError(
            "the record is of a format that this version does not know", rule=RULE
        )
    check_mandatory(record)
    wanted = record_of(story, key, published)
    if record.get("cl:claimedState") != wanted["cl:claimedState"]:
        raise VerificationError(
            f"the record claims {record.get('cl:claimedState')!s}, the entries replayed give"
            f" {wanted['cl:claimedState']}",
            rule="story.state",
        )
    for name, value in wanted.items():
        if record.get(name) != value:
            raise VerificationError(f"{name} is not what the entries say", rule=RULE)
