"""ATTACKS: every change by hand to what evidence rests on, and who names it. docs/threat-model.md shows this list."""

from __future__ import annotations

from dataclasses import dataclass

from consentledger.db.tables import metadata
from tests.support.attacks import Case, Pick, Row, anything

# Who may see it, and how soon, as docs/threat-model.md says it.
WORDS = {
    "fsck": ("`log fsck --openings`", "when it is run"),
    "append": ("whoever appends", "at the next entry"),
    "signer": ("the signer", "within 2 s of the next entry"),
    "verify": ("an export, or `verify` of it", "with the next bundle"),
    "start": ("every command", "at its start"),
}
VERBS = ("delete", "insert", "swap")


@dataclass(frozen=True, slots=True)
class Attack:
    """Cases of one kind: each of `seen` names every one of them, in words that hold one of `names`.

    Of cases that nobody sees, `why` says why that is so, and what shows it all the same.
    """

    name: str
    what: str
    cases: tuple[Case, ...]
    seen: tuple[str, ...] = ("fsck",)
    names: tuple[str, ...] = ()
    why: str = ""

    @property
    def line(self) -> str:
        """The attack's line in docs/threat-model.md."""
        tables = ", ".join(f"`{name}`" for name in dict.fromkeys(c.table for c in self.cases))
        seen = ", ".join(WORDS[who][0] for who in self.seen) or f"nobody here: {self.why}"
        soon = "; ".join(WORDS[who][1] for who in self.seen) or "-"
        return f"| {self.what} ({tables}) | {seen} | {soon} | {self.name} |"


def cases(
    table: str, *verbs: str, only: str = "", but: str = "", pick: Pick | None = None
) -> tuple[Case, ...]:
    """Every column of a table on which evidence rests, then the verbs; `only` and `but` name columns."""
    chosen = pick or PICKS.get(table, anything)
    left = {name.partition(".")[2] for name in NO_EVIDENCE if name.startswith(f"{table}.")}
    left |= set(but.split())
    found = [column.name for column in metadata().tables[table].columns]
    wanted = only.split() if only else [name for name in found if name not in left]
    assert not set(wanted) - set(found), table
    return (
        *(Case(table, "change", name, chosen) for name in wanted),
        *(Case(table, verb, "", chosen) for verb in verbs),
    )


def rows(table: str, *verbs: str) -> tuple[Case, ...]:
    """Whole rows only."""
    return tuple(Case(table, verb) for verb in verbs)


def every(*names: str) -> tuple[Case, ...]:
    """All columns, and deleted, inserted and swapped rows, of several tables."""
    return tuple(case for name in names for case in cases(name, *VERBS))


# Rows whose person is forgotten say nothing any more: their openings are gone, and excused.
PICKS: dict[str, Pick] = {"confirmation_mail": lambda row: row["contact_id"] is not None}


def blocking(row: Row) -> bool:
    """A block of confirmation mails after `not me`."""
    return bool(row["scope"] == "confirmation")


def erased(row: Row) -> bool:
    """What is left of somebody who was erased."""
    return bool(row["scope"] == "all")


# Every table that is not attacked, and every column: why no evidence rests on it.
NO_EVIDENCE_TABLES = {
    "api_key": "who may call, not what was said",
    "cap_key": "as mail_cap; without it the caps of a day begin anew",
    "erasure_policy": "how long from now on; what was kept or let go stands in the log",
    "idempotent_answer": "an answer given again for a day; the act itself stands in the log",
    "mail_cap": "how many mails an address may still have for a day; each mail stands in its log as prepared",
    "outbox": "work still to be done; a request without an outcome shows in the log",
    "permit_run": "which batches a request under a repeated key has had, for a day; each batch stands in the log",
    "permit_run_batch": "as the run",
    "rate_limit": "counters of a few minutes",
    "retention": "how far the worker has come; what may be gone stands in log.retention",
    "webhook": "whom to tell; what is told stands in the log",
}
NO_EVIDENCE = {
    "confirmation_mail.fetches": "a counter of looks at the page, forgotten on confirming",
    "confirmation_mail.first_fetch_at": "as the counter",
    "consent_request.flags": "a hint for the marketer, by public lists; the address itself stands in its entry",
    "contact.touched_at": "when to look at the row again",
    "contact_key.made_at": "when an orphan may be swept",
    "form.counted_from": "from when on requests may pause it; that it was resumed stands in the log",
    "form.created_at": "of the draft",
    "form.draft": "what may be published one day",
    "form.language": "of the draft",
    "form.name": "how its owner calls it",
    "form.paused": "why it paused; that it did, and why, stands in two entries",
    "form.translation_of": "which form is offered in which language; what was served stands in each request's entry",
    "installation.installation_id": "there is one row",
    "installation.made_at": "nothing depends on it",
    "log_checkpoint.signed_at": "the note has no time; one in the future stops the signer",
    "organisation.log_id": "the head's origin holds it",
    "register_import.touched_at": "when an import that stands still may be given up",
    "sender.sealed_transport": "which mail server; the mail and its outcome stand in the log",
    "suppression.reason": "what blocks is the hash",
    "suppression.recorded_at": "as the reason",
}

ATTACKS = (
    Attack(
        "leaves",
        "an entry's leaf, hash or index changed; leaves deleted, added, put in another order",
        cases("log_leaf", *VERBS),
        names=("log_leaf", "log_checkpoint", "log_head"),
    ),
    Attack("nodes", "the hash of a whole subtree", cases("log_node", "delete", "insert")),
    Attack(
        "head",
        "the head's size, root, frontier, MAC or origin",
        cases("log_head", only="size root frontier mac origin"),
        seen=("fsck", "append", "signer", "verify"),
        names=("log_head", "the head of", "a frontier of", "fork"),
    ),
    Attack(
        "first origin",
        "the origin that a log began under, to which its openings are bound",
        cases("log_head", only="began_as"),
        seen=("fsck", "verify"),
        names=("opening", "sealed"),
    ),
    Attack(
        "no head",
        "a log's head deleted, or given to another organisation",
        cases("log_head", "delete", only="organisation_id"),
        seen=("fsck", "append", "verify"),
        names=("log_head", "has no log", "keys do not open"),
    ),
    Attack("heads beside", "a head of a log that never was", rows("log_head", "insert"), names=("keys do not open",)),
    Attack(
        "checkpoints",
        "a published checkpoint changed, added, or put in another one's place",
        cases("log_checkpoint", "insert", "swap", but="organisation_id"),
        names=("log_checkpoint", "tree size"),
    ),
    Attack(
        "checkpoints withheld",
        "a published checkpoint deleted",
        cases("log_checkpoint", "delete", only="organisation_id"),
        seen=(),
        why="the newest one stands in the guard, too; an older one is missed by whoever kept it",
    ),
    Attack("openings", "what opens an entry: sealed bytes, class, key", cases("opening", *VERBS)),
    Attack(
        "owners",
        "which entry is whose",
        cases("contact_entry", *VERBS),
        names=("contact_entry", "contact "),
    ),
    Attack(
        "contact keys",
        "a contact's key lost, changed or exchanged without an erasure",
        cases("contact_key", "delete", "swap"),
        names=("opening",),
    ),
    Attack(
        "organisation keys",
        "an organisation's keys",
        cases("organisation_key", *VERBS),
        seen=("fsck", "append", "verify"),
        names=("keys",),
    ),
    Attack(
        "state",
        "consents, requests, mails, customers and contacts: each column, each row",
        every("consent", "consent_request", "confirmation_mail", "customer_record", "contact"),
    ),
    Attack(
        "links used",
        "that a link was used, and by which entry",
        cases("link_use", "delete", "swap"),
    ),
    Attack(
        "blocks",
        "the keyed hash that blocks confirmation mails after `not me`",
        cases("suppression", "delete", pick=blocking),
    ),
    Attack(
        "permits",
        "a batch of permits, each of its rows, and what was taken back",
        every("permit", "permit_batch", "permit_void"),
        names=("permit",),
    ),
    Attack(
        "reports",
        "a batch of reports, each of its rows, and the days that clocks run from",
        every("message_batch", "message_sent", "last_send"),
        names=("message_", "last_send"),
    ),
    Attack(
        "registers",
        "an import of a register, and each row of what it lists",
        every("register_import", "register_entry"),
        names=("register_",),
    ),
    Attack(
        "published",
        "what was shown and decided by: organisation, sender, purpose, wording, form, rule packs, categories",
        every("purpose", "wording", "adopted_pack", "category_tree")
        + cases("sender", "delete", "insert")
        + cases("form_version", "delete", "insert")
        + cases("form", "delete")
        + cases("organisation", "delete"),
        names=("organisation", "sender", "purpose", "wording", "form", "permit", "adopted_pack", "category_tree"),
    ),
    Attack("absence", "the sorted labels of a day", cases("log_index", "delete", "insert")),
    Attack(
        "guard's name",
        "the guard that a database belongs to",
        cases("installation", "delete", only="guard_id"),
        seen=("start",),
        names=("belongs to another database",),
    ),
    Attack(
        "stops by address",
        "what the mailed link of /stop would do when it is pressed",
        every("stop_request"),
        seen=(),
        why="the pause and the final stop stand in the log; a link that was taken away answers as broken",
    ),
    Attack(
        "hashes of the erased",
        "the keyed hash that alone keeps a stop alive after an erasure",
        cases("suppression", "delete", pick=erased),
        seen=(),
        why="the log must not name it; permits issued afterwards stand in the log, and the person holds the receipt",
    ),
    Attack(
        "receipts of erasure",
        "erasures, holds, and what is restricted for claims",
        cases("erasure", "delete", "insert")
        + cases("legal_hold", "delete", "insert")
        + cases("restriction", "delete", "insert"),
        seen=(),
        why="what was erased stands in log.erasure, a hold in entries of its own; the person holds the receipt",
    ),
    Attack(
        "rows beside the true ones",
        "a key, link, block, form, organisation or guard's name that nothing refers to",
        rows("contact_key", "insert")
        + rows("link_use", "insert")
        + rows("suppression", "insert")
        + rows("form", "insert")
        + rows("organisation", "insert")
        + rows("installation", "insert"),
        seen=(),
        why="no entry refers to it; a link marked as used before its press gives the press no receipt of its own",
    ),
)  # fmt: skip
