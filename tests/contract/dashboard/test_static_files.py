"""The pages' own files: asked for once, and never of the wrong time."""

import re


def test_a_page_names_files_by_a_fingerprint_and_they_are_kept_for_good(client):
    page = client.get("/-/sign_in").text
    addresses = re.findall(r'(?:href|src)="(/-/static/[^"]+)"', page)
    assert any(address.endswith("/js/main.js") for address in addresses)
    for address in addresses:
        answer = client.get(address, buffered=True)
        assert answer.status_code == 200, address
        assert {"public", "immutable", "max-age=31536000"} <= set(answer.headers["Cache-Control"].split(", ")), address
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert client.get(address, headers={"If-None-Match": answer.headers["ETag"]}, buffered=True).status_code == 304


def test_an_address_of_another_version_gives_todays_file_and_is_not_kept(client):
    answer = client.get("/-/static/0123456789ab/js/main.js", buffered=True)
    assert answer.status_code == 200
    assert answer.headers["Cache-Control"] == "no-cache"


def test_what_lies_beside_the_files_is_not_served(client):
    for path in ("/-/static/x/../app/__init__.py", "/-/static/x/%2e%2e/wsgi.py", "/-/static/x/js", "/-/static/js"):
        assert client.get(path).status_code == 404, path
