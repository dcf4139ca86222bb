"""/packs: which rule packs there are, what one says, adopt them, and what a newer version would change."""

from __future__ import annotations

from typing import Any

from flask import Response

from consentledger.kernel.clock import now
from consentledger.kernel.errors import InputError
from consentledger.law.reading import packs as brought
from consentledger.law.reading.choosing import named
from consentledger.law.reading.comparing import as_json
from consentledger.law.telling.pages import tell
from consentledger.law.telling.words import say
from consentledger.organisations import pack_updates
from consentledger.organisations.packs import Adoption, AdoptPacks, adopt_packs
from consentledger.web.api import pack_shapes as shapes
from consentledger.web.api.acting import act, answer, reading
from consentledger.web.api.keys import caller
from consentledger.web.api.operation import ApiBlueprint

blueprint = ApiBlueprint("packs", __name__, "Rule packs: one jurisdiction's rules as data")
ADOPTED, LIST = shapes.PacksAdoptedSchema(), shapes.PackListSchema()


@blueprint.operation("GET", "/packs", scope="publish", gives=LIST)
def list_packs() -> Response:
    """List the rule packs, what the organisation adopted of each, and whether a newer version waits."""
    with reading() as session:
        states = pack_updates.pack_states(session, caller().organisation_id, now().date())
    return answer(LIST.dump({"items": [_line(state) for state in states]}))


@blueprint.operation(
    "POST", "/packs:adopt", scope="publish", takes=shapes.AdoptSchema(), gives=ADOPTED
)
def adopt(given: dict[str, Any]) -> Response:
    """Adopt rule packs: decisions follow them from now on; the same adoption again changes nothing."""
    adoptions = tuple(
        Adoption(one["pack"], tuple(one["stricter"]), tuple(one["accepts"]))
        for one in given["packs"]
    )
    command = AdoptPacks(caller().organisation_id, adoptions, caller().actor)
    return act(lambda tx: adopt_packs(tx, command), ADOPTED)


@blueprint.operation("GET", "/packs/<name>", scope="publish", gives=shapes.PackSchema())
def read_pack(name: str) -> Response:
    """Read one rule pack: every key, and the same in plain sentences with their sources."""
    pack = named(name, now().date())
    topics = [
        {
            "topic": topic.key,
            "heading": say(topic.heading),
            "rules": [
                {
                    "lines": [say(line) for line in rule.lines],
                    "says": rule.says,
                    "citations": rule.citations,
                }
                for rule in topic.rules
            ],
        }
        for topic in tell(pack)
    ]
    return answer(
        {
            "name": pack.name,
            "known": brought.is_published(pack),
            "topics": topics,
            "pack": as_json(pack),
        }
    )


@blueprint.operation(
    "GET",
    "/packs/<name>:diff",
    scope="publish",
    query=shapes.DiffQuery(),
    gives=shapes.DiffSchema(),
)
def diff_pack(query: dict[str, Any], name: str) -> Response:
    """Compare two versions of a rule pack; by default the adopted one with the newest."""
    for key in ("before", "after"):
        if query[key] is not None and query[key].partition("@")[0] != name:
            raise InputError(f"{key}: not a version of {name}", field=key, reason="unknown")
    after = brought.pack(query["after"]) if query["after"] else brought.newest(name)
    if query["before"] is None:
        with reading() as session:
            before = pack_updates.adopted_version(session, caller().organisation_id, name)
    else:
        before = brought.pack(query["before"])
    update = pack_updates.difference(before, after)
    changes = [change._asdict() for change in update.changes]
    return answer({"before": update.before.name, "after": update.after.name, "changes": changes})


def _line(state: pack_updates.PackState) -> dict[str, Any]:
    pack = state.in_force
    return {
        "pack": pack.id,
        "name": pack.name,
        "newest": state.newest.name,
        "title": pack.title,
        "status": pack.status,
        "confidence": pack.confidence,
        "reviewed_on": pack.reviewed_on.isoformat(),
        "countries": pack.countries,
        "hash": pack.hash,
        "known": brought.is_published(pack),
        "adopted": state.adopted,
        "update": state.update,
    }
