"""The public web: forms, links and the pages behind them. No login, no cookies, no scripts."""

from __future__ import annotations

from flask import Flask

from consentledger.web.public import brand, health, home


def register(app: Flask) -> None:
    """Register every group of public endpoints."""
    for module in (brand, health, home):
        app.register_blueprint(module.blueprint)
