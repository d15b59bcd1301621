"""Artifacts: downloads that cannot run, and a look into the archive."""

import io
import zipfile
from datetime import timedelta

import pytest

from app.models import Artifact, write

BASE = "/skerry/hello/-/jobs/1/artifacts"
FILES = {
    "README.md": b"hello",
    "dist/app.js": b"x" * 300_000,
    "dist/img/a.svg": b"<svg/>",
    "dist/<b>.html": b"<script>",
}


def _zip(files: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return buffer.getvalue()


@pytest.fixture
def store(site, core):
    """Gives the job an archive of these bytes."""

    def put(data: bytes, **given) -> None:
        with core.artifacts.receive(10**8) as incoming:
            incoming.write(data)
            stored = incoming.keep()
        values = {"file_type": "archive", "file_format": "zip", "filename": "artifacts.zip", "expire_at": None, **given}
        with write(core.session):
            core.session.add(
                Artifact(
                    job_id=1,
                    project_id=site.project.id,
                    size=stored.size,
                    sha256=stored.sha256,
                    storage_key=stored.key,
                    created_at=core.now(),
                    **values,
                )
            )

    return put


def test_an_archive_is_downloaded_as_an_attachment_that_cannot_run(site, store):
    data = _zip(FILES)
    store(data, filename='a"b\r\nX: ü.zip')
    response = site.visitor("guest").get(BASE + "/download")
    assert response.data == data
    disposition = response.headers["Content-Disposition"]
    assert disposition.startswith('attachment; filename="a_b__X: _.zip"')
    assert "sandbox" in response.headers["Content-Security-Policy"]
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    part = site.visitor("guest").get(BASE + "/download", headers={"Range": "bytes=0-3"})
    assert (part.status_code, part.data) == (206, data[:4])


def test_folders_of_the_archive_are_listed_with_sizes_and_names_as_text(site, store):
    store(_zip(FILES))
    guest = site.visitor("guest")
    top = guest.get(BASE + "/browse").text
    assert "README.md" in top
    assert "5 bytes" in top
    inside = guest.get(BASE + "/browse/dist").text
    assert "293.0 KiB" in inside
    assert "&lt;b&gt;.html" in inside
    assert "<b>.html" not in inside
    assert guest.get(BASE + "/browse/nothing").status_code == 404


def test_one_file_is_read_out_of_the_archive_for_saving(site, store):
    store(_zip(FILES))
    guest = site.visitor("guest")
    assert guest.get(BASE + "/raw/dist/app.js").data == FILES["dist/app.js"]
    html = guest.get(BASE + "/raw/dist/%3Cb%3E.html")
    assert html.headers["Content-Disposition"].startswith("attachment")
    assert "sandbox" in html.headers["Content-Security-Policy"]
    assert guest.get(BASE + "/raw/dist/missing").status_code == 404


@pytest.mark.parametrize("path", ["../../etc/passwd", "..%2F..%2Fetc/passwd", "/etc/passwd", "dist"])
def test_paths_out_of_the_archive_lead_nowhere(site, store, path):
    store(_zip(FILES))
    assert site.visitor("guest").get(f"{BASE}/raw/{path}").status_code in (400, 404)


@pytest.mark.parametrize("data", [b"", b"not a zip at all", _zip(FILES)[:-30], b"PK\x05\x06" + b"\xff" * 18])
def test_a_damaged_archive_is_said_to_be_damaged(site, store, data):
    store(data)
    response = site.visitor("guest").get(BASE + "/browse")
    assert response.status_code == 400
    assert "Error 400" in response.text


def test_expired_artifacts_are_gone_and_kept_ones_stay(site, store, core):
    store(_zip(FILES), expire_at=core.now() + timedelta(days=1))
    developer = site.visitor("developer")
    assert ">in 1 day</time>" in developer.get("/skerry/hello/-/jobs/1").text
    assert developer.post(BASE + "/keep").status_code == 303
    page = developer.get("/skerry/hello/-/jobs/1").text
    assert "kept" in page
    assert BASE + "/keep" not in page
    with write(core.session):
        core.session.query(Artifact).one().expire_at = core.now() - timedelta(seconds=1)
    assert developer.get(BASE + "/download").status_code == 404
    assert "expired" in developer.get("/skerry/hello/-/jobs/1").text


def test_a_report_is_downloaded_by_its_type(site, store):
    store(b"<xml/>", file_type="junit", file_format="gzip", filename="junit.xml.gz")
    guest = site.visitor("guest")
    assert guest.get(BASE + "/download?file_type=junit").data == b"<xml/>"
    assert guest.get(BASE + "/download").status_code == 404
    assert guest.get(BASE + "/browse").status_code == 404


def test_an_archive_whose_bytes_are_gone_is_not_found(site, store, core):
    store(_zip(FILES))
    core.artifacts.remove(core.session.query(Artifact).one().storage_key)
    guest = site.visitor("guest")
    assert [guest.get(BASE + rest).status_code for rest in ("/download", "/browse", "/raw/README.md")] == [404] * 3
