"""The OpenAPI 3.1 document, made from the views themselves, and its address."""

from __future__ import annotations

from threading import Lock
from typing import Any

import orjson
from flask import Blueprint, Flask, Response
from flask_smorest import Api
from marshmallow import Schema, fields

from consentledger import __version__
from consentledger.accounts.rules import SCOPES
from consentledger.web.access import public
from consentledger.web.api.operation import PREFIX, SECURITY, ApiBlueprint

DESCRIPTION = """Were you allowed to send this message to this person?

Every call shows a bearer key, which acts for one organisation. Errors are problem+json (RFC 9457) and name the
field and the reason. Every POST may carry an Idempotency-Key. Addresses never stand in a URL."""


class ProblemItem(Schema):
    """One thing that is wrong."""

    field = fields.String(required=True)
    reason = fields.String(required=True)
    detail = fields.String(required=True)


class Problem(Schema):
    """An error (RFC 9457)."""

    type = fields.String(required=True)
    title = fields.String(required=True)
    status = fields.Integer(required=True)
    detail = fields.String(required=True)
    errors = fields.List(fields.Nested(ProblemItem))


class Document(Api):  # type: ignore[misc] # flask-smorest has no types
    """flask-smorest without its own error handlers and pages: web.problems is the only map to HTTP.

    The document is made when it is first asked for: it takes longer than all else that a process does at its start.
    """

    ERROR_SCHEMA = Problem

    def __init__(self, app: Flask, **options: Any) -> None:
        self._described: list[ApiBlueprint] = []
        self._made: bytes | None = None
        self._lock = Lock()
        super().__init__(app, **options)

    def register_blueprint(self, blueprint: ApiBlueprint) -> None:
        """Adds the routes of one module now, and its part of the document when that is made."""
        self._app.extensions["flask-smorest"]["blp_name_to_api"][blueprint.name] = self
        self._app.register_blueprint(blueprint)
        self._described.append(blueprint)

    def content(self) -> bytes:
        """Returns the whole document as JSON."""
        with self._lock:
            if self._made is None:
                for one in self._described:
                    one.register_views_in_doc(
                        self, self._app, self.spec, name=one.name, parameters=None
                    )
                    self.spec.tag({"name": one.name, "description": one.description})
                self._made = orjson.dumps(_finished(self.spec.to_dict()))
            return self._made

    def _register_error_handlers(self) -> None:
        """Registers none."""

    def _register_doc_blueprint(self) -> None:
        """Serves nothing by itself."""


def make_document(app: Flask) -> Document:
    """Returns the document of `app`, to register the API's blueprints with."""
    app.config["API_TITLE"] = "consentledger"
    app.config["API_VERSION"] = __version__
    app.config["OPENAPI_VERSION"] = "3.1.0"
    scopes = "\n".join(f"- `{scope}`: {says}" for scope, says in SCOPES.items())
    options: dict[str, Any] = {
        "info": {
            "description": f"{DESCRIPTION}\n\nScopes:\n{scopes}",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        }
    }
    document = Document(app, spec_kwargs=options)
    document.spec.components.security_scheme(
        SECURITY, {"type": "http", "scheme": "bearer", "description": "cl_… made by `key create`"}
    )
    return document


def serve_document(app: Flask, document: Document) -> None:
    """Adds GET /api/v1/openapi.json to `app`."""
    blueprint = Blueprint("api_document", __name__, url_prefix=PREFIX)

    @blueprint.get("/openapi.json")
    @public
    def openapi() -> Response:
        """Answer with the OpenAPI document of this API."""
        response = Response(document.content(), mimetype="application/json")
        response.headers["Cache-Control"] = "public, max-age=300"
        return response

    app.register_blueprint(blueprint)


def _finished(made: dict[str, Any]) -> dict[str, Any]:
    # Errors are problem+json, not the JSON that flask-smorest takes for granted.
    for answer in made.get("components", {}).get("responses", {}).values():
        content = answer.get("content", {})
        if "application/json" in content:
            content["application/problem+json"] = content.pop("application/json")
    return made
