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
- records/*.jsonld: consent records by ISO/IEC TS 27560 in W3C DPV terms; records/customer-ID.jsonld is
  evidence for the existing-customer exception, which is no consent.
- labels/CONTACT.json: the key under which this person's entries are labelled, on the leaf's line `s`.
  Label N, counted from 0, is what this prints (KEY: the `key` in the file):
      python3 -c 'import hmac; from base64 import *; print(urlsafe_b64encode(hmac.digest(
          urlsafe_b64decode("KEY="), (N).to_bytes(8, "big"), "sha256"))[:43].decode())'
  Labels 0, 1, 2... are on entries of this bundle, in order.
- absence/CONTACT.json shows that the next one, `label`, is nowhere in the log, so that nothing later
  about this person was left out. Each entry log.index commits to the labels of the entries from
  `p first` up to `p size`, sorted: `p root` is the RFC 9162 root over its `p count` labels, a leaf
  being SHA-256(0x00 || label). The first begins at 0, the next where the one before ends. In each,
  `left` and `right` are labels at neighbouring positions (null: none, at an end) between which the
  label would stand; their paths lead to `p root`. `present` shows the same way which are there.
- tail/N.tlog-proof: the leaves behind the last log.index that are not in entries/. Together they are all
  up to the checkpoint's size, and none has the label. Nothing in them can be read.

WHAT IT DOES NOT SHOW
Times are the organisation's claim unless a witness or a time stamp covers the checkpoint. A permit
shows that a message was allowed, not that it was sent. Another contact of the same person, and
what was never logged, are not here; the person's own receipts are the check on that. That a log.index
lists every label of its range is checked by whoever holds the whole log; a false one stays in it.

KEEP IT SAFE: it holds personal data. Use it for the claim it was made for, then delete it.
"""


def readme(checkpoint: Checkpoint, entries: int, small: int) -> bytes:
    """Returns the text for one bundle."""
    text = _TEXT.format(
        origin=checkpoint.origin, size=checkpoint.size, entries=entries, small=small
    )
    return text.encode("utf-8")
