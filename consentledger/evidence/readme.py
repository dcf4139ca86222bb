"""The README.txt of every bundle: how to check it, with our software and without."""

from __future__ import annotations

from consentledger.ledger.checkpoint import Checkpoint

_TEXT = """\
EVIDENCE FROM THE LOG {origin}
Checkpoint at {size} entries, {entries} of them in this bundle.

This bundle answers one question with proof: was the organisation allowed to send this message to
this person? It holds everything that the log says about one address, and everything of the
organisation that those entries rest on.

HOW TO CHECK IT WITH OUR SOFTWARE
Get the verifier from a release of consentledger, and the policy (the log's public key) from
somewhere else than this bundle: from the organisation's site, a contract, or an earlier bundle.
    consentledger verify BUNDLE.zip --policy policy.txt
It works offline. Exit code 0: valid. 1: something does not hold, and it says which file and which
rule. 2: not usable. 3: consistent with itself, but no policy from outside was given.

HOW TO CHECK IT WITHOUT OUR SOFTWARE
- manifest is a signed note (c2sp.org/signed-note). Its text lists every file for sha256sum:
      sed '/^$/,$d' manifest | sha256sum -c
- checkpoint is c2sp.org/tlog-checkpoint; entries/N.tlog-proof is c2sp.org/tlog-proof@v1, with the
  leaf as extra data: any RFC 6962 or RFC 9162 verifier checks it. (More than {small} entries stand as
  tiles: c2sp.org/tlog-tiles.)
- entries/N.disclosures holds one RFC 9901 disclosure per line: base64url of [salt, name, value].
      printf %s DISCLOSURE | sha256sum
  gives, in base64url, the commitment on the leaf's line `c NAME ...`.
- blobs/HASH is 32 random bytes, then the text as it was shown or mailed; its SHA-256 is its name.
- permits/ID.json: `disclosure` hashes to a line `consentledger/permit/v1 COMMITMENT`, which `path`
  leads to `p root` of the entry `batch`.
- records/*.jsonld: consent records by ISO/IEC TS 27560 in W3C DPV terms.
- labels/CONTACT.json: the key under which this person's entries are labelled, label n being
  HMAC-SHA-256(key, n as 8 bytes): with it, anybody can look through the log for entries left out.

WHAT IT DOES NOT SHOW
Times are the organisation's claim unless a witness or a time stamp covers the checkpoint. A permit
shows that a message was allowed, not that it was sent. Another contact of the same person, and
what was never logged, are not here; the person's own receipts are the check on that.

KEEP IT SAFE: it holds personal data. Use it for the claim it was made for, then delete it.
"""


def readme(checkpoint: Checkpoint, entries: int, small: int) -> bytes:
    """Returns the text for one bundle."""
    text = _TEXT.format(
        origin=checkpoint.origin, size=checkpoint.size, entries=entries, small=small
    )
    return text.encode("utf-8")
