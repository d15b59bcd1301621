"""When the parts of a log came is noted as they come."""

from datetime import UTC, datetime, timedelta

from app.models import write
from app.services.jobs.log_times import log_times
from app.services.runners.append_trace import append_note, restart_trace
from tests.factories import make_job, make_pipeline, make_project

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def test_every_piece_has_its_time_and_a_log_that_begins_anew_has_new_ones(core):
    job = make_job(core, make_pipeline(core, make_project(core)), status="running")
    for number in range(3):
        object.__setattr__(core, "now", lambda later=number: NOW + timedelta(minutes=later))
        with write(core.session):
            append_note(core, job, f"note {number}")
    size, start = job.trace_size // 3, NOW.timestamp()
    assert log_times(core, job.id) == [(0, start), (size, start + 60), (2 * size, start + 120)]
    assert log_times(core, job.id, 2 * size + 1) == [(2 * size, start + 120)]
    with write(core.session):
        restart_trace(job)
        append_note(core, job, "again")
    assert log_times(core, job.id) == [(0, start + 120)]
