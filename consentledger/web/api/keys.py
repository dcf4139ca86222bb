"""Who calls: the bearer key of a request, its organisation, and whether its scopes allow the view."""

from __future__ import annotations

import re

from flask import current_app, g, request

from consentledger.accounts.queries import KeyFacts, authenticate
from consentledger.accounts.rules import unauthorised
from consentledger.kernel.errors import ForbiddenError
from consentledger.web.access import policy_of
from consentledger.web.services import installation

_BEARER = re.compile(r"Bearer ([A-Za-z0-9._~+/=-]{1,200})\Z", re.ASCII | re.IGNORECASE)


def check_key() -> None:
    """Refuses a request without a valid key (401) or without the view's scope (403), before its body is read.

    A view that declares no scope is refused whatever the key may do: forgetting it must not open a door.
    """
    view = current_app.view_functions.get(request.endpoint or "")
    policy = policy_of(view) if view else None
    if policy is not None and policy.kind == "public":
        return
    match = _BEARER.match(request.headers.get("Authorization", ""))
    if match is None:
        raise unauthorised()
    with installation().database.read() as session:
        key = authenticate(session, match[1])
    if policy is None or policy.kind != "api" or policy.name not in key.scopes:
        wanted = policy.name if policy else "(none declared)"
        raise ForbiddenError(f"this key may not do that: it lacks the scope {wanted}")
    g.api_key = key


def caller() -> KeyFacts:
    """The key that this request came with; its organisation is the only one the view may touch."""
    key = g.api_key
    assert isinstance(key, KeyFacts)  # noqa: S101 - check_key ran before every view
    return key
