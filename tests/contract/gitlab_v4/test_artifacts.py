"""Archives and single files of them."""

import io
import stat
import struct
import zipfile
from datetime import timedelta

import pytest

from app.models import Artifact, Job
from app.services.artifacts import read_artifact
from tests.factories import make_pipeline
from tests.support.gitlab import Api
from tests.support.place import Place, zipped

FILES = {"public/index.html": b"<p>hello</p>", "log.txt": b"x" * 200_000, "a.json": b"{}", "sub/café": b"1"}


@pytest.fixture
def job(place: Place) -> Job:
    """A job with an archive, in a pipeline that passed."""
    place.set(place.pipeline, status="success")
    job = place.job(name="build it", status="success")
    place.archive(job, zipped(FILES))
    return job


def test_an_archive_is_served_whole(api: Api, job: Job) -> None:
    response = api.get(f"/projects/1/jobs/{job.id}/artifacts")
    assert response.status_code == 200
    assert response.data == zipped(FILES)
    assert response.mimetype == "application/zip"
    assert response.headers["Content-Disposition"] == (
        "attachment; filename=\"artifacts.zip\"; filename*=UTF-8''artifacts.zip"
    )
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert int(response.headers["Content-Length"]) == len(response.data)


def test_an_archive_is_served_in_ranges_and_only_when_it_changed(api: Api, job: Job) -> None:
    path, data = f"/projects/1/jobs/{job.id}/artifacts", zipped(FILES)
    tag = api.get(path).headers["ETag"]
    part = api.get(path, headers={"Range": "bytes=10-19"})
    assert (part.status_code, part.data) == (206, data[10:20])
    assert part.headers["Content-Range"] == f"bytes 10-19/{len(data)}"
    rest = api.get(path, headers={"Range": "bytes=100-", "If-Range": tag})
    assert (rest.status_code, rest.data) == (206, data[100:])
    same = api.get(path, headers={"If-None-Match": tag})
    assert (same.status_code, same.data) == (304, b"")
    assert api.get(path, headers={"If-None-Match": '"other"'}).status_code == 200
    assert api.get(path, headers={"Range": f"bytes={len(data)}-"}).status_code == 416
    assert api("HEAD", path).headers["Content-Length"] == str(len(data))


@pytest.mark.parametrize("path", list(FILES))
def test_one_file_is_read_from_the_archive(api: Api, job: Job, path: str) -> None:
    response = api.get(f"/projects/1/jobs/{job.id}/artifacts/{path}")
    assert (response.status_code, response.data) == (200, FILES[path])
    assert response.headers["Content-Disposition"].startswith("attachment; ")
    assert response.headers["Content-Security-Policy"] == "sandbox; default-src 'none'"
    tag = response.headers["ETag"]
    again = api.get(f"/projects/1/jobs/{job.id}/artifacts/{path}", headers={"If-None-Match": tag})
    assert (again.status_code, again.data) == (304, b"")


def test_a_slash_in_a_path_may_be_encoded(api: Api, job: Job) -> None:
    assert api.get(f"/projects/1/jobs/{job.id}/artifacts/public%2Findex.html").data == FILES["public/index.html"]


@pytest.mark.parametrize(
    "path", ["../etc/passwd", "..%2f..%2fetc%2fpasswd", "a/../log.txt", "public/", "./log.txt", "a%5Cb", "a//b"]
)
def test_a_path_with_detours_is_refused(api: Api, job: Job, path: str) -> None:
    response = api.get(f"/projects/1/jobs/{job.id}/artifacts/{path}")
    assert response.status_code == 400
    assert response.json["message"].startswith("400 Bad request")


@pytest.mark.parametrize("path", ["nothing", "public", "LOG.TXT", "%2Fetc%2Fpasswd%00", "a" * 5000])
def test_a_file_that_is_not_there(api: Api, job: Job, path: str) -> None:
    assert api.get(f"/projects/1/jobs/{job.id}/artifacts/{path}").status_code == 404


def test_a_name_cannot_write_headers(api: Api, place: Place) -> None:
    job, name = place.job(), 'x"\r\tSet-Cookie: a=b; ü'
    place.archive(job, zipped({name: b"1"}))
    response = api.get(f"/projects/1/jobs/{job.id}/artifacts/x%22%0D%09Set-Cookie:%20a=b;%20%C3%BC")
    assert (response.status_code, response.data) == (200, b"1")
    assert "Set-Cookie" not in response.headers
    assert response.headers["Content-Disposition"].startswith('attachment; filename="x___Set-Cookie: a=b; _"')


def link(target: str) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        info = zipfile.ZipInfo("link")
        info.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(info, target)
    return buffer.getvalue()


def lying_directory() -> bytes:
    """An archive whose end claims a list of files of 3 GiB."""
    data = bytearray(zipped({"link": b"1"}))
    end = data.rfind(b"PK\x05\x06")
    data[end + 12 : end + 20] = struct.pack("<LL", 3 << 30, 0)
    return bytes(data[:end]) + bytes(data[end:])


def huge_directory() -> bytes:
    """An archive with a list of files larger than any that is read."""
    directory = read_artifact.MAX_DIRECTORY + 1
    end = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 1, 1, directory, 0, 0)
    return b"\0" * directory + end


def encrypted() -> bytes:
    data = bytearray(zipped({"link": b"1"}))
    data[data.rfind(b"PK\x01\x02") + 8] |= 1
    return bytes(data)


@pytest.mark.parametrize(
    "data",
    [
        link("/etc/passwd"),
        b"",
        b"no zip at all",
        zipped({"link": b"1"})[:-10],
        lying_directory(),
        huge_directory(),
        encrypted(),
        zipped({"link": b"1"}, zipfile.ZIP_LZMA),
        zipped({"link": b"1"}, zipfile.ZIP_BZIP2),
        zipped({"link/": b""}),
    ],
    ids=["symlink", "empty", "text", "cut", "lying", "huge", "encrypted", "lzma", "bzip2", "folder"],
)
def test_hostile_archives_are_refused(api: Api, place: Place, data: bytes) -> None:
    job = place.job()
    place.archive(job, data)
    assert api.get(f"/projects/1/jobs/{job.id}/artifacts/link").status_code in (400, 404)
    assert api.get(f"/projects/1/jobs/{job.id}/artifacts").data == data


def test_a_bomb_is_inflated_piece_by_piece(place: Place) -> None:
    job = place.job()
    archive = place.archive(job, zipped({"bomb": b"\0" * (64 << 20)}))
    assert archive.size < 1 << 17
    pieces = iter(read_artifact.open_member(place.core, archive, "bomb"))
    assert {len(next(pieces)) for _ in range(10)} == {read_artifact.PIECE}
    pieces.close()


def test_nothing_of_an_expired_archive_is_served(api: Api, place: Place, job: Job) -> None:
    past = place.core.now() - timedelta(seconds=1)
    place.set(place.core.session.get_one(Artifact, 1), expire_at=past)
    for path in (f"{job.id}/artifacts", f"{job.id}/artifacts/a.json", "artifacts/main/download?job=build it"):
        response = api.get(f"/projects/1/jobs/{path}")
        assert (response.status_code, response.json) == (404, {"message": "404 Not Found"})


def test_bytes_that_are_gone_are_not_found(api: Api, place: Place, job: Job) -> None:
    place.core.artifacts.remove(place.core.session.get_one(Artifact, 1).storage_key)
    assert api.get(f"/projects/1/jobs/{job.id}/artifacts").status_code == 404
    assert api.get(f"/projects/1/jobs/{job.id}/artifacts/a.json").status_code == 404


@pytest.mark.parametrize("spelling", ["feature/x", "feature%2Fx"])
def test_a_refs_latest_artifacts(api: Api, place: Place, spelling: str) -> None:
    for number, status in enumerate(("success", "success", "failed")):
        place.pipeline = make_pipeline(place.core, place.project, ref="feature/x", status=status)
        job = place.job(name="build", status="success")
        place.archive(job, zipped({"n": b"%d" % number}))
    base = f"/projects/1/jobs/artifacts/{spelling}"
    assert api.get(f"{base}/download?job=build").data == zipped({"n": b"1"})
    assert api.get(f"{base}/raw/n?job=build").data == b"1"
    assert api.get(f"{base}/download?job=other").status_code == 404
    assert api.get(f"{base}/raw/m?job=build").status_code == 404
    assert api.get("/projects/1/jobs/artifacts/HEAD/download?job=build").status_code == 404


def test_only_the_newest_passed_pipeline_counts(api: Api, place: Place, job: Job) -> None:
    """An older archive is not served in its place."""
    make_pipeline(place.core, place.project, status="success")
    assert api.get("/projects/1/jobs/artifacts/main/download?job=build%20it").status_code == 404


def test_a_job_that_failed_may_have_latest_artifacts(api: Api, place: Place) -> None:
    place.set(place.pipeline, status="success")
    old = place.job(name="lint", status="failed", allow_failure=True, retried=True)
    place.archive(old, zipped({"n": b"old"}))
    new = place.job(name="lint", status="failed", allow_failure=True)
    place.archive(new, zipped({"n": b"new"}))
    assert api.get("/projects/1/jobs/artifacts/main/raw/n?job=lint").data == b"new"


def test_keeping_artifacts(api: Api, place: Place, job: Job) -> None:
    place.set(place.core.session.get_one(Artifact, 1), expire_at=place.core.now() + timedelta(days=1))
    place.set(job, artifacts_expire_at=place.core.now() + timedelta(days=1))
    response = api.post(f"/projects/1/jobs/{job.id}/artifacts/keep")
    assert (response.status_code, response.json["artifacts_expire_at"]) == (200, None)
    assert place.core.session.get_one(Artifact, 1).expire_at is None
    assert api.post(f"/projects/1/jobs/{place.job().id}/artifacts/keep").status_code == 404


def test_deleting_artifacts_leaves_the_log(api: Api, place: Place, job: Job) -> None:
    place.log(job, b"log")
    key = place.core.session.get_one(Artifact, 1).storage_key
    response = api.delete(f"/projects/1/jobs/{job.id}/artifacts")
    assert (response.status_code, response.data) == (204, b"")
    assert api.get(f"/projects/1/jobs/{job.id}").json["artifacts_file"] is None
    assert api.get(f"/projects/1/jobs/{job.id}/trace").data == b"log"
    with pytest.raises(FileNotFoundError):
        place.core.artifacts.open(key)


def test_a_jobs_token_downloads_what_its_project_has(api: Api, place: Place, job: Job) -> None:
    token = place.job_token(place.job(status="running"))
    for path in (f"{job.id}/artifacts", "artifacts/main/download?job=build it"):
        assert api.get(f"/projects/1/jobs/{path}", token=None, headers={"JOB-TOKEN": token}).status_code == 200
