"""GET /embed.js and /embed/<version>.js: the custom element <consent-form>, for pages of any origin."""

from __future__ import annotations

import gzip
from functools import cache

from flask import Blueprint, Response, request

from consentledger.kernel.errors import NotFoundError
from consentledger.web.access import public
from consentledger.web.releases import Release, newest, releases

blueprint = Blueprint("embed", __name__)
# A page that names a version pins it, with its hash; the other address follows our releases.
FOLLOWING = "public, max-age=3600"
PINNED = "public, max-age=31536000, immutable"


@blueprint.get("/embed.js")
@public
def latest() -> Response:
    """Answer with the newest release; caches ask again after an hour."""
    return _answer(newest(), FOLLOWING)


@blueprint.get("/embed/<version>.js")
@public
def pinned(version: str) -> Response:
    """Answer with one release, which never changes."""
    for release in releases():
        if release.version == version:
            return _answer(release, PINNED)
    raise NotFoundError("there is no such release of the element")


def _answer(release: Release, caching: str) -> Response:
    zipped = request.accept_encodings["gzip"] > 0
    response = Response(_content(release, zipped), content_type="text/javascript; charset=utf-8")
    response.headers["Cache-Control"] = caching
    # Modules are always fetched with CORS, and any page may hold the element.
    response.headers["Access-Control-Allow-Origin"] = "*"
    response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
    response.vary.add("Accept-Encoding")
    if zipped:
        response.headers["Content-Encoding"] = "gzip"
    response.set_etag(f"{release.integrity.removeprefix('sha384-')[:22]}{'-gzip' * zipped}")
    response.make_conditional(request)
    return response


@cache
def _content(release: Release, zipped: bool) -> bytes:
    content = release.file.read_bytes()
    return gzip.compress(content, 9, mtime=0) if zipped else content
