"""Where an act came from, as received; the verbs keep only what the organisation's policy allows."""

from __future__ import annotations

from flask import request

from consentledger.consents.commands import Origin


def came() -> Origin:
    """Address and browser of this request."""
    return Origin(request.remote_addr, request.headers.get("User-Agent"))
