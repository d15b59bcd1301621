"""The pages' own files: asked for once, never of the wrong time, and packed."""

import gzip
import re

import pytest
from flask import url_for

from app import assets

SCRIPT = "vendor/htmx.min.js"


@pytest.fixture
def address(app):
    with app.test_request_context():
        return lambda name: url_for("static", filename=name)


def test_a_page_names_files_by_a_fingerprint_and_they_are_kept_for_good(client):
    page = client.get("/-/sign_in").text
    addresses = re.findall(r'(?:href|src)="(/-/static/[^"]+)"', page)
    assert any(address.endswith("/js/main.js") for address in addresses)
    for address in addresses:
        answer = client.get(address, buffered=True)
        assert answer.status_code == 200, address
        assert {"public", "immutable", "max-age=31536000"} <= set(answer.headers["Cache-Control"].split(", ")), address
        assert "Cookie" not in answer.headers.get("Vary", ""), "kept, whoever signs in"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert client.get(address, headers={"If-None-Match": answer.headers["ETag"]}, buffered=True).status_code == 304


def test_an_address_of_another_version_gives_todays_file_and_is_not_kept(client):
    answer = client.get("/-/static/0123456789ab/js/main.js", buffered=True)
    assert answer.status_code == 200
    assert answer.headers["Cache-Control"] == "no-cache"


def test_what_lies_beside_the_files_is_not_served(client):
    for path in ("/-/static/x/../app/__init__.py", "/-/static/x/%2e%2e/wsgi.py", "/-/static/x/js", "/-/static/js"):
        assert client.get(path).status_code == 404, path


def test_a_script_is_packed_for_whom_can_unpack_it_and_asked_for_again_in_vain(app, address):
    whole = (assets.folder("static") / SCRIPT).read_bytes()
    visitor = app.test_client()
    packed = visitor.get(address(SCRIPT), headers={"Accept-Encoding": "gzip, br"}, buffered=True)
    assert packed.headers["Content-Encoding"] == "gzip"
    assert gzip.decompress(packed.data) == whole
    assert int(packed.headers["Content-Length"]) == len(packed.data) < 18_000
    again = visitor.get(
        address(SCRIPT), headers={"Accept-Encoding": "gzip", "If-None-Match": packed.headers["ETag"]}, buffered=True
    )
    assert (again.status_code, again.data) == (304, b"")
    for headers, status in (({}, 200), ({"Accept-Encoding": "gzip;q=0"}, 200), ({"Range": "bytes=0-9"}, 206)):
        plain = visitor.get(address(SCRIPT), headers=headers, buffered=True)
        assert plain.status_code == status
        assert "Content-Encoding" not in plain.headers, headers
        assert whole.startswith(plain.data)
        assert "Accept-Encoding" in plain.headers["Vary"]


def test_what_holds_a_forms_token_is_never_packed(app, address):
    visitor = app.test_client()
    for path in ("/-/sign_in", "/-/health", "/-/palette"):
        assert "Content-Encoding" not in visitor.get(path, headers={"Accept-Encoding": "gzip"}).headers, path
    style = visitor.get(address("css/skerry.css"), headers={"Accept-Encoding": "gzip"}, buffered=True)
    assert style.headers["Content-Encoding"] == "gzip"
