"""Headers, limits and proxies: what keeps pages from being framed, scripted, cached or followed."""

from __future__ import annotations

from collections.abc import Iterable

from flask import Flask, Response, g, request
from werkzeug.middleware.proxy_fix import ProxyFix

from consentledger.kernel.settings import Settings
from consentledger.web.body import PAGE_BODY_BYTES

# Nothing but our own stylesheets, forms to ourselves, and the frames that are named.
CSP = (
    "default-src 'none'; style-src 'self'; img-src 'self' data:; form-action 'self'; "
    "base-uri 'none'; frame-ancestors {}"
)
HEADERS = {
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "X-Permitted-Cross-Domain-Policies": "none",
    "X-DNS-Prefetch-Control": "off",
}
# Addresses that carry a token, or that a token leads to; never in a search engine or a cache.
TOKEN_PATHS = ("/c/", "/u/", "/r/", "/stop/", "/p/")
HSTS = "max-age=31536000"


def install(app: Flask, settings: Settings) -> None:
    """Puts headers on every answer and limits on every body of `app`."""
    app.config["MAX_CONTENT_LENGTH"] = settings.max_body_bytes
    app.before_request(_limit_body)
    always = dict(HEADERS)
    if settings.base_url.startswith("https://"):
        always["Strict-Transport-Security"] = HSTS

    @app.after_request
    def headers(response: Response) -> Response:
        wanted = {**always, "Cache-Control": "no-store"}
        if response.mimetype == "text/html":
            wanted |= _page_headers(response)
        if request.path.startswith(TOKEN_PATHS):
            wanted["X-Robots-Tag"] = "noindex, nofollow"
        given = {name for name, _ in response.headers}
        response.headers.extend((k, v) for k, v in wanted.items() if k not in given)
        return response

    if settings.trusted_proxies > 0:
        hops = settings.trusted_proxies
        # Exact counts from the right: what stands further left was written by a stranger.
        app.wsgi_app = ProxyFix(  # type: ignore[method-assign]
            app.wsgi_app, x_for=hops, x_proto=hops, x_host=0, x_port=0, x_prefix=0
        )


def allow_frames(origins: Iterable[str]) -> None:
    """Let pages of `origins` frame the answer to this request, whatever it turns out to be."""
    g.embed = True
    g.frame_ancestors = tuple(origins)


def _limit_body() -> None:
    if not request.path.startswith("/api/"):
        request.max_content_length = min(PAGE_BODY_BYTES, request.max_content_length or 0)


def _page_headers(response: Response) -> dict[str, str]:
    # Content-Language follows the browser's wish, so a cache must not mix them up.
    response.vary.add("Accept-Language")
    ancestors: tuple[str, ...] = g.get("frame_ancestors", ())
    if ancestors:
        policy = CSP.format(" ".join(ancestors))
        resource = "cross-origin"
        return {"Content-Security-Policy": policy, "Cross-Origin-Resource-Policy": resource}
    return {"Content-Security-Policy": CSP.format("'none'"), "X-Frame-Options": "DENY"}
