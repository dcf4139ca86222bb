"""Registers every group of public endpoints."""

from __future__ import annotations

from flask import Flask

from consentledger.web.public import (
    brand,
    confirm,
    health,
    home,
    receipt,
    rules,
    stop,
    unsubscribe,
    well_known,
)
from consentledger.web.public.form import embed
from consentledger.web.public.form import views as forms

GROUPS = (brand, confirm, embed, forms, health, home, receipt, rules, stop, unsubscribe, well_known)


def register(app: Flask) -> None:
    """Register every group of public endpoints."""
    for module in GROUPS:
        app.register_blueprint(module.blueprint)
