"""Form tokens of pages that were opened a minute ago: whoever posts one in a test is not too fast for a person."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from consentledger.kernel.clock import now
from consentledger.kernel.settings import Settings
from consentledger.limits.form_tokens import FormTokens

OPEN = timedelta(minutes=1)


class OpenPages:
    """Pages that somebody has open in a browser, of one installation."""

    def __init__(self, settings: Settings) -> None:
        self._tokens = FormTokens(settings.secrets.secret_keys)

    def token(
        self,
        form_id: UUID | str,
        version: int = 1,
        *,
        origin: str | None = None,
        opened: timedelta = OPEN,
    ) -> str:
        """Returns the token of a page `opened` so long ago; `origin` is of the page, None on our own."""
        form = UUID(str(form_id))
        return self._tokens.make(form, version, now=now() - opened, origin=origin)
