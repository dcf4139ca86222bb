"""The API for marketers, /api/v1: one module per thing, one document of all."""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec

from flask import Flask

from consentledger.web.api.document import make_document, serve_document

MODULES = (
    "categories",
    "packs",
    "senders",
    "purposes",
    "wordings",
    "forms",
    "studio",
    "form_figures",
    "configuration",
    "consents",
    "contacts",
    "customers",
    "withdrawals",
    "permits",
    "erasures",
    "evidence",
    "holds",
    "messages",
    "proofs",
    "registers",
    "sends",
    "webhooks",
)


def register(app: Flask) -> None:
    """Adds the API and its OpenAPI document to `app`; each module has one `blueprint`."""
    document = make_document(app)
    for name in MODULES:
        module = f"{__name__}.{name}"
        if find_spec(module) is not None:
            document.register_blueprint(import_module(module).blueprint)
    serve_document(app, document)
