"""What decisions of a batch are made by, beside each recipient's own facts: rules, products and registers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from consentledger.db.keystore.store import KeyStore
from consentledger.kernel.clock import to_text
from consentledger.law.model import Message
from consentledger.law.products import CategoryTree
from consentledger.law.rulebook import Rulebook
from consentledger.organisations import categories, packs
from consentledger.permits.lookups import MessageFrame
from consentledger.permits.rules import IssuePermits
from consentledger.registers import queries as registers
from consentledger.registers.models import RegisterImport
from consentledger.registers.queries import Import
from consentledger.verify.imports import registers_of


class Age(NamedTuple):
    """When an import of a register was true, and the index of its entry."""

    as_of: datetime
    entry_index: int


@dataclass(frozen=True, slots=True)
class Sources:
    """The rulebook, the tree of categories, and the imports of those registers that the rulebook looks into.

    `ages` say of each import when it was true, and where it stands in the log; `imports` can be looked into.
    `categories` are the message's own, asked or the purpose's.
    """

    rulebook: Rulebook
    tree: CategoryTree | None
    categories: tuple[str, ...]
    ages: Mapping[str, Age] = field(default_factory=dict)
    imports: Mapping[str, Import] = field(default_factory=dict, repr=False)

    def message(self, command: IssuePermits, send_at: datetime) -> Message:
        """Returns what all messages of the batch share, as the law judges it."""
        return Message(
            command.message_class,
            command.channel,
            send_at,
            command.contains,
            tuple((code, age.as_of) for code, age in sorted(self.ages.items())),
            command.tracking is not None,
        )

    @property
    def registers(self) -> list[str]:
        """The imports as the batch's entry names them: `<code> <as_of> <entry index>`, sorted."""
        return [
            f"{code} {to_text(age.as_of)} {age.entry_index}"
            for code, age in sorted(self.ages.items())
        ]

    @property
    def categories_version(self) -> int | None:
        """The version of the tree that products were compared by."""
        return self.tree.version if self.tree else None

    def pack_texts(self, names: Iterable[str]) -> list[str]:
        """Returns rule packs as the batch's entry names them: `<id>@<version> <hash>`, sorted."""
        hashes = {one.pack.name: one.pack.hash for one in self.rulebook.adopted}
        return [f"{name} {hashes[name]}" for name in sorted(set(names))]


def read_sources(
    session: Session, keystore: KeyStore | None, command: IssuePermits, frame: MessageFrame
) -> Sources:
    """Reads what the decisions of a batch are made by, as it stands in this session.

    Without a key store the registers' age is known, and nobody can be looked up in them.
    """
    organisation_id = command.organisation_id
    rulebook = packs.rulebook(session, organisation_id)
    asked = registers_of(rulebook, command.channel)
    imported = registers.imports(session, keystore, organisation_id) if asked and keystore else {}
    opened = {code: one for code, one in imported.items() if code in asked}
    ages = {code: Age(one.as_of, one.entry_index) for code, one in opened.items()}
    if asked and keystore is None:
        ages = _ages(session, organisation_id, asked)
    return Sources(
        rulebook,
        categories.tree(session, organisation_id),
        frame.categories if command.categories is None else command.categories,
        ages,
        opened,
    )


def _ages(session: Session, organisation_id: UUID, codes: frozenset[str]) -> dict[str, Age]:
    query = select(RegisterImport.register, RegisterImport.as_of, RegisterImport.entry_index).where(
        RegisterImport.organisation_id == organisation_id,
        RegisterImport.state == registers.CURRENT,
        RegisterImport.register.in_(codes),
    )
    return {code: Age(as_of, index or 0) for code, as_of, index in session.execute(query)}


def listed(
    session: Session, organisation_id: UUID, sources: Sources, folded: Iterable[str]
) -> dict[str, tuple[str, ...]]:
    """Returns which of these folded addresses which of the batch's registers list."""
    return registers.listed(session, organisation_id, folded, sources.imports)
