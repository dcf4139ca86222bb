"""What an error means at a shell: an exit code, and a sentence that says what to do.

The codes above 63 are those of sysexits.h, so that a service manager can tell "fix the settings"
(78: don't restart) from "try again" (75). `verify` has its own codes: see consentledger.cli.verify.
"""

from __future__ import annotations

from consentledger.kernel.errors import (
    ConfigurationError,
    ConsentLedgerError,
    FrozenError,
    InputError,
    IntegrityError,
    LimitError,
    UnavailableError,
    VerificationError,
)

CONFIGURATION = 78
EXIT_CODES: tuple[tuple[type[ConsentLedgerError], int], ...] = (
    (ConfigurationError, CONFIGURATION),
    (FrozenError, 65),
    (UnavailableError, 75),
    (LimitError, 75),
    (IntegrityError, 65),
    (ConsentLedgerError, 1),
)


def exit_code(error: ConsentLedgerError) -> int:
    """Return the exit code of the most special class in the table that `error` belongs to."""
    return next(code for kind, code in EXIT_CODES if isinstance(error, kind))


def sentence(error: ConsentLedgerError) -> str:
    """Return what happened and what to do, for a person at a shell."""
    match error:
        case VerificationError():
            return error.diagnostics()
        case InputError():
            return f"{error} ({error.field}: {error.reason})"
        case FrozenError():
            return str(error)
        case UnavailableError():
            return f"{str(error).rstrip('.')}. Nothing was recorded; try again in {error.retry_after} s."
        case IntegrityError():
            return f"{error} Run `consentledger log fsck` and keep a copy of the database first."
    return str(error)
