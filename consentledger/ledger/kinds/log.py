"""Kinds that the system itself writes: a log's first entry, its keys, what was erased, what it indexes.

Version 1 of `log.genesis` and of `log.erasure` stay readable for ever; what is written now is the newest.
"""

from __future__ import annotations

from consentledger.ledger.kinds.model import make_kind, maybe

LOG_KINDS = (
    make_kind(
        "log.genesis",
        "The first entry of a log: its origin, its signing key and the key that signs bundles.",
        plain=("evidence_key", "log_key", "origin"),
    ),
    make_kind(
        "log.genesis",
        "The first entry under an origin. `previous` is `none`, or the last checkpoint of the origin that was "
        "frozen before this one: its origin, size and root; `checkpoint` is that signed note, `reason` why.",
        maybe("checkpoint"),
        maybe("reason"),
        plain=("evidence_key", "log_key", "origin", "previous"),
        version=2,
    ),
    make_kind(
        "log.key",
        "From now on these keys sign checkpoints and bundles; the older ones go on for an overlap.",
        plain=("evidence_key", "log_key"),
    ),
    make_kind(
        "log.erasure",
        "The openings of these ranges of entries were destroyed, for this reason.",
        plain=("classes", "part", "ranges", "reason"),
    ),
    make_kind(
        "log.erasure",
        "The openings of these ranges of entries, and of these rows of permits (`index:first-last`, or `none`), "
        "were destroyed, for this reason.",
        plain=("classes", "part", "permits", "ranges", "reason"),
        version=2,
    ),
    make_kind(
        "log.retention",
        "Openings of one class are destroyed once their entry is so many days old; "
        "`first` and `size` bound the entries.",
        plain=("class", "days", "first", "size"),
    ),
    make_kind(
        "log.index",
        "The RFC 9162 root over the labels, sorted, of the entries from `first` up to `size`: shows which are absent.",
        plain=("count", "first", "root", "size"),
    ),
)
