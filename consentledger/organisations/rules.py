"""What may be published: every gap is named, nothing is guessed (GDPR art. 4(11), 7, 13; 2002/58/EC art. 13)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar, cast
from uuid import UUID

from consentledger.kernel.errors import ConflictError, InputError
from consentledger.organisations import addresses, fields
from consentledger.organisations.channels import channel_words, fold, has_word
from consentledger.organisations.facts import FormField, PurposeFacts, SenderIdentity, WordingFacts

Read = TypeVar("Read")
PURPOSE_CLASSES = ("marketing", "tracking")
IP_POLICIES = ("none", "truncated", "full")
MAX_BOXES = 20
MAX_CONTROLLERS = 20
MAX_WORDS = 100
LONGEST_NOTICE = 200_000
MAX_FIELDS = 5
SHORTEST_WITHDRAWAL = 15
SHORTEST_NOTICE = 40
_FIELD_NAME = re.compile(r"[a-z][a-z0-9_]{0,31}\Z", re.ASCII)
# Names that a form's post already uses for something else.
_TAKEN = frozenset(
    {"email", "purpose", "version", "source", "page", "return", "channel", "language"}
)


@dataclass(frozen=True, slots=True)
class Gap:
    """One thing that is missing before something can be published."""

    field: str
    reason: str
    message: str


class GapsError(InputError):
    """Publishing is refused; `gaps` names each thing that is missing, the first one is also `field`."""

    def __init__(self, gaps: Sequence[Gap]) -> None:
        super().__init__(
            "; ".join(gap.message for gap in gaps), field=gaps[0].field, reason=gaps[0].reason
        )
        self.gaps = tuple(gaps)


def refuse(gaps: Sequence[Gap]) -> None:
    """Raises GapsError when there is a gap."""
    if gaps:
        raise GapsError(gaps)


def identity(given: SenderIdentity) -> SenderIdentity:
    """Returns a sender's identity, read strictly; all gaps are named at once."""
    gaps: list[Gap] = []

    def read(reader: Callable[[object, str], Read], value: object, name: str) -> Read:
        try:
            return reader(value, name)
        except InputError as error:
            gaps.append(Gap(error.field, error.reason, str(error)))
            return cast(Read, "")  # never seen: with a gap nothing is returned

    made = SenderIdentity(
        name=read(fields.line, given.name, "name"),
        legal_name=read(fields.line, given.legal_name, "legal_name"),
        postal_address=read(_address, given.postal_address, "postal_address"),
        country=read(fields.country, given.country, "country"),
        contact_email=read(fields.email, given.contact_email, "contact_email"),
        contact_phone=read(fields.phone, given.contact_phone, "contact_phone"),
        from_name=read(fields.line, given.from_name, "from_name"),
        from_address=read(fields.email, given.from_address, "from_address"),
        colour=read(fields.colour, given.colour, "colour"),
        privacy_url=read(addresses.url, given.privacy_url, "privacy_url"),
    )
    refuse(gaps)
    return made


def _address(value: object, field: str) -> str:
    return fields.text(value, field, longest=500)


def check_purpose(
    purpose_class: str,
    titles: Mapping[str, str],
    channels: Sequence[str],
    categories: Sequence[str],
) -> None:
    """Checks a purpose's own values; raises InputError that names the field."""
    if purpose_class not in PURPOSE_CLASSES:
        raise fields.wrong("class", "unknown", f"class must be one of {', '.join(PURPOSE_CLASSES)}")
    for field, count in (("titles", len(titles)), ("categories", len(categories))):
        if count > MAX_WORDS:
            raise fields.wrong(field, "too_many", f"{field}: at most {MAX_WORDS}")
    if not titles:
        raise fields.wrong("titles", "missing", "titles: name the purpose in at least one language")
    for tag, title in titles.items():
        fields.language(tag, "titles")
        fields.line(title, f"titles.{tag}")
    if not channels:
        raise fields.wrong("channels", "missing", "channels: name at least one of email, sms")
    for channel in channels:
        fields.channel(channel, "channels")
    for category in categories:
        fields.category(category)
    for field, values in (("channels", channels), ("categories", categories)):
        if len(set(values)) != len(values):
            raise fields.wrong(field, "double", f"{field} names one thing twice")


def check_no_widening(
    old: PurposeFacts, purpose_class: str, titles: Mapping[str, str], categories: Iterable[str]
) -> None:
    """Refuses a new version that says more than people agreed to: that is another purpose (GDPR art. 6(4), 7).

    A title that was shown stays as it is, titles in more languages may be added; categories may only go; a channel
    may be added, since consent is given per channel. `old` has the titles that people have seen.
    """
    changed = [tag for tag, title in old.titles.items() if titles.get(tag) != title]
    if purpose_class != old.purpose_class or changed:
        raise ConflictError(
            "people agreed to this purpose under its class and titles: publish another purpose instead"
        )
    added = sorted(set(categories) - set(old.categories))
    if added:
        raise ConflictError(
            f"people did not agree to {', '.join(added)}: publish another purpose for new categories"
        )


def wording_gaps(
    wording: WordingFacts,
    purpose: PurposeFacts,
    sender: SenderIdentity,
    others: Iterable[PurposeFacts] = (),
) -> list[Gap]:
    """Names everything a wording lacks: controllers, purpose, channel, how to withdraw, the notice.

    `others` are the organisation's purposes; a statement that names one of them as well asks for two things
    with one box (GDPR recitals 32 and 43).
    """
    gaps = [
        *_controller_gaps(wording, sender),
        *_purpose_gaps(wording, purpose),
        *_bundling_gaps(wording, purpose, others),
        *_channel_gaps(wording, purpose),
    ]
    if len(wording.withdrawal) < SHORTEST_WITHDRAWAL:
        gaps.append(Gap("withdrawal", "missing", "withdrawal: say how people can take it back"))
    if len(wording.notice_text) < SHORTEST_NOTICE:
        gaps.append(
            Gap(
                "notice_text",
                "missing",
                "notice_text: store the privacy notice itself, a link alone can change",
            )
        )
    return gaps


def _controller_gaps(wording: WordingFacts, sender: SenderIdentity) -> Iterable[Gap]:
    if not wording.controllers:
        yield Gap("controllers", "missing", "controllers: name each by its legal name")
        return
    if sender.legal_name not in wording.controllers:
        yield Gap(
            "controllers",
            "sender_missing",
            f"controllers: the sender's legal name, {sender.legal_name}, is not among them",
        )
    for name in wording.controllers:
        if fold(name) not in fold(wording.statement):
            yield Gap(
                "statement", "controller_missing", f"statement: does not name the controller {name}"
            )


def _purpose_gaps(wording: WordingFacts, purpose: PurposeFacts) -> Iterable[Gap]:
    short = wording.language.split("-")[0]
    title = purpose.titles.get(wording.language) or purpose.titles.get(short)
    if title is None:
        yield Gap(
            "language",
            "purpose_title_missing",
            f"language: the purpose has no title in {wording.language}",
        )
    elif fold(title) not in fold(wording.statement):
        yield Gap("statement", "purpose_missing", f"statement: does not name the purpose, {title}")


def _bundling_gaps(
    wording: WordingFacts, purpose: PurposeFacts, others: Iterable[PurposeFacts]
) -> Iterable[Gap]:
    rest = fold(wording.statement)
    # Longest first: "weekly offers" must not leave the "offers" of another purpose behind, nor a company's name.
    for known in sorted({*purpose.titles.values(), *wording.controllers}, key=len, reverse=True):
        rest = rest.replace(fold(known), " ")
    for other in others:
        title = other.titles.get(wording.language) or other.titles.get(
            wording.language.split("-")[0]
        )
        if other.purpose_id == purpose.purpose_id or title is None:
            continue
        # Whole words only: the purpose "news" is not meant by "newsletter".
        if re.search(rf"(?<!\w){re.escape(fold(title))}(?!\w)", rest):
            yield Gap(
                "statement",
                "other_purpose",
                f"statement: also names the purpose {title}; each purpose has a box of its own",
            )


def _channel_gaps(wording: WordingFacts, purpose: PurposeFacts) -> Iterable[Gap]:
    if wording.channel not in purpose.channels:
        yield Gap(
            "channel", "not_of_purpose", f"channel: the purpose has no channel {wording.channel}"
        )
    words = channel_words(wording.channel, wording.language)
    statement = fold(wording.statement)
    if not any(has_word(statement, word) for word in words):
        yield Gap(
            "statement",
            "channel_missing",
            f"statement: does not name the channel ({' or '.join(words)})",
        )


def form_fields(given: Sequence[FormField]) -> tuple[FormField, ...]:
    """Returns a form's inputs: `email`, always required and always first, then the optional ones."""
    for item in given:
        if item.required and item.name != "email":
            raise fields.wrong(
                "fields",
                "only_address_required",
                f"fields: {item.name} can't be required, only the address (GDPR art. 5(1)(c))",
            )
    others = [item.name for item in given if item.name != "email"]
    for name in others:
        if _FIELD_NAME.match(name) is None or name in _TAKEN:
            raise fields.wrong("fields", "format", f"fields: {name!r} is no name for an input")
    if len(set(others)) != len(others):
        raise fields.wrong("fields", "double", "fields: one input stands twice")
    if len(others) > MAX_FIELDS:
        raise fields.wrong(
            "fields", "too_many", f"fields: at most {MAX_FIELDS} besides the address"
        )
    return (FormField("email", True), *(FormField(name, False) for name in others))


def form_gaps(
    wordings: Sequence[WordingFacts],
    purposes: Mapping[UUID, PurposeFacts],
    *,
    sender_id: UUID,
    language: str,
    channel: str,
) -> list[Gap]:
    """Names everything a form lacks before it can be published."""
    gaps: list[Gap] = []
    if channel not in fields.COLLECTABLE_CHANNELS:
        gaps.append(
            Gap(
                "channel",
                "not_collectable",
                f"channel: {channel} can't be collected yet, only email",
            )
        )
    if not wordings:
        gaps.append(Gap("wordings", "missing", "wordings: a form needs at least one box"))
    for wording in wordings:
        name = f"wording {wording.wording_id}"
        if wording.published_at is None:
            gaps.append(Gap("wordings", "not_published", f"wordings: {name} is not published"))
        if wording.sender_id != sender_id:
            gaps.append(Gap("wordings", "other_sender", f"wordings: {name} is of another sender"))
        if wording.language != language:
            gaps.append(
                Gap("wordings", "other_language", f"wordings: {name} is in {wording.language}")
            )
        if wording.channel != channel:
            gaps.append(
                Gap("wordings", "other_channel", f"wordings: {name} speaks of {wording.channel}")
            )
        if channel not in purposes[wording.purpose_id].channels:
            gaps.append(
                Gap("channel", "not_of_purpose", f"channel: the purpose of {name} has no {channel}")
            )
    seen = [wording.purpose_id for wording in wordings]
    if len(set(seen)) != len(seen):
        gaps.append(
            Gap("wordings", "double_purpose", "wordings: each purpose has one box of its own")
        )
    return gaps
