"""Step 4: one contact's entries told again, in order; what can't have happened is a violation."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from consentledger.kernel.errors import VerificationError
from consentledger.law.grounds import Ground
from consentledger.verify.entries import Entry
from consentledger.verify.states import Act, Key, Objection, Standing

RULE = "story"
SCOPES = ("organisation", "sender", "purpose")


@dataclass(slots=True)
class Request:
    """One sign-up: what it asked for, and what is still undecided of it."""

    index: int
    sender: str
    channel: str
    open: set[str]
    expires_at: str
    ended: str | None = None


@dataclass(slots=True)
class Story:
    """One contact: its entries in order, the standing they give, and the requests on the way."""

    contact: str
    whole: bool
    """False when some of the contact's entries are erased: then what they told may be missed."""
    standing: Standing = field(default_factory=Standing)
    requests: dict[str, Request] = field(default_factory=dict)
    entries: list[Entry] = field(default_factory=list)
    mailed: bool = False
    problems: list[VerificationError] = field(default_factory=list)
    earlier: dict[int, Standing] = field(default_factory=dict)

    def tell(self, entry: Entry) -> None:
        """Tells one more entry; what contradicts the story so far goes to `problems`."""
        self.entries.append(entry)
        step = _STEPS.get(entry.kind.name)
        if step is not None and entry.is_told:
            try:
                step(self, entry)
            except VerificationError as error:
                self.problems.append(error)


def stories(entries: Sequence[Entry], broken: Collection[str]) -> dict[str, Story]:
    """Returns the story of every contact that the entries name; `broken` ones have erased parts."""
    found: dict[str, Story] = {}
    for entry in entries:
        contact = entry.text("contact")
        if entry.kind.contact and contact is not None:
            if contact not in found:
                found[contact] = Story(contact, whole=contact not in broken)
            found[contact].tell(entry)
    return found


def standing_below(story: Story, index: int) -> Standing:
    """Returns the standing that the contact's entries below an index lead to; kept, since many ask."""
    count = bisect_left(story.entries, index, key=lambda entry: entry.index)
    found = story.earlier.get(count)
    if found is None:
        again = Story(story.contact, story.whole)
        for entry in story.entries[:count]:
            again.tell(entry)
        found = story.earlier[count] = again.standing
    return found


def _act(entry: Entry, word: str) -> Act:
    return Act(entry.index, entry.need("at"), word, entry.need("actor"))


def _key(entry: Entry, purpose: str | None = None) -> Key:
    return (entry.need("sender"), purpose or entry.need("purpose"), entry.need("channel"))


def _request(story: Story, entry: Entry, name: str) -> Request | None:
    found = story.requests.get(name)
    if found is None and story.whole:
        raise entry.wrong(f"nobody made the request {name} before", RULE)
    return found


def _requested(story: Story, entry: Entry) -> None:
    name = entry.need("request")
    if name in story.requests:
        raise entry.wrong(f"the request {name} is made twice", RULE)
    purposes = entry.texts("purposes")
    if not purposes or len(set(purposes)) != len(purposes):
        raise entry.wrong("a request asks for nothing, or twice for one thing", RULE)
    expires_at = entry.need("expires_at")
    if expires_at <= entry.need("at"):
        raise entry.wrong("a request expires before it is made", RULE)
    story.requests[name] = Request(
        entry.index, entry.need("sender"), entry.need("channel"), set(purposes), expires_at
    )
    for purpose in purposes:
        story.standing.tell(_key(entry, purpose), _act(entry, "requested"))


def _prepared(story: Story, entry: Entry) -> None:
    for name in entry.texts("requests"):
        _request(story, entry, name)
    if entry.values.get("mail") is not None:
        story.mailed = True


def _handled(story: Story, entry: Entry) -> None:
    for name in entry.texts("requests"):
        _request(story, entry, name)


def _confirmed(story: Story, entry: Entry) -> None:
    request = _request(story, entry, entry.need("request"))
    key = _key(entry)
    if request is not None:
        _check_request(story, entry, request, key)
        request.open.discard(key[1])
    known = story.standing.of(key).consent
    if known is not None and known != entry.need("consent"):
        raise entry.wrong("the consent has another id than before", RULE)
    if entry.values.get("reopens") is False and story.standing.objected(key, entry.need("at")):
        raise entry.wrong("an objection stands, and this act does not say that it reopens", RULE)
    story.standing.confirm(key, entry.need("consent"), _act(entry, "confirmed"))


def _check_request(story: Story, entry: Entry, request: Request, key: Key) -> None:
    if (request.sender, request.channel) != (key[0], key[2]) or key[1] not in request.open:
        raise entry.wrong("what is confirmed was not asked for, or is decided already", RULE)
    if request.ended is not None:
        raise entry.wrong(f"the request was {request.ended} before it was confirmed", RULE)
    if entry.need("at") > request.expires_at:
        raise entry.wrong("the request had expired when it was confirmed", RULE)
    if story.standing.stopped_since(key, request.index, entry.need("at")):
        raise entry.wrong("the person said stop after asking: the request is void", RULE)
    if entry.need("method") == "press" and not story.mailed and story.whole:
        raise entry.wrong("no confirmation mail went out before the press", RULE)


def _declined(story: Story, entry: Entry) -> None:
    name, reason, purpose = entry.need("request"), entry.need("reason"), entry.text("purpose")
    if reason not in ("not_me", "dropped"):
        raise entry.wrong(f"nobody declines with the reason {reason}", RULE)
    story.standing.customers.close(
        entry.need("channel"), entry.need("at"), dropped=reason == "dropped"
    )
    if reason == "not_me" and not name:
        return  # said on the link of a mail whose requests had all ended before
    request = _request(story, entry, name)
    if request is None:
        return
    for one in sorted(request.open if purpose is None else {purpose} & request.open):
        key = (request.sender, one, request.channel)
        story.standing.tell(key, _act(entry, "declined"))
        request.open.discard(one)
    if purpose is None:
        request.ended = "declined"


def _expired(story: Story, entry: Entry) -> None:
    request = _request(story, entry, entry.need("request"))
    if request is None:
        return
    if entry.need("at") < request.expires_at:
        raise entry.wrong("a request expires before its time", RULE)
    for name in sorted(request.open):
        key = (request.sender, name, request.channel)
        story.standing.tell(key, _act(entry, "expired"))
    request.open.clear()
    request.ended = "expired"


def _withdrawn(story: Story, entry: Entry) -> None:
    key = _key(entry)
    known = story.standing.of(key).consent
    if known != entry.need("consent") and (known is not None or story.whole):
        raise entry.wrong("a consent is withdrawn that was never given", RULE)
    story.standing.close(key, _act(entry, "withdrawn"))
    story.standing.customers.close(key[2], entry.need("at"))


def _objected(story: Story, entry: Entry) -> None:
    scope = entry.need("scope")
    if scope not in SCOPES:
        raise entry.wrong(f"an objection has no scope {scope}", RULE)
    objection = Objection(
        entry.index,
        scope,
        entry.text("sender"),
        entry.text("purpose"),
        entry.need("channel"),
        entry.text("until"),
    )
    story.standing.object(objection, _act(entry, "withdrawn"))
    if entry.text("method") == "erasure":
        story.standing.customers.records.clear()  # whoever is to be forgotten is no customer


def _sold(story: Story, entry: Entry) -> None:
    customer, customers = entry.need("customer"), story.standing.customers
    if customer in customers.known:
        raise entry.wrong(f"the customer's record {customer} is made twice", RULE)
    if entry.need("on") > _tomorrow(entry.need("at")):
        raise entry.wrong("a sale is recorded before it happened", RULE)
    stated = {
        "same_person": True,
        "directly": entry.text("obtained_from") == "customer",
        "offered": entry.values.get("offered_at_collection") is True,
        "refused": entry.values.get("refused_at_collection") is True,
        "told": entry.values.get("told_use_for_advertising") is True,
    }
    ground = Ground(
        len(story.entries) - 1,
        entry.need("channel"),
        entry.need("trigger"),
        entry.need("on"),
        entry.text("ended_on"),
        tuple(entry.texts("categories")),
        tuple(word for word, holds in stated.items() if holds),
        entry.text("country"),
        entry.need("person"),
        entry.need("capacity"),
    )
    customers.record(customer, ground)
    if stated["refused"]:
        customers.close(ground.channel, entry.need("at"))


def _tomorrow(at: str) -> str:
    """Returns the day on which an instant falls where days begin first."""
    return (datetime.fromisoformat(at) + timedelta(hours=14)).date().isoformat()


def _customer_objected(story: Story, entry: Entry) -> None:
    story.standing.customers.close(entry.need("channel"), entry.need("at"))


def _customer_lapsed(story: Story, entry: Entry) -> None:
    customer = entry.need("customer")
    if customer not in story.standing.customers.known and story.whole:
        raise entry.wrong("a customer's record lapses that was never made", RULE)
    story.standing.customers.lapse(customer, entry.text("ended_on"))


_STEPS: dict[str, Callable[[Story, Entry], None]] = {
    "consent.requested": _requested,
    "confirmation.prepared": _prepared,
    "confirmation.handled": _handled,
    "consent.confirmed": _confirmed,
    "consent.declined": _declined,
    "consent.expired": _expired,
    "consent.withdrawn": _withdrawn,
    "objection.recorded": _objected,
    "customer.recorded": _sold,
    "customer.objected": _customer_objected,
    "customer.lapsed": _customer_lapsed,
}
