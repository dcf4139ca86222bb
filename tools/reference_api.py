"""The derived part of docs/api.md: every page and every call of the API, from a throw-away installation."""

from __future__ import annotations

import os
import re
import secrets
import tempfile
from pathlib import Path
from typing import Any
from unittest import mock

from flask import Flask

from consentledger.app import create_app
from consentledger.db.installation import open_database, open_installation
from consentledger.db.migrate import upgrade
from consentledger.kernel.settings import Settings
from consentledger.web.access import policy_of
from consentledger.worker.handlers import HANDLERS

SECRETS = ("LINK_KEYS", "SECRET_KEYS", "APPEND_KEY", "EVIDENCE_KEY", "LOG_KEY", "MASTER_KEY")
API = "/api/v1"


def api() -> str:
    """Return the tables of pages and calls."""
    with tempfile.TemporaryDirectory() as folder, mock.patch.dict(os.environ, _settings(folder)):
        settings = Settings.load()
        database = open_database(settings)
        upgrade(database)
        database.close()
        installation = open_installation(settings)
        try:
            app = create_app(settings, installation)
            return "\n".join([*_pages(app), *_calls(_document(app))])
        finally:
            installation.database.close()


def work() -> str:
    """Return a section per kind of work that the outbox may hold."""
    lines = ["| kind | what the worker does | tries |", "|---|---|---|"]
    for kind in sorted(HANDLERS):
        handler = HANDLERS[kind]
        lines.append(f"| `{kind}` | {handler.doc} | {handler.policy.most} |")
    return "\n".join([*lines, ""])


def _settings(folder: str) -> dict[str, str]:
    values = {
        "DATABASE_URL": f"sqlite:///{Path(folder) / 'reference.db'}",
        "GUARD": f"{folder}/guard",
        "BASE_URL": "https://consent.example",
        **{name: secrets.token_urlsafe(32) for name in SECRETS},
    }
    return {f"CONSENTLEDGER_{name}": value for name, value in values.items()}


def _document(app: Flask) -> dict[str, Any]:
    document = app.test_client().get(f"{API}/openapi.json").get_json()
    assert isinstance(document, dict)
    return document


def _pages(app: Flask) -> list[str]:
    lines = ["## Pages", "", "| route | who | what |", "|---|---|---|"]
    for rule in sorted(app.url_map.iter_rules(), key=lambda rule: (rule.rule, rule.endpoint)):
        if rule.rule.startswith(API + "/") or rule.endpoint == "static":
            continue
        methods = "|".join(sorted((rule.methods or set()) - {"HEAD", "OPTIONS"})) or "OPTIONS"
        path = re.sub(r"<(?:\w+(?:\([^)]*\))?:)?(\w+)>", r"{\1}", rule.rule)
        view = app.view_functions[rule.endpoint]
        policy = policy_of(view)
        who = f"{policy.name} link" if policy and policy.name else "anybody"
        lines.append(f"| `{methods} {path}` | {who} | {_first_line(view.__doc__)} |")
    return [*lines, ""]


def _first_line(text: str | None) -> str:
    return (text or "").strip().splitlines()[0] if text else ""


def _calls(document: dict[str, Any]) -> list[str]:
    lines = [f"## API, `{API}`", "", f"### `GET {API}/openapi.json`", ""]
    lines += ["The whole of this as OpenAPI 3.1; needs no key.", ""]
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            if method == "parameters":
                continue
            lines += _call(document, f"{method.upper()} {path}", operation)
    return lines


def _call(document: dict[str, Any], title: str, operation: dict[str, Any]) -> list[str]:
    scopes = ", ".join(f"`{s}`" for item in operation.get("security", []) for s in item["key"])
    lines = [f"### `{title}`", "", f"{operation.get('summary', '')} Scope: {scopes}.", ""]
    content = operation.get("requestBody", {}).get("content", {}).get("application/json")
    if content:
        lines += _fields(_resolved(document, content["schema"]))
    return lines


def _resolved(document: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
    name = schema.get("$ref", "").rpartition("/")[2]
    found: dict[str, Any] = document["components"]["schemas"][name] if name else schema
    return found


def _fields(schema: dict[str, Any]) -> list[str]:
    if not schema.get("properties"):
        return ["The body is an empty object.", ""]
    lines = ["| field | type | what |", "|---|---|---|"]
    required = set(schema.get("required", ()))
    for name, field in schema.get("properties", {}).items():
        needed = " **required**" if name in required else ""
        lines.append(f"| `{name}` | {_type(field)} | {field.get('description', '')}{needed} |")
    return [*lines, ""]


def _type(field: dict[str, Any]) -> str:
    if "enum" in field:
        return " or ".join(f"`{value}`" for value in field["enum"] if value is not None)
    kind = field.get("type", "object")
    kinds = [str(k) for k in (kind if isinstance(kind, list) else [kind])]
    words = " or ".join(f"{k}s" if k == "array" else k for k in kinds)
    if "items" in field:
        words = f"list of {_type(field['items'])}"
    return f"{words} ({field['format']})" if "format" in field else words
