"""Where a request came from, in the spelling that evidence keeps."""

from __future__ import annotations

from urllib.parse import urlsplit

from consentledger.contacts.rules import page_of

USUAL_PORTS = {"http": 80, "https": 443}

__all__ = ["origin_of", "page_of"]


def origin_of(address: str) -> str:
    """The origin of an http(s) address, as browsers write it: scheme, host, port unless it is usual."""
    parts = urlsplit(address)
    port = f":{parts.port}" if parts.port and parts.port != USUAL_PORTS.get(parts.scheme) else ""
    host = parts.hostname or ""
    return f"{parts.scheme}://{f'[{host}]' if ':' in host else host}{port}"
