"""What a handler is given, and how kinds of work are described."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from consentledger.db.engine import Database
from consentledger.db.installation import Installation
from consentledger.db.unit_of_work import Tx
from consentledger.mail.domains import Domains
from consentledger.outbox.rules import RetryPolicy
from consentledger.outbox.service import Job
from consentledger.worker.mailer import Mailer
from consentledger.worker.peers import Peers


@dataclass(frozen=True, slots=True)
class Context:
    """One thread's tools: the installation, its ways out for mail, and how the peers of all threads do.

    `domains` looks recipients' domains up, for all threads; None when nobody shall.
    """

    installation: Installation
    mailer: Mailer
    peers: Peers
    domains: Domains | None = None

    @property
    def database(self) -> Database:
        """The installation's database."""
        return self.installation.database


@dataclass(frozen=True, slots=True)
class Handler:
    """How one kind of work is done.

    `run` does it and, in the transaction of its results, completes or postpones the job; it raises
    what it can't do. `policy` bounds the tries. `give_up`, if any, is called in a transaction
    instead of burying when the tries are used up; it must complete the job. `doc` stands in docs/.
    """

    kind: str
    doc: str
    run: Callable[[Context, Job], None]
    policy: RetryPolicy = field(default_factory=RetryPolicy)
    give_up: Callable[[Context, Tx, Job, str], None] | None = None
