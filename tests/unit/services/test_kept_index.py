"""The index of a log is kept while it grows, and never outlives what it tells of."""

import os

import pytest

from app import crypto
from app.background.tasks import sweep_uploads
from app.models import Job, write
from app.services.core import Core
from app.services.jobs import kept_index
from app.services.jobs.kept_index import keep_index, log_index
from app.services.jobs.log_end import attempt, row_end
from app.services.runners import append_trace
from tests.factories import make_job, make_pipeline, make_project, print_trace

TOKEN = "glcbt-of-the-job"


@pytest.fixture
def job(core: Core, monkeypatch: pytest.MonkeyPatch) -> Job:
    """Of its log, an index is kept every 1000 bytes."""
    for module in (kept_index, append_trace):
        monkeypatch.setattr(module, "STEP", 1000)
    pipeline = make_pipeline(core, make_project(core, "skerry/hello"))
    return make_job(core, pipeline, status="running", token_hash=crypto.token_hash(TOKEN))


def _send(core: Core, job: Job, data: bytes) -> None:
    sent = append_trace.append_trace(core, job.id, TOKEN, core.traces.size(job.id), data)
    assert sent.accepted


def _kept_size(core: Core, job: Job) -> int:
    return kept_index._read(core.traces.index(job.id)).size


def test_it_is_kept_as_the_log_arrives_and_made_up_to_date_when_it_is_read(core, job):
    _send(core, job, b"line\n" * 100)
    assert core.traces.index(job.id) == b""
    _send(core, job, b"line\n" * 110)
    assert _kept_size(core, job) == 1050
    _send(core, job, b"line\n")
    index = log_index(core, job)
    assert (index.size, index.lines) == (1055, 211)
    assert _kept_size(core, job) == 1050, "so little more is not worth writing"


def test_a_log_that_has_none_gets_one_when_it_is_first_looked_at(core, job):
    print_trace(core, job.id, b"line\n" * 300)
    assert log_index(core, job).lines == 300
    assert _kept_size(core, job) == 1500


def test_an_attempt_that_begins_anew_is_told_nothing_of_the_one_before(core, job):
    print_trace(core, job.id, b"line\n" * 300)
    keep_index(core, job)
    with write(core.session):
        append_trace.restart_trace(core.session.get_one(Job, job.id))
    assert log_index(core, job).lines == 0, "nothing of the file counts, though it is still there"
    print_trace(core, job.id, b"a longer line\n" * 150)
    assert core.traces.index(job.id) == b"", "cut, and on the way to another content"
    assert log_index(core, job).lines == 150


def test_a_log_that_is_replaced_or_removed_takes_its_index_along(core, job):
    print_trace(core, job.id, b"line\n" * 300)
    keep_index(core, job)
    with core.traces.hold(job.id, attempt(job), row_end(job)) as held:
        held.restart()
        assert core.traces.index(job.id) == b""
        held.append(b"line\n" * 300, 1.0)
    keep_index(core, job)
    core.traces.remove(job.id)
    keep_index(core, job)
    assert list(core.traces.path(job.id).parent.iterdir()) == [], "nothing is kept of a log that is gone"


def test_a_log_that_lost_its_end_with_the_power_loses_its_index(core, job):
    print_trace(core, job.id, b"line\n" * 300)
    keep_index(core, job)
    core.traces.path(job.id).write_bytes(b"short\n")
    print_trace(core, job.id, b"more\n" * 300)
    assert core.traces.index(job.id) == b""
    assert log_index(core, job).lines == 301


def test_an_index_that_cannot_be_read_is_made_anew(core, job):
    print_trace(core, job.id, b"line\n" * 300)
    with core.traces.uncut(job.id):
        core.traces.keep_index(job.id, b'{"size": 7}')
    assert log_index(core, job).lines == 300


def test_what_a_killed_server_left_unfinished_is_swept_by_the_loop(core, job, monkeypatch):
    print_trace(core, job.id, b"line\n" * 300)

    def killed(*_given):
        raise KeyboardInterrupt

    with monkeypatch.context() as broken, pytest.raises(KeyboardInterrupt):
        broken.setattr("pathlib.Path.rename", killed)
        keep_index(core, job)

    def left():
        found = [path for path in core.traces.path(job.id).parents[1].rglob("*") if path.is_file()]
        return [path for path in found if path.suffix not in (".log", ".times")]

    files = left()
    assert len(files) == 1
    sweep_uploads(core)
    assert files[0].exists(), "somebody may be at work on it"
    os.utime(files[0], (0, 0))
    sweep_uploads(core)
    keep_index(core, job)
    assert [path.name for path in left()] == [f"{job.id}.index"]
