"""GET /embed.js and /embed/<version>.js: any page of any origin may load the element, and pin a release by its hash."""

from __future__ import annotations

import base64
import gzip
import hashlib

import pytest
from flask.testing import FlaskClient

from consentledger.web.releases import newest, releases

# No database is asked.
pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
# The contract is 8 kB; what a page really loads is compressed.
MOST_BYTES = 8_000


@pytest.mark.parametrize("pinned", [True, False], ids=["pinned", "newest"])
def test_a_page_of_any_origin_may_load_it(client: FlaskClient, pinned: bool) -> None:
    release = newest()
    path = f"/embed/{release.version}.js" if pinned else "/embed.js"
    answer = client.get(path, headers={"Origin": "https://any.example"})
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "text/javascript; charset=utf-8"
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert answer.headers["Cross-Origin-Resource-Policy"] == "cross-origin"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert "Set-Cookie" not in answer.headers
    caching = answer.headers["Cache-Control"]
    assert ("immutable" in caching) == pinned
    assert "public" in caching
    digest = base64.b64encode(hashlib.sha384(answer.data).digest()).decode()
    assert release.integrity == f"sha384-{digest}"


def test_it_is_small_and_the_same_when_compressed(client: FlaskClient) -> None:
    plain = client.get("/embed.js")
    zipped = client.get("/embed.js", headers={"Accept-Encoding": "br, gzip"})
    assert "Content-Encoding" not in plain.headers
    assert zipped.headers["Content-Encoding"] == "gzip"
    assert gzip.decompress(zipped.data) == plain.data
    assert len(zipped.data) < MOST_BYTES
    refused = client.get("/embed.js", headers={"Accept-Encoding": "gzip;q=0"})
    assert "Content-Encoding" not in refused.headers
    for answer in (plain, zipped):
        assert "Accept-Encoding" in answer.headers["Vary"]
    assert plain.headers["ETag"] != zipped.headers["ETag"]


def test_a_cache_that_has_it_gets_no_second_copy(client: FlaskClient) -> None:
    first = client.get("/embed.js", headers={"Accept-Encoding": "gzip"})
    again = {"If-None-Match": first.headers["ETag"], "Accept-Encoding": "gzip"}
    answer = client.get("/embed.js", headers=again)
    assert (answer.status_code, answer.data) == (304, b"")
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    other = {"If-None-Match": '"something else"', "Accept-Encoding": "gzip"}
    assert client.get("/embed.js", headers=other).status_code == 200


def test_head_tells_the_size_and_sends_nothing(client: FlaskClient) -> None:
    answer = client.head("/embed.js")
    assert answer.status_code == 200
    assert answer.data == b""
    assert int(answer.headers["Content-Length"]) == newest().file.stat().st_size


def test_a_release_that_never_was_is_missing(client: FlaskClient) -> None:
    for version in ("0.0.1", "1.0", "1.0.0.js", "..%2f..%2fpages.css", "latest"):
        assert version not in [release.version for release in releases()]
        assert client.get(f"/embed/{version}.js").status_code == 404
