"""The index of a log is kept while it grows, and never outlives what it tells of."""

import pytest

from app.models import Job, write
from app.services.jobs import kept_index
from app.services.jobs.kept_index import keep_index, log_index
from app.services.runners import append_trace
from tests.factories import make_job, make_pipeline, make_project


@pytest.fixture
def job(core, monkeypatch) -> Job:
    """Of its log, an index is kept every 1000 bytes."""
    for module in (kept_index, append_trace):
        monkeypatch.setattr(module, "STEP", 1000)
    return make_job(core, make_pipeline(core, make_project(core, "skerry/hello")), status="running")


def _print(core, job, count: int) -> None:
    with write(core.session):
        append_trace.append_note(core, core.session.get_one(Job, job.id), "x" * count)


def _kept_size(core, job) -> int:
    return kept_index._read(core.traces.index(job.id)).size


def test_it_is_kept_as_the_log_arrives_and_made_up_to_date_when_it_is_read(core, job):
    _print(core, job, 500)
    assert core.traces.index(job.id) == b""
    _print(core, job, 500)
    kept = _kept_size(core, job)
    assert kept == job.trace_size > 1000
    _print(core, job, 10)
    index = log_index(core, job.id, job.trace_size)
    assert (index.size, index.lines) == (job.trace_size, 6)
    assert _kept_size(core, job) == kept, "so little more is not worth writing"


def test_a_log_that_has_none_gets_one_when_it_is_first_looked_at(core, job):
    core.traces.append(job.id, 0, b"line\n" * 300)
    assert log_index(core, job.id, 1500).lines == 300
    assert _kept_size(core, job) == 1500


def test_nothing_is_told_of_what_no_longer_counts(core, job):
    core.traces.append(job.id, 0, b"line\n" * 300)
    keep_index(core, job.id, 1500)
    assert log_index(core, job.id, 1100).lines == 220, "the row counts less"
    core.traces.truncate(job.id, 1000)
    core.traces.append(job.id, 1000, b"a longer line\n" * 50)
    assert log_index(core, job.id, 1700).lines == 250, "it was cut, and went on otherwise"
    core.traces.remove(job.id)
    assert core.traces.index(job.id) == b""
    keep_index(core, job.id, 0)
    assert list(core.traces.path(job.id).parent.iterdir()) == [], "nothing is kept of a log that is gone"


def test_a_log_that_lost_its_end_with_the_power_loses_its_index(core, job):
    _print(core, job, 1500)
    core.traces.path(job.id).write_bytes(b"short\n")
    _print(core, job, 100)
    assert core.traces.index(job.id) == b""
    assert log_index(core, job.id, job.trace_size).lines == 3


def test_an_index_that_cannot_be_read_is_made_anew(core, job):
    core.traces.append(job.id, 0, b"line\n" * 300)
    with core.traces.uncut(job.id):
        core.traces.keep_index(job.id, b'{"size": 7}')
    assert log_index(core, job.id, 1500).lines == 300
