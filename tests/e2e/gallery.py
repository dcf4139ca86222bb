"""Renders every page with sample contexts and takes its picture: `python -m tests.e2e.gallery OUT [NAME…]`.

For looking at, by people: 320 and 1440 px, light and dark, whole pages.
"""

from __future__ import annotations

import sys
import threading
from pathlib import Path

from flask import Flask, Response
from playwright.sync_api import sync_playwright
from werkzeug.serving import make_server

from consentledger.web import colours, rendering
from tests.e2e.samples import samples

CHROMIUM = "/usr/bin/chromium"
COLOURS = {
    "green": "#2f6b3f",
    "yellow": "#ffee00",
    "white": "#ffffff",
    "black": "#000000",
    "none": None,
}
WIDTHS = (320, 1440)


def gallery_app() -> Flask:
    """Returns an app that serves each sample page under its name, and sender stylesheets by colour."""
    app = Flask("consentledger")
    rendering.install(app)

    @app.get("/<name>")
    def page(name: str) -> Response:
        return rendering.answer(samples()[name])

    @app.get("/brand/1/<name>.css")
    def brand(name: str) -> Response:
        return Response(colours.stylesheet(COLOURS[name]), mimetype="text/css")

    return app


def main(out: Path, names: list[str]) -> None:
    """Writes OUT/<name>-<width>-<scheme>.png for every page, or for the named ones."""
    out.mkdir(parents=True, exist_ok=True)
    server = make_server("127.0.0.1", 0, gallery_app(), threaded=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        for scheme in ("light", "dark"):
            for width in WIDTHS:
                context = browser.new_context(
                    java_script_enabled=False,
                    color_scheme=scheme,
                    viewport={"width": width, "height": 800},
                )
                tab = context.new_page()
                for name in names or list(samples()):
                    tab.goto(f"http://127.0.0.1:{server.server_port}/{name}")
                    tab.screenshot(path=out / f"{name}-{width}-{scheme}.png", full_page=True)
                context.close()
        browser.close()
    server.shutdown()


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
