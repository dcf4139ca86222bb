"""Reads hosts, origins and web addresses strictly, and holds return addresses against a form's list."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from ipaddress import ip_address
from urllib.parse import SplitResult, urlsplit

import idna

from consentledger.kernel.errors import InputError
from consentledger.organisations.fields import line, wrong

URL = 2_000
MAX_ORIGINS = 50
DEFAULT_PORTS = {"https": 443, "http": 80}
_SCHEME = re.compile(r"([a-z][a-z0-9+.-]*):", re.ASCII | re.IGNORECASE)
_LABEL = re.compile(r"[a-z0-9](?:[a-z0-9_-]{0,61}[a-z0-9])?\Z", re.ASCII)


def host(value: object, field: str) -> str:
    """Returns a DNS name in A-labels, small letters (IDNA 2008); no port, no IP address."""
    if not isinstance(value, str):
        raise wrong(field, "type", f"{field} must be a host name")
    found = _a_labels(value, field)
    try:
        ip_address(found)
    except ValueError:
        pass
    else:
        raise wrong(field, "ip_address", f"{field} must be a name, not an IP address")
    if "." not in found:
        raise wrong(field, "format", f"{field} must be a full name such as links.example.org")
    return found


def url(value: object, field: str) -> str | None:
    """Returns an absolute http(s) address, or None; javascript:, data:, blanks and credentials are refused."""
    if value is None:
        return None
    parts, origin = _split(line(value, field, longest=URL), field)
    path = parts.path or "/"
    query = f"?{parts.query}" if parts.query else ""
    return f"{origin}{path}{query}"


def origin(value: object, field: str = "origins") -> str:
    """Returns an origin as a browser's Origin header writes it (RFC 6454, 6.2): scheme, host, port, no more.

    The host comes in A-labels, a default port is dropped; http is for loopback names only.
    """
    if value == "null":
        raise wrong(field, "null", f"{field}: null is nobody's origin; use the hosted page")
    found = line(value, field, longest=URL)
    parts, read = _split(found, field)
    if parts.path or parts.query or found.endswith(("?", "#")):
        raise wrong(field, "path", f"{field}: an origin ends behind host and port, without a slash")
    return read


def return_address(value: object, field: str = "returns") -> str:
    """Returns an address people may be led back to: an exact origin and a prefix of its path."""
    found = line(value, field, longest=URL)
    parts, read = _split(found, field)
    if parts.query or "?" in found:
        raise wrong(field, "query", f"{field}: a return address is origin and path, no query")
    check_path(parts.path, field)
    return read + (parts.path or "/")


def check_path(path: str, field: str) -> None:
    """Refuses paths that climb, in any spelling: the prefix must mean what it says."""
    low = path.lower()
    if any(part in (".", "..") for part in low.split("/")) or any(
        trick in low for trick in ("%2e", "%2f", "%5c", "\\", "//")
    ):
        raise wrong(field, "path", f"{field}: the path must be plain, without . or .. or //")


def _split(value: str, field: str) -> tuple[SplitResult, str]:
    scheme = _SCHEME.match(value)
    if scheme is None or scheme[1].lower() not in DEFAULT_PORTS:
        raise wrong(field, "scheme", f"{field} must begin with https://")
    if not value[scheme.end() :].startswith("//") or any(c in value for c in " \\\t\n<>\"'`{}|^"):
        raise wrong(field, "format", f"{field} is no address such as https://shop.example")
    if "*" in value:
        raise wrong(field, "wildcard", f"{field}: name each host, a star is not understood")
    try:
        parts = urlsplit(value)
        port = parts.port
    except ValueError as error:
        raise wrong(field, "port", f"{field} is no address: {error}") from error
    if "@" in parts.netloc or "#" in value:
        raise wrong(field, "format", f"{field} must hold no user name and no fragment")
    name = _url_host(parts, field)
    if parts.scheme == "http" and not _is_loopback(name):
        raise wrong(
            field, "scheme", f"{field} must begin with https:// (http is for localhost only)"
        )
    if parts.netloc.endswith(":") or port == 0:
        raise wrong(field, "port", f"{field} names no usable port")
    suffix = "" if port in (None, DEFAULT_PORTS[parts.scheme]) else f":{port}"
    return parts, f"{parts.scheme}://{name}{suffix}"


def _url_host(parts: SplitResult, field: str) -> str:
    name = parts.hostname or ""
    if "%" in name:  # an address with a zone means something on one machine only
        raise wrong(field, "host", f"{field} names no usable host")
    if parts.netloc.startswith("["):
        try:
            return f"[{ip_address(name).compressed}]"
        except ValueError as error:
            raise wrong(field, "host", f"{field} names no usable host") from error
    return _a_labels(name, field)


def _a_labels(name: str, field: str) -> str:
    try:
        found = (
            idna.encode(name, uts46=True).decode("ascii") if not name.isascii() else name.lower()
        )
    except idna.IDNAError as error:
        raise wrong(field, "host", f"{field} names no usable host: {error}") from error
    labels = found.split(".")
    if not found or len(found) > 253 or any(_LABEL.match(label) is None for label in labels):
        raise wrong(field, "host", f"{field} names no usable host")
    for label in labels:
        if label.startswith("xn--"):
            _check_a_label(label, field)
    if labels[-1].isdigit():
        _check_ipv4(found, field)
    return found


def _check_a_label(label: str, field: str) -> None:
    try:
        idna.ulabel(label)
    except idna.IDNAError as error:
        raise wrong(field, "host", f"{field} names no usable host: {error}") from error


def _check_ipv4(name: str, field: str) -> None:
    # Browsers read 127.1 and 0x7f.1 as addresses; only the plain spelling means one thing to everybody.
    try:
        ip_address(name)
    except ValueError as error:
        raise wrong(field, "host", f"{field} names no usable host") from error


def _is_loopback(name: str) -> bool:
    if name == "localhost" or name.endswith(".localhost"):
        return True
    try:
        return ip_address(name.strip("[]")).is_loopback
    except ValueError:
        return False


def form_origins(values: Sequence[str]) -> tuple[str, ...]:
    """Returns the origins whose pages may embed and post a form, normalised, each once."""
    return _each_once(values, origin, "origins")


def form_returns(values: Sequence[str]) -> tuple[str, ...]:
    """Returns the addresses people may be led back to, normalised, each once."""
    return _each_once(values, return_address, "returns")


def _each_once(
    values: Sequence[str], read: Callable[[object, str], str], field: str
) -> tuple[str, ...]:
    if len(values) > MAX_ORIGINS:
        raise wrong(field, "too_many", f"{field}: at most {MAX_ORIGINS}")
    return tuple(dict.fromkeys(read(value, field) for value in values))


def allowed_return(returns: Sequence[str], wanted: str | None) -> str | None:
    """Returns the address to lead a person back to if it is on the list (exact origin, prefix of path).

    Anything else is None and never an error: a wrong return address must not stop a sign-up.
    """
    if not wanted:
        return None
    try:
        found = url(wanted, "return")
        assert found is not None  # noqa: S101 - url() answers None to None only
        path = urlsplit(found).path
        check_path(path, "return")
    except InputError:
        return None
    bare = found.partition("?")[0]
    for allowed in returns:
        if bare == allowed or bare.startswith(allowed if allowed.endswith("/") else allowed + "/"):
            return found
    return None
