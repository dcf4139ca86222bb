"""One tree of errors: web/problems.py maps it to HTTP, the worker to retry or bury, the CLI to a sentence."""

from __future__ import annotations


class ConsentLedgerError(Exception):
    """The root of every error that this project raises on purpose; `code` is a short machine word."""

    code = "error"


class InputError(ConsentLedgerError):
    """Somebody's input is wrong: names the field, a machine-readable reason, and says it in a sentence."""

    code = "invalid"

    def __init__(self, message: str, *, field: str, reason: str) -> None:
        super().__init__(message)
        self.field = field
        self.reason = reason


class NotFoundError(ConsentLedgerError):
    """What was asked for does not exist, or belongs to another organisation (never told apart)."""

    code = "not_found"


class UnauthorisedError(ConsentLedgerError):
    """No valid credential came with the request."""

    code = "unauthorised"


class ForbiddenError(ConsentLedgerError):
    """The credential is valid but does not allow this act, or the origin is not on the form's list."""

    code = "forbidden"


class ConflictError(ConsentLedgerError):
    """The act contradicts the present state (published already, same key with another body)."""

    code = "conflict"


class PausedError(ConflictError):
    """The form takes no sign-ups for the moment; its marketer was told why."""

    code = "paused"


class LimitError(ConsentLedgerError):
    """Too many requests: try again after `retry_after` seconds."""

    code = "too_many_requests"

    def __init__(self, message: str, *, retry_after: int) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class UnavailableError(ConsentLedgerError):
    """The log or the database can't be written now: nothing was recorded, try again."""

    code = "unavailable"

    def __init__(self, message: str, *, retry_after: int = 5) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class FrozenError(UnavailableError):
    """The database contradicts its guard (restored, truncated or forked): nothing is appended or permitted.

    A stop goes to the journal meanwhile; `log recover` ends the freeze.
    """

    code = "log_frozen"

    def __init__(self, message: str, *, retry_after: int = 60) -> None:
        super().__init__(message, retry_after=retry_after)


class ConfigurationError(ConsentLedgerError):
    """A setting or a secret is missing or wrong; the message says how to make it right."""

    code = "configuration"


class IntegrityError(ConsentLedgerError):
    """Stored data contradicts the log, its guard or its keys: somebody must look."""

    code = "integrity"


class VerificationError(ConsentLedgerError):
    """Evidence does not hold: which file, which rule, and why."""

    code = "verification"

    def __init__(self, message: str, *, rule: str, file: str | None = None) -> None:
        super().__init__(message)
        self.rule = rule
        self.file = file

    def diagnostics(self) -> str:
        """Returns one sentence for people: file, rule, reason."""
        where = f"{self.file}: " if self.file else ""
        return f"{where}{self} (rule {self.rule})"


class UnusableError(ConsentLedgerError):
    """The input is no bundle at all (not a zip, unreadable, far too large)."""

    code = "unusable"
