"""The one page for every stop that was said while the log was frozen: alike for every link and every address."""

from __future__ import annotations

from flask import Response

from consentledger.web import rendering
from consentledger.web.journalled import ACCEPTED
from consentledger.web.public.pages import StopKeptPage


def stop_kept(language: str | None = None) -> Response:
    """Says that the stop is kept and in effect, and that there is no receipt yet."""
    return rendering.answer(StopKeptPage(rendering.speak(language)), ACCEPTED)
