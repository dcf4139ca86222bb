"""Who the message says it is from, against the sender that was published (2002/58/EC art. 13(4): never disguised)."""

from __future__ import annotations

from collections.abc import Iterator
from email.headerregistry import Address as MailAddress

from consentledger.messages.lookalike import (
    looks_like,
    named_domains,
    same_or_below,
    shown,
    tricks,
)
from consentledger.messages.model import (
    ADDRESS,
    FORMAT,
    IDENTITY,
    Expected,
    Finding,
    failed,
    passed,
    skipped,
    warned,
)
from consentledger.messages.reading import SLIPS, Read, plain
from consentledger.organisations.facts import SenderIdentity


def check_identity(read: Read, expected: Expected) -> Iterator[Finding]:
    """Yields what is found about From, Reply-To, Sender, the legal name and the postal address."""
    authors = addresses(read, "from")
    if len(read.raw("from")) != 1 or len(authors) != 1:
        yield failed(
            "from", f"{len(authors)} authors in {len(read.raw('from'))} From fields", "From", FORMAT,
            "Name exactly one author in one From field.",
        )  # fmt: skip
        return
    if expected.identity is None:
        yield skipped(
            "from", "The sender is unknown: the message has no link of a permit.", "From", IDENTITY,
            "Put the permit's unsubscribe link into the message, or name the sender.",
        )  # fmt: skip
        return
    identity = expected.identity
    yield _author(authors[0], identity)
    yield from _display_name(authors[0].display_name, authors[0].domain.lower(), identity)
    yield from _others(read, identity)
    yield from _body(read, identity)


def addresses(read: Read, name: str) -> list[MailAddress]:
    """Returns the addresses of a field as the parser reads them; none for a field that can't be read."""
    try:
        field = read.message[name]
        return list(getattr(field, "addresses", ()))
    except SLIPS:
        return []


def _author(author: MailAddress, identity: SenderIdentity) -> Finding:
    published = identity.from_address.lower()
    domain, own = author.domain.lower(), published.rpartition("@")[2]
    if author.addr_spec.lower() == published:
        return passed("from", f"From is {published}, as published.", "From", IDENTITY)
    mend = f"Send from {published}, or publish this address as the sender's."
    if looks_like(domain, own):
        what = f"{shown(domain)} looks like {own} and is another domain."
        return failed("from_lookalike", what, "From", IDENTITY, mend)
    if same_or_below(domain, own):
        what = f"{author.addr_spec} is of the sender's domain, but not the address it published."
        return warned("from", what, "From", IDENTITY, mend)
    return failed(
        "from", f"{author.addr_spec} is not the sender's address.", "From", IDENTITY, mend
    )


def _display_name(name: str, domain: str, identity: SenderIdentity) -> Iterator[Finding]:
    mend = f"Use the published name, {identity.from_name}."
    where = "From, display name"
    if tricks(name):
        what = "The name holds characters that turn or hide others."
        yield failed("display_name", what, where, IDENTITY, mend)
        return
    own = identity.from_address.lower().rpartition("@")[2]
    for other in named_domains(name):
        if not same_or_below(other, domain) and not same_or_below(other, own):
            what = f"The name mentions {other}, the address is of {shown(domain)}."
            yield failed("display_name", what, where, IDENTITY, mend)
            return
    known = {plain(one) for one in (identity.from_name, identity.name, identity.legal_name)}
    if plain(name) in known:
        yield passed("display_name", f"The name is {name}, as published.", where, IDENTITY)
    else:
        what = f"The name {name!r} is not one that the sender published."
        yield warned("display_name", what, where, IDENTITY, mend)


def _others(read: Read, identity: SenderIdentity) -> Iterator[Finding]:
    own = {
        one.lower().rpartition("@")[2] for one in (identity.from_address, identity.contact_email)
    }
    for field in ("Reply-To", "Sender"):
        for one in addresses(read, field.lower()):
            domain = one.domain.lower()
            if any(same_or_below(domain, mine) for mine in own):
                what = f"{field} leads to {one.addr_spec}."
                yield passed(field.lower().replace("-", "_"), what, field, IDENTITY)
            else:
                alike = any(looks_like(domain, mine) for mine in own)
                what = f"{one.addr_spec} is {'made to look like' if alike else 'not of'} the sender's domain."
                make = failed if alike or field == "Reply-To" else warned
                mend = "Let answers go to an address of the sender, or leave the field out."
                yield make(field.lower().replace("-", "_"), what, field, IDENTITY, mend)


def _body(read: Read, identity: SenderIdentity) -> Iterator[Finding]:
    if not read.parts:
        yield failed("body", "The message has no text.", "body", ADDRESS, "Send a text.")
    wanted = {
        "legal_name": [identity.legal_name],
        "postal_address": [line for line in identity.postal_address.split("\n") if line.strip()],
    }
    for part in read.parts:
        text = plain(part.text)
        for check, lines in wanted.items():
            missing = [line for line in lines if plain(line) not in text]
            title = check.replace("_", " ")
            if missing:
                what = f"The {title} is not to be seen: {', '.join(missing)} is missing."
                mend = f"Write {', '.join(lines)} where people can read it."
                yield failed(check, what, part.name, ADDRESS, mend)
            else:
                yield passed(check, f"The {title} stands in the text.", part.name, ADDRESS)
