"""Why a job failed: where in its log, and who may know."""

import pytest

from app.domain.permissions import Role
from app.models import CiVariable, JobStep, write
from app.services.jobs import explain_failure as explaining
from app.services.jobs.explain_failure import explain_failure, explain_failures
from tests.factories import make_job, make_member, make_pipeline, make_project, make_user, print_trace

SCRIPT = b"heading\n"
OUTPUT = b"".join(b"line %d\n" % number for number in range(1, 31))
AFTER = b"section_start:9:after_script\r\x1b[0KRunning\n" + b"noise\n" * 50_000


@pytest.fixture
def failed(core):
    """A failed job of a private project, whose runner told the steps; long work came after the failure."""
    project = make_project(core, "skerry/hello", visibility="private")
    job = make_job(core, make_pipeline(core, project), name="unit", status="failed", failure_reason="script_failure")
    print_trace(core, job.id, SCRIPT + OUTPUT + AFTER)
    with write(core.session):
        step = core.session.query(JobStep).filter_by(job_id=job.id).one()
        step.status, step.exit_code = "failed", 2
        step.trace_start, step.trace_end = len(SCRIPT), len(SCRIPT + OUTPUT)
    make_member(core, make_user(core, "reporter"), project, Role.REPORTER)
    return job


def _user(core, name):
    from app.models import User

    return core.session.query(User).filter_by(username=name).one()


def test_the_failed_step_is_found_however_much_comes_after_it(core, failed):
    failure = explain_failure(core, failed, _user(core, "reporter"))
    assert failure.step.exit_code == 2
    assert failure.ending.lines == tuple(f"line {number}" for number in range(21, 31))
    lines = (SCRIPT + OUTPUT + AFTER).count(b"\n")
    assert lines - failure.ending.first + 1 == 1 + 21, "the number of its line in the whole log"


def test_lines_are_not_counted_for_ever(core, failed, monkeypatch):
    monkeypatch.setattr(explaining, "_COUNTED", 1000)
    assert explain_failure(core, failed, _user(core, "reporter")).ending.first == 0


def test_without_steps_the_end_of_the_log_tells(core, failed):
    with write(core.session):
        step = core.session.query(JobStep).filter_by(job_id=failed.id).one()
        step.trace_start = step.trace_end = None
        core.session.get_one(type(failed), failed.id).trace_size = len(SCRIPT + OUTPUT)
    assert explain_failure(core, failed, _user(core, "reporter")).ending.lines[-1] == "line 30"


def test_whoever_may_not_read_the_log_is_shown_none_of_it(core, failed):
    assert explain_failure(core, failed, None).ending is None
    with write(core.session):
        row = CiVariable(project_id=failed.project_id, key="CI_DEBUG_TRACE", created_at=core.now())
        row.value_sealed = core.box.seal("true", row.seal_context)
        core.session.add(row)
    assert explain_failure(core, failed, _user(core, "reporter")).ending is None


def test_only_jobs_that_failed_and_had_to_pass_are_explained_and_only_the_first(core, failed):
    pipeline, reporter = failed.pipeline, _user(core, "reporter")
    others = [make_job(core, pipeline, status="failed") for _ in range(3)]
    rest = [make_job(core, pipeline, status="failed", allow_failure=True), make_job(core, pipeline, status="success")]
    found = explain_failures(core, [*rest, failed, *others], reporter)
    assert list(found) == [failed.id, others[0].id, others[1].id]
    assert explain_failure(core, rest[1], reporter) is None
