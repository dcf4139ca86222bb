"""The DKIM signature: present, of the author's domain, and covering both list headers (RFC 8058 section 4).

Whether the signature itself is right is not looked at: that needs the DNS, and every mailbox provider does it. What
they do not do is tell the sender that its signer leaves List-Unsubscribe-Post out, as a common one does unless told.
"""

from __future__ import annotations

from collections.abc import Iterator

from consentledger.messages.identity import addresses
from consentledger.messages.lookalike import same_or_below
from consentledger.messages.model import SIGNATURE, Finding, failed, passed, warned
from consentledger.messages.reading import Read

COVERED = ("from", "list-unsubscribe", "list-unsubscribe-post")
ALGORITHMS = ("rsa-sha256", "ed25519-sha256")
_WHERE = "DKIM-Signature"


def check_signature(read: Read) -> Iterator[Finding]:
    """Yields one finding per signature that could count, or one that none does."""
    authors = addresses(read, "from")
    author = authors[0].domain.lower() if len(authors) == 1 else ""
    signatures = [tags(value) for value in read.raw("dkim-signature")]
    aligned = [one for one in signatures if one and _aligned(one.get("d", ""), author)]
    if not aligned:
        count = "none" if not signatures else f"{len(signatures)}, none of the author's domain"
        mend = "Let your mail server sign for the sender's own domain, then check what left."
        yield failed("dkim", f"DKIM signatures: {count}.", _WHERE, SIGNATURE, mend)
        return
    best = min((_faults(one) for one in aligned), key=len)
    if best:
        mend = f"Let the signer cover {', '.join(COVERED)} (its h= list), with {ALGORITHMS[0]}."
        yield failed("dkim", f"The signature {'; '.join(best)}.", _WHERE, SIGNATURE, mend)
    else:
        yield passed(
            "dkim",
            "A signature of the author's domain covers both list headers.",
            _WHERE,
            SIGNATURE,
        )
    if any("l" in one for one in aligned):
        mend = "Sign the whole body: leave l= out."
        what = "The signature covers only the beginning of the body (l=)."
        yield warned("dkim_length", what, _WHERE, "RFC 6376 section 8.2", mend)


def tags(value: bytes) -> dict[str, str]:
    """Returns a signature's tags (RFC 6376 section 3.2); empty for what is no list of tags, or names one twice."""
    found: dict[str, str] = {}
    for spec in value.decode("ascii", "replace").split(";"):
        name, equals, content = spec.partition("=")
        key = name.strip()
        if not spec.strip():
            continue
        if not equals or not key.isalnum() or key in found:
            return {}
        found[key] = "".join(content.split())
    return found


def _aligned(domain: str, author: str) -> bool:
    given = domain.lower().rstrip(".")
    return bool(given and author and "." in given) and same_or_below(author, given)


def _faults(found: dict[str, str]) -> list[str]:
    covered = found.get("h", "").lower().split(":")
    faults = [f"does not cover {name}" for name in COVERED if name not in covered]
    if found.get("a", "").lower() not in ALGORITHMS:
        faults.append(f"uses {found.get('a') or 'no algorithm'}")
    if not found.get("b") or not found.get("bh") or not found.get("s"):
        faults.append("lacks b=, bh= or s=")
    return faults
