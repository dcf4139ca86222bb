"""Whether the installation's keys fit its database, log by log; and the heads' move to the newest APPEND_KEY."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from consentledger.db.installation import Installation
from consentledger.db.models import LogHead
from consentledger.db.signing.named import NamedKeys
from consentledger.db.signing.signers import newest_evidence_vkey
from consentledger.db.unit_of_work import Tx
from consentledger.kernel.errors import ConsentLedgerError
from consentledger.kernel.secrets import PREFIX, Secrets
from consentledger.ledger.bundle import evidence_signer
from consentledger.ledger.merkle import Frontier

TRIAL = "consentledger trial of a signing key\n"


@dataclass(frozen=True, slots=True)
class Fit:
    """One sentence about one log (or the whole installation) and one key; `ok` False: somebody must act."""

    where: str
    ok: bool
    text: str


def try_signers(installation: Installation, origin: str) -> None:
    """Lets every signer sign a text that is no checkpoint; UnavailableError when a command can't."""
    for signer in installation.signer.signers.signers(origin):
        signer.sign(TRIAL)


def check_fit(installation: Installation) -> Iterator[Fit]:
    """Yields what is found about each log: the head's MAC, the keys that the log names, the organisation's keys."""
    with installation.database.snapshot() as session:
        heads = session.scalars(select(LogHead).order_by(LogHead.origin)).all()
        for head in heads:
            for look in (_append_key, _log_key, _evidence_key, _organisation_keys):
                try:
                    yield look(installation, session, head)
                except ConsentLedgerError as error:
                    yield Fit(head.origin, False, str(error))


def _append_key(installation: Installation, _session: Session, head: LogHead) -> Fit:
    frontier = Frontier.from_bytes(head.size, head.frontier)
    heads = installation.log.heads
    heads.check(head.origin, frontier, head.root, head.mac)
    if heads.is_newest(head.origin, frontier, head.mac):
        return Fit(head.origin, True, "APPEND_KEY: the head carries the newest key's MAC")
    return Fit(
        head.origin,
        True,
        "APPEND_KEY: the head carries an older key's MAC: run `consentledger secrets rotate APPEND_KEY`"
        " before that key is dropped",
    )


def _log_key(installation: Installation, session: Session, head: LogHead) -> Fit:
    vkeys = installation.signer.vkeys(head.origin)
    named = _newest(installation, session, head)
    try_signers(installation, head.origin)
    return _named(head.origin, "LOG_KEY", vkeys, named.log_key if named else None)


def _evidence_key(installation: Installation, session: Session, head: LogHead) -> Fit:
    vkeys = evidence_vkeys(installation.settings.secrets, head.origin)
    named = _newest(installation, session, head)
    return _named(head.origin, "EVIDENCE_KEY", vkeys, named.evidence_key if named else None)


def _newest(installation: Installation, session: Session, head: LogHead) -> NamedKeys | None:
    return installation.signer.keys.newest(session, head.organisation_id, head.origin, head.size)


def _named(origin: str, name: str, vkeys: list[str], named: str | None) -> Fit:
    if named is None or named == vkeys[0]:
        return Fit(origin, True, f"{name}: the log names the newest key, and it signs")
    if named in vkeys:
        return Fit(
            origin, False, f"{name}: the log names an older key: run `consentledger log rotate-key`"
        )
    return Fit(
        origin,
        False,
        f"{name}: {PREFIX}{name} does not hold the key that the log names. Put it back into the list; if it is lost, "
        "run `consentledger log rotate-key`, and give the new policy to everybody who holds the old one",
    )


def _organisation_keys(installation: Installation, session: Session, head: LogHead) -> Fit:
    installation.keystore.organisation(session, head.organisation_id)
    return Fit(head.origin, True, "MASTER_KEY: opens the organisation's keys")


def evidence_vkeys(secrets: Secrets, origin: str) -> list[str]:
    """Returns the verifier keys of EVIDENCE_KEY for one log, newest first."""
    return [evidence_signer(origin, seed).vkey for seed in reversed(secrets.evidence_keys)]


def newest_vkeys(installation: Installation, origin: str) -> tuple[str, str]:
    """Returns the newest signing key and the newest evidence key for one log, both of them tried."""
    try_signers(installation, origin)
    secrets = installation.settings.secrets
    return installation.signer.vkey(origin), newest_evidence_vkey(secrets, origin)


def renew_head_mac(tx: Tx, organisation_id: UUID) -> bool:
    """Gives one head the newest APPEND_KEY's MAC, under its lock; says whether it had an older key's.

    IntegrityError when none of our keys made the MAC that is there.
    """
    head = tx.log.lock_head(tx, organisation_id)
    size = head.frontier.size
    where = (LogHead.organisation_id == organisation_id) & (LogHead.size == size)
    found = tx.session.execute(select(LogHead.mac).where(where)).scalar_one()
    if tx.log.heads.is_newest(head.origin, head.frontier, found):
        return False
    mac = tx.log.heads.make(head.origin, head.frontier)
    tx.session.execute(update(LogHead).where(where).values(mac=mac))
    return True
