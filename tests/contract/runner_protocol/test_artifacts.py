"""Artifacts go up and down as gitlab.md A.6 says."""

import errno
import hashlib
import socket

import pytest

from app.http import middleware
from app.models import Artifact, Job, write
from tests.support.world import plan


@pytest.fixture
def running(world, project, stock):
    world.pipeline(project, [plan("a"), plan("t", "test")])
    return stock.take()


@pytest.fixture
def dependent(running, stock):
    """A running job that depends on one with the archive `b"0123456789"`."""
    assert running.upload(b"0123456789", name="out.zip").status_code == 201
    running.finish()
    return stock.take()


def incoming(core):
    folder = core.data_dir / "artifacts" / "incoming"
    return list(folder.iterdir()) if folder.exists() else []


def stored(core):
    return [path for path in (core.data_dir / "artifacts").rglob("*") if path.is_file()]


def test_an_archive_is_stored_as_it_came(core, running):
    data = bytes(range(256)) * 5000
    pieces = (data[start : start + 7777] for start in range(0, len(data), 7777))
    answer = running.upload(pieces, name="out.zip", expire_in="1 week", artifact_format="zip")
    assert answer.status_code == 201
    artifact = core.session.query(Artifact).one()
    assert (artifact.size, artifact.sha256) == (len(data), hashlib.sha256(data).hexdigest())
    assert (artifact.filename, artifact.file_type, artifact.file_format) == ("out.zip", "archive", "zip")
    assert (artifact.expire_at - artifact.created_at).days == 7
    assert artifact.job.artifacts_expire_at == artifact.expire_at
    with core.artifacts.open(artifact.storage_key) as file:
        assert file.read() == data
    assert incoming(core) == []


@pytest.mark.parametrize(("given", "days"), [({}, 30), ({"expire_in": "never"}, None), ({"expire_in": "2 days"}, 2)])
def test_expiry(core, running, given, days):
    running.upload(b"x", **given)
    artifact = core.session.query(Artifact).one()
    assert (artifact.expire_at and (artifact.expire_at - artifact.created_at).days) == days


def test_the_same_file_again_is_fine_and_another_is_not(core, running):
    assert running.upload(b"one").status_code == 201
    assert running.upload(b"one").status_code == 201
    other = running.upload(b"two")
    assert (other.status_code, other.json()) == (400, {"message": "another artifact of the same type already exists"})
    assert running.upload(b"report", artifact_type="junit", artifact_format="gzip").status_code == 201
    assert len(stored(core)) == 2


@pytest.mark.parametrize("query", [{"artifact_type": "x"}, {"artifact_format": "x"}, {"expire_in": "soon"}])
def test_what_makes_no_sense_is_refused(core, running, query):
    assert running.upload(b"x", **query).status_code == 400
    assert stored(core) == []


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("../../etc/passwd", "passwd"),
        ("..\\\\x.zip", "x.zip"),
        ("a\x01b.zip", "ab.zip"),
        ("..", "artifacts.zip"),
        ("", "artifacts.zip"),
        ("é" * 300 + ".zip", "é" * 200),
    ],
)
def test_a_files_name_is_only_a_name(core, running, given, kept):
    assert running.upload(b"x", name=given).status_code == 201
    assert core.session.query(Artifact).one().filename == kept


class TestLimit:
    @pytest.fixture
    def settings(self):
        return {"artifact_limit": 100_000}

    def test_a_file_beyond_the_limit_is_refused(self, core, running):
        answer = running.upload(b"x" * 100_001)
        assert answer.status_code == 413
        assert answer.json()["message"].startswith("413 Request Entity Too Large")
        assert stored(core) == []
        assert running.upload(b"x" * 100_000).status_code == 201


def send_raw(server, running, body, headers):
    host, port = server.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=10) as connection:
        head = f"POST /api/v4/jobs/{running.id}/artifacts HTTP/1.1\r\nHost: x\r\nJOB-TOKEN: {running.token}\r\n"
        connection.sendall(head.encode() + headers + b"\r\n" + body)
        connection.shutdown(socket.SHUT_WR)
        return connection.makefile("rb").read()


PART = b'--B\r\nContent-Disposition: form-data; name="file"; filename="a.zip"\r\n\r\n'
FORM = b"Content-Type: multipart/form-data; boundary=B\r\n"


@pytest.mark.parametrize(
    ("headers", "body"),
    [
        (FORM + b"Content-Length: 100000\r\n", PART + b"x" * 500),
        (FORM + b"Content-Length: 8\r\n", b"no parts"),
        (FORM + b"Content-Length: 0\r\n", b""),
        (b"Content-Length: 5\r\n", b"plain"),
        (b"Content-Type: multipart/form-data\r\nContent-Length: 5\r\n", b"plain"),
    ],
)
def test_an_upload_that_is_cut_off_leaves_nothing(core, server, running, headers, body):
    answer = send_raw(server, running, body, headers)
    assert answer == b"" or answer.split()[1] == b"400"
    assert stored(core) == []
    assert running.upload(b"whole").status_code == 201


def test_an_upload_needs_exactly_one_file(core, server, running):
    second = b'\r\n--B\r\nContent-Disposition: form-data; name="metadata"; filename="m"\r\n\r\nxx'
    body = PART + b"data" + second + b"\r\n--B--\r\n"
    answer = send_raw(server, running, body, FORM + b"Content-Length: %d\r\nConnection: close\r\n" % len(body))
    assert answer.split()[1] == b"400"
    assert stored(core) == []


def test_what_looks_like_a_boundary_is_kept_as_it_came(core, server, running):
    content = (bytes(range(256)) * 700 + b"\r\n--b--B\n--B\r--B--\r\n-" + bytes(range(255, -1, -1)) * 700) * 2
    fields = b"".join(
        b'--B\r\nContent-Disposition: form-data; name="expire_in"\r\n\r\n%b\r\n' % value
        for value in (b"2 days", b"soon")
    )
    body = fields + PART + content + b"\r\n--B--\r\n"
    answer = send_raw(server, running, body, FORM + b"Content-Length: %d\r\nConnection: close\r\n" % len(body))
    assert answer.split()[1] == b"201", "of two fields of one name the first counts"
    artifact = core.session.query(Artifact).one()
    assert core.artifacts.path(artifact.storage_key).read_bytes() == content


@pytest.mark.parametrize(("length", "parts", "status"), [(1 << 20, 1, b"201"), (1 << 20, 2, b"413"), (1, 100, b"400")])
def test_a_form_holds_so_much_beside_its_file(server, running, length, parts, status):
    field = b'--B\r\nContent-Disposition: form-data; name="x"\r\n\r\n%b\r\n' % (b"x" * length)
    body = PART + b"data\r\n" + field * parts + b"--B--\r\n"
    answer = send_raw(server, running, body, FORM + b"Content-Length: %d\r\nConnection: close\r\n" % len(body))
    assert answer.split()[1] == status


def test_what_is_said_of_a_file_may_be_in_the_form(core, running):
    def send(**fields):
        url, headers = f"{running.runner.api}/jobs/{running.id}/artifacts", {"JOB-TOKEN": running.token}
        return running.runner.http.post(
            url, files={"file": ("d.bin", b"data")}, data=fields, headers=headers, timeout=10
        ).status_code

    for wrong in ({"artifact_type": "x"}, {"artifact_format": "x"}, {"expire_in": "soon"}):
        assert send(**wrong) == 400
    assert stored(core) == []
    assert send(artifact_type="lsif", artifact_format="raw", expire_in="2 days") == 201
    artifact = core.session.query(Artifact).one()
    assert (artifact.file_type, artifact.file_format, artifact.filename) == ("lsif", "raw", "d.bin")
    assert (artifact.expire_at - artifact.created_at).days == 2


def test_a_full_disk_is_a_reason_to_try_again(core, running, monkeypatch):
    from app.storage.files import _IncomingFile

    def full(self, data):
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(_IncomingFile, "_write_all", full)
        assert running.upload(b"x").status_code == 503
    assert stored(core) == []
    assert running.upload(b"x").status_code == 201


def test_a_job_that_has_ended_uploads_nothing(core, running):
    running.finish()
    answer = running.upload(b"x")
    assert (answer.status_code, answer.headers["Job-Status"]) == (403, "success")
    assert stored(core) == []


def test_a_job_that_ends_during_its_upload_keeps_nothing(core, running):
    def body():
        yield b"first half"
        running.runner.http.__class__()  # another connection finishes the job meanwhile
        import requests

        finished = requests.put(
            f"{running.runner.api}/jobs/{running.id}", json={"token": running.token, "state": "success"}, timeout=10
        )
        assert finished.status_code == 200
        yield b"second half"

    assert running.upload(body()).status_code == 403
    assert stored(core) == []


def test_a_long_upload_keeps_the_lease(core, running, monkeypatch):
    from app.api.gitlab_v4.runner import upload

    monkeypatch.setattr(upload, "RENEW_EVERY", 0.0)

    def body():
        yield b"x" * 100_000
        with write(core.session):
            core.session.get_one(Job, running.id).lease_expires_at = core.now()
        yield b"x" * 1_000_000
        core.session.rollback()
        yield b"x" * 1_000_000

    assert running.upload(body()).status_code == 201


def test_a_job_downloads_what_it_depends_on(dependent, running):
    answer = dependent.download(running.id)
    assert (answer.status_code, answer.content) == (200, b"0123456789")
    assert "filename=out.zip" in answer.headers["Content-Disposition"]
    assert answer.headers["Content-Length"] == "10"


def test_parts_of_an_archive(dependent, running):
    part = dependent.download(running.id, Range="bytes=2-4")
    assert (part.status_code, part.content, part.headers["Content-Range"]) == (206, b"234", "bytes 2-4/10")
    etag = part.headers["ETag"]
    assert dependent.download(running.id, If_None_Match=etag).status_code == 304


def test_downloads_are_for_running_jobs_that_depend(core, make_stock, dependent, running, world, project):
    assert dependent.download(running.id, token="glcbt-no").status_code == 403
    assert dependent.download(running.id, token=running.token).status_code == 403
    assert dependent.download(dependent.id).status_code == 404
    assert dependent.download(10**6).status_code == 404
    world.job(project)
    stranger = make_stock().take()
    assert stranger.download(running.id).status_code == 404
    with write(core.session):
        core.session.query(Artifact).one().expire_at = core.now()
    assert dependent.download(running.id).status_code == 404


def test_bytes_that_are_lost_are_not_found(core, dependent, running):
    core.artifacts.remove(core.session.query(Artifact).one().storage_key)
    assert dependent.download(running.id).status_code == 404


@pytest.mark.parametrize("path", ["artifacts", "trace"])
def test_a_client_that_falls_silent_is_let_go(core, server, running, monkeypatch, path):
    monkeypatch.setattr(middleware, "SILENCE", 0.3)
    method, more = ("POST", FORM) if path == "artifacts" else ("PATCH", b"Content-Range: 0-99999\r\n")
    head = f"{method} /api/v4/jobs/{running.id}/{path} HTTP/1.1\r\nHost: x\r\nJOB-TOKEN: {running.token}\r\n".encode()
    host, _, port = server.url.removeprefix("http://").partition(":")
    with socket.create_connection((host, int(port)), timeout=10) as connection:
        connection.sendall(head + more + b"Content-Length: 100000\r\n\r\n" + PART)
        answer = connection.makefile("rb").read()
    assert answer == b"" or answer.split()[1] == b"400"
    assert stored(core) == []
    assert running.print(b"still at work").status_code == 202
