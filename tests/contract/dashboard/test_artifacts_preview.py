"""Files of an archive looked at in the page: nothing that a job made runs."""

import io
import zipfile
from datetime import timedelta

import pytest

from app.models import Artifact, write
from app.services.artifacts import browse_artifacts, preview_artifact

BASE = "/skerry/hello/-/jobs/1/artifacts"
PAYLOAD = "<script>alert(1)</script>"
PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 20
FILES = {
    "logs/deep/er/out.txt": f"first\n{PAYLOAD}\n\x1b[31mred".encode(),
    "logs/deep/er/more/x.bin": b"\0\1\2",
    "report/index.html": f"<h1>Report</h1>{PAYLOAD}".encode(),
    "report/style.css": b"h1 { color: red }",
    "report/app.js": b"alert(1)",
    "shot.png": PNG,
    "drawing.svg": f"<svg>{PAYLOAD}</svg>".encode(),
    f"{PAYLOAD[:7]}.txt": b"",
    "empty/": b"",
}


@pytest.fixture
def archive(site, core):
    """The job has FILES."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as opened:
        for name, content in FILES.items():
            opened.writestr(name, content)
    with core.artifacts.receive(10**8) as incoming:
        incoming.write(buffer.getvalue())
        stored = incoming.keep()
    with write(core.session):
        artifact = Artifact(
            job_id=1,
            project_id=site.project.id,
            file_type="archive",
            file_format="zip",
            filename="artifacts.zip",
            size=stored.size,
            sha256=stored.sha256,
            storage_key=stored.key,
            created_at=core.now(),
            expire_at=core.now() + timedelta(days=2),
        )
        core.session.add(artifact)
    return artifact


def test_folders_have_figures_lone_chains_are_one_entry_and_files_are_found_anywhere(site, archive, core, monkeypatch):
    entries = {entry.name: entry for entry in browse_artifacts.list_folder(core, archive, "")}
    logs, report = entries["logs/deep/er"], entries["report"]
    assert (logs.is_folder, logs.path, logs.files) == (True, "logs/deep/er", 2)
    assert logs.size == sum(len(FILES[name]) for name in FILES if name.startswith("logs/"))
    assert (report.files, entries["empty"].files, entries["shot.png"].size) == (3, 0, len(PNG))
    guest = site.visitor("guest")
    top = guest.get(BASE + "/browse").text
    assert f'href="{BASE}/browse/logs/deep/er"' in top
    assert f'href="{BASE}/file/shot.png"' in top
    assert ">in 2 days</time>" in top
    assert PAYLOAD[:7] + "." not in top
    found = guest.get(BASE + "/browse?search=OUT.T").text
    assert f'href="{BASE}/file/logs/deep/er/out.txt"' in found
    assert "shot.png" not in found
    assert "No file is called so" in guest.get(BASE + f"/browse?search={PAYLOAD}").text
    monkeypatch.setattr(browse_artifacts, "MOST_FOUND", 1)
    assert len(browse_artifacts.find_files(core, archive, "e")) == 1


def test_a_file_is_shown_as_text_picture_or_framed_report_and_never_as_markup(site, archive, monkeypatch):
    guest = site.visitor("guest")
    text = guest.get(BASE + "/file/logs/deep/er/out.txt")
    assert "first\n" in text.text
    assert "&lt;script&gt;" in text.text
    assert "\x1b" not in text.text
    picture = guest.get(BASE + "/file/shot.png").text
    assert f'<img src="{BASE}/view/shot.png"' in picture
    report = guest.get(BASE + "/file/report/index.html")
    assert f'src="{BASE}/view/report/index.html" sandbox="allow-same-origin"' in report.text
    assert report.headers["Content-Security-Policy"].endswith("; frame-src 'self'")
    source = guest.get(BASE + "/file/report/index.html?source=1").text
    assert "&lt;h1&gt;Report" in source
    assert "<iframe" not in source
    assert "No preview" in guest.get(BASE + "/file/logs/deep/er/more/x.bin").text
    for shown in (text, report):
        assert PAYLOAD not in shown.text
        assert "script-src 'self'" in shown.headers["Content-Security-Policy"]
    assert guest.get(BASE + "/file/missing").status_code == 404
    assert guest.get(BASE + "/file/report").status_code == 404
    monkeypatch.setattr(preview_artifact, "TEXT_LIMIT", 3)
    monkeypatch.setattr(preview_artifact, "PICTURE_LIMIT", 3)
    assert "Only its beginning" in guest.get(BASE + "/file/logs/deep/er/out.txt").text
    assert "No preview" in guest.get(BASE + "/file/shot.png").text


def test_what_the_preview_loads_runs_nothing_and_is_framed_by_this_site_alone(site, archive):
    guest = site.visitor("guest")
    for name, kind in (
        ("report/index.html", "text/html"),
        ("report/style.css", "text/css"),
        ("shot.png", "image/png"),
        ("drawing.svg", "image/svg+xml"),
    ):
        response = guest.get(f"{BASE}/view/{name}")
        policy = {rule.split()[0]: rule.split()[1:] for rule in response.headers["Content-Security-Policy"].split("; ")}
        assert response.data == FILES[name]
        assert response.mimetype == kind
        assert policy["sandbox"] == ["allow-same-origin"], "no scripts, no forms, no windows"
        assert policy["script-src"] == policy["form-action"] == policy["default-src"] == ["'none'"]
        assert policy["frame-ancestors"] == ["'self'"]
        assert response.headers["X-Content-Type-Options"] == "nosniff"
        assert response.headers["X-Frame-Options"] == "SAMEORIGIN"
        assert "Content-Disposition" not in response.headers
    for name in ("report/app.js", "logs/deep/er/more/x.bin"):
        saved = guest.get(f"{BASE}/view/{name}")
        assert saved.headers["Content-Disposition"].startswith("attachment")
        assert saved.headers["Content-Security-Policy"].startswith("default-src 'none'; sandbox;")
    alone = guest.get(f"{BASE}/view/report/index.html", headers={"Sec-Fetch-Dest": "document"})
    assert (alone.status_code, alone.location) == (302, f"{BASE}/file/report/index.html")


def test_previews_are_for_those_who_may_fetch_and_end_with_the_artifacts(site, archive, core):
    paths = [f"{BASE}/{rest}" for rest in ("browse", "file/shot.png", "view/shot.png")]
    for name, status in (("guest", 200), ("stranger", 404), (None, 302)):
        visitor = site.visitor(name)
        assert [visitor.get(path).status_code for path in paths] == [status] * 3
    assert BASE + "/keep" not in site.visitor("guest").get(paths[0]).text
    developer = site.visitor("developer")
    assert BASE + "/keep" in developer.get(paths[0]).text
    assert developer.post(BASE + "/keep").status_code == 303
    assert "kept until" in developer.get(paths[0]).text
    with write(core.session):
        core.session.query(Artifact).one().expire_at = core.now() - timedelta(seconds=1)
    assert [developer.get(path).status_code for path in paths] == [404] * 3
