"""Scripts and styles travel packed; pages and pictures do not."""

import gzip
from pathlib import Path

import pytest
from flask import url_for

SCRIPT = "vendor/htmx.min.js"


@pytest.fixture
def address(app):
    with app.test_request_context():
        return lambda name: url_for("static", filename=name)


def test_a_script_is_packed_for_whom_can_unpack_it_and_asked_for_again_in_vain(app, address):
    whole = (Path(app.static_folder or app.root_path) / SCRIPT).read_bytes()
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
