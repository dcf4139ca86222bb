"""What a permitted message must carry: identity, the way out, labels, languages, and what else a pack says."""

from __future__ import annotations

from collections.abc import Iterator

from consentledger.law.deciding.place import Place
from consentledger.law.model import Duty, Facts
from consentledger.law.pack import Label


def of_marketing(place: Place, facts: Facts, basis: str) -> Iterator[Duty]:
    """Yields the duties of a permitted marketing (or tracking) message on a basis, but for its label."""
    identity, out = place.pack.identity, place.pack.unsubscribe
    yield place.duty("identify_sender", None, "identity")
    yield place.duty("offer_opt_out", None, "unsubscribe")
    if identity.postal_address == "required":
        box = None if identity.po_box_allowed else "no_po_box"
        yield place.duty("postal_address", box, "identity")
    if identity.contact_channel == "required":
        yield place.duty("contact_channel", None, "identity")
    if out.email_address_needed and place.channel == "email":  # a link alone is not enough
        yield place.duty("stop_by_email", None, "unsubscribe")
    for language in out.languages:
        yield place.duty("statement_language", language, "unsubscribe")
    if basis == "consent" and _fades(place, facts):
        yield place.duty("refresh_consent", None, "consent")
    if place.message.tracking and facts.tracking != "confirmed":
        yield place.duty("send_without_tracking", None, "consent")
    yield from told(place, basis)


def told(place: Place, basis: str) -> Iterator[Duty]:
    """Yields the duties that the pack's own [[duties]] tell for this message."""
    message_class = "service" if basis == "service" else place.message.message_class
    if message_class == "service" and basis != "service":
        message_class = "marketing"  # what it turned out to be
    for number, rule in enumerate(place.pack.duties):
        bound = basis == "service" or basis in rule.bases
        if bound and message_class in rule.classes and place.channel in rule.channels:
            yield place.duty(rule.code, rule.value, f"duties[{number}]")


def labels(place: Place, basis: str) -> Iterator[tuple[int, Label]]:
    """Yields the labels that a message on this basis must bear, with their numbers."""
    for number, label in enumerate(place.pack.labels):
        asked = label.when == "always" or basis != "consent"
        if asked and place.channel in label.channels:
            yield number, label


def _fades(place: Place, facts: Facts) -> bool:
    limit = place.dormancy_warning
    return limit is not None and not any(map(limit.carries, place.uses(facts)))
