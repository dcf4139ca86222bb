"""Registers every group of public endpoints."""

from __future__ import annotations

from flask import Flask

from consentledger.web.public import brand, confirm, forms, health, home, receipt, well_known


def register(app: Flask) -> None:
    """Register every group of public endpoints."""
    for module in (brand, confirm, forms, health, home, receipt, well_known):
        app.register_blueprint(module.blueprint)
