"""Who may call a view: each declares it, and a meta-test fails for one that does not.

@public                     anybody, no credential
@capability("confirm")      whoever holds a link with a valid MAC of that capability
@api("permits:write")       a bearer key with that scope (checked by web.api)
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from werkzeug.exceptions import NotFound

from consentledger.web.services import installation

View = TypeVar("View", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class Policy:
    """A declared access policy: `kind` is public, capability or api; `name` the capability or scope."""

    kind: str
    name: str = ""


def public(view: View) -> View:
    """Declare that anybody may call this view."""
    return _declare(view, Policy("public"))


def capability(name: str) -> Callable[[View], View]:
    """Declare that a view reads its token with `link_id(name, token)` before anything else."""
    return lambda view: _declare(view, Policy("capability", name))


def api(scope: str) -> Callable[[View], View]:
    """Declare that a view demands a bearer key with `scope`."""
    return lambda view: _declare(view, Policy("api", scope))


def policy_of(view: Callable[..., Any]) -> Policy | None:
    """The policy that a view declared, or None."""
    found = getattr(view, "access_policy", None)
    return found if isinstance(found, Policy) else None


class BrokenLinkError(NotFound):
    """A link whose MAC does not hold for its capability: people get the page that leads to /stop."""


def link_id(name: str, token: str) -> bytes:
    """The 12-byte id of a token of capability `name`; raises BrokenLinkError for any other text."""
    found = installation().tokens.read(name, token)
    if found is None:
        raise BrokenLinkError
    return found


def _declare(view: View, policy: Policy) -> View:
    view.access_policy = policy  # type: ignore[attr-defined]
    return view
