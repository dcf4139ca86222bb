"""One installation, opened from its settings: what web, worker and commands all stand on."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import structlog
from sqlalchemy import select

from consentledger.db.engine import Database
from consentledger.db.engines import with_driver
from consentledger.db.guard import Guard, open_guard
from consentledger.db.journal import Journal, open_journal
from consentledger.db.keystore.database import SETTING, KeyDatabase
from consentledger.db.keystore.owner import require_own_keystore
from consentledger.db.keystore.store import KeyStore
from consentledger.db.log.append import Log
from consentledger.db.log.head_mac import HeadMac
from consentledger.db.log.tree import TileCache
from consentledger.db.migrate import require_current
from consentledger.db.models import Installation as InstallationRow
from consentledger.db.models import LogCheckpoint, LogHead
from consentledger.db.signing.checkpoints import CheckpointSigner
from consentledger.db.signing.signers import log_signers
from consentledger.db.unit_of_work import Tx
from consentledger.db.watch import Watch, lacking
from consentledger.kernel.errors import ConfigurationError
from consentledger.kernel.settings import Settings
from consentledger.kernel.tokens import Tokens

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Installation:
    """Settings and the things made from them once per process."""

    settings: Settings
    database: Database
    log: Log
    keystore: KeyStore
    tokens: Tokens
    guard: Guard
    watch: Watch
    journal: Journal
    signer: CheckpointSigner
    tiles: TileCache


def open_database(settings: Settings) -> Database:
    """Opens the database alone, without asking for a schema (`db upgrade` starts from here)."""
    keystore = KeyStore(settings.secrets.master_keys, _key_database(settings))
    log = Log(keystore, HeadMac(settings.secrets.append_keys))
    return Database(settings.database_url, log=log, lock_timeout=settings.lock_timeout_seconds)


def _key_database(settings: Settings) -> KeyDatabase | None:
    if settings.keystore_url is None:
        return None
    store = KeyDatabase(settings.keystore_url, lock_timeout=settings.lock_timeout_seconds)
    if store.url == with_driver(settings.database_url):
        raise ConfigurationError(
            f"{SETTING} names the main database: give the keys a database of their own, or leave it unset"
        )
    return store


def open_installation(settings: Settings) -> Installation:
    """Opens database and guard; ConfigurationError says what is missing and how to mend it."""
    database = open_database(settings)
    try:
        require_current(database)
        guard = _open_guard(settings, database)
        require_own_keystore(database, guard.guard_id)
    except BaseException:
        database.close()
        raise
    secrets = settings.secrets
    watch = database.log.watch = Watch(guard)
    _tell_frozen(watch, database)
    return Installation(
        settings=settings,
        database=database,
        log=database.log,
        keystore=database.log.keystore,
        tokens=Tokens(secrets.link_keys),
        guard=guard,
        watch=watch,
        journal=open_journal(settings, guard),
        signer=CheckpointSigner(database, database.log, guard, log_signers(secrets)),
        tiles=TileCache(),
    )


def _open_guard(settings: Settings, database: Database) -> Guard:
    with database.read() as session:
        guard_id = session.scalar(select(InstallationRow.guard_id))
    if guard_id is None:
        with database.begin() as tx:
            guard_id = _claim_guard_id(tx)
    with database.read() as session:
        # Only a database under which nothing was ever signed may be given a fresh guard.
        unsigned = session.scalar(select(LogCheckpoint.size).limit(1)) is None
    return open_guard(
        settings.guard,
        guard_id,
        create=unsigned,
        default=_state_folder() / "guard" / guard_id,
        lock_timeout=settings.lock_timeout_seconds,
    )


def _tell_frozen(watch: Watch, database: Database) -> None:
    """Says of each log that contradicts its guard what happened; the start goes on, stops must be taken."""
    with database.read() as session:
        organisations = session.scalars(select(LogHead.organisation_id)).all()
    for organisation_id in organisations:
        reason = watch.reason(database, organisation_id)
        if reason is not None:
            _log.critical("log frozen", reason=reason)
    for origin, signed in watch.missing(database):
        _log.critical("log missing", reason=lacking(origin, signed))


def _claim_guard_id(tx: Tx) -> str:
    # Two processes may start at once: the first row stays.
    found = tx.session.get(InstallationRow, 1, with_for_update=True)
    if found is None:
        found = InstallationRow(installation_id=1, guard_id=str(uuid4()), made_at=tx.now)
        tx.session.add(found)
    return found.guard_id


def _state_folder() -> Path:
    base = os.environ.get("XDG_STATE_HOME") or str(Path.home() / ".local" / "state")
    return Path(base) / "consentledger"
