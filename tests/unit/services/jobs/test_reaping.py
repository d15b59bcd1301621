"""What goes quiet ends with a reason; what is due starts (design, "Lease"; gitlab.md A.5, "clean-up")."""

from datetime import timedelta

import pytest
from sqlalchemy import delete

from app.domain import failure, junit
from app.domain.plan import RetryPolicy
from app.models import Artifact, Job, JunitReport, Pipeline, write
from app.services.jobs import reap_jobs as reaper
from app.services.jobs.explain_waiting import explain_waiting
from app.services.jobs.reap_jobs import reap_jobs
from app.services.reports.read_report import ReadReport, keep_report
from app.services.reports.show_tests import suites_of
from app.services.runners.append_trace import append_trace
from app.services.runners.claim_job import claim_job
from app.services.runners.job_authority import NotProcessing
from app.services.runners.report_job import Report, report_job
from tests.support.world import plan


@pytest.fixture
def runner(world):
    return world.runner(tags=["t"])


def claim(core, runner):
    claimed = claim_job(core, runner.id, runner.managers[0].id, frozenset())
    assert claimed is not None
    return claimed


def heard(core, claimed):
    report_job(core, claimed.job_id, claimed.token, Report("running"))


def test_a_claim_that_was_never_heard_of_goes_back_with_a_new_token(core, world, clock, runner):
    job = world.job()
    first = claim(core, runner)
    clock.pass_seconds(59)
    reap_jobs(core)
    assert world.read(job).status == "running"
    clock.pass_seconds(2)
    reap_jobs(core)
    back = world.read(job)
    assert (back.status, back.runner_id, back.token_hash, back.started_at) == ("pending", None, None, None)
    assert back.waiting_reason
    with pytest.raises(NotProcessing):
        heard(core, first)
    second = claim(core, runner)
    assert (second.job_id, second.token != first.token) == (first.job_id, True)
    heard(core, second)


def test_a_runner_that_went_quiet_loses_its_job(core, world, clock, runner):
    job = world.job()
    claimed = claim(core, runner)
    heard(core, claimed)
    clock.pass_seconds(179)
    reap_jobs(core)
    append_trace(core, job.id, claimed.token, 0, b"alive")
    clock.pass_seconds(179)
    reap_jobs(core)
    assert world.read(job).status == "running"
    clock.pass_seconds(2)
    reap_jobs(core)
    lost = world.read(job)
    assert (lost.status, lost.failure_reason) == ("failed", "runner_system_failure")
    assert lost.failure_message == "The runner was not heard of for 180 seconds."
    with pytest.raises(NotProcessing):
        append_trace(core, job.id, claimed.token, 5, b"late")


def test_a_lost_job_is_retried_by_its_policy(core, world, clock, runner):
    pipeline = world.pipeline(jobs=[plan("a", retry=RetryPolicy(1, ("runner_system_failure",)))])
    heard(core, claim(core, runner))
    clock.pass_seconds(181)
    reap_jobs(core)
    again = world.jobs(pipeline)["a"]
    assert (again.status, again.attempt) == ("pending", 2)


def test_a_canceling_job_whose_runner_is_quiet_is_canceled(core, world, clock, runner):
    job = world.job()
    heard(core, claim(core, runner))
    with write(core.session):
        core.session.get_one(Job, job.id).status = "canceling"
    clock.pass_seconds(181)
    reap_jobs(core)
    assert world.read(job).status == "canceled"


def test_a_delayed_job_starts_when_its_time_has_come(core, world, clock):
    job = world.job(when="delayed", start_in=30)
    clock.pass_seconds(29)
    reap_jobs(core)
    assert world.read(job).status == "scheduled"
    clock.pass_seconds(1)
    reap_jobs(core)
    started = world.read(job)
    assert (started.status, started.queued_at, started.scheduled_at) == ("pending", core.now(), None)


@pytest.mark.parametrize(("maximum", "limit"), [(None, 3600), (600, 600)])
def test_a_job_far_beyond_its_timeout_is_ended(core, world, clock, maximum, limit):
    runner = world.runner(maximum_timeout=maximum)
    job = world.job()
    claimed = claim(core, runner)
    spent = 0
    while spent < limit + 15 * 60:
        heard(core, claimed)
        reap_jobs(core)
        assert world.read(job).status == "running"
        clock.pass_seconds(100)
        spent += 100
    heard(core, claimed)
    clock.pass_seconds(1)
    reap_jobs(core)
    ended = world.read(job)
    assert (ended.status, ended.failure_reason) == ("failed", failure.SERVER_TIMEOUT_RUNNING)


def test_a_job_that_no_runner_can_take_fails_after_an_hour(core, world, clock):
    job = world.job(tags=("moon",))
    clock.pass_seconds(3599)
    reap_jobs(core)
    assert world.read(job).status == "pending"
    clock.pass_seconds(2)
    reap_jobs(core)
    failed = world.read(job)
    assert (failed.status, failed.failure_reason) == ("failed", failure.STUCK_PENDING_NO_MATCHING_RUNNERS)
    assert failed.failure_message == "No runner serves this project yet."


def test_a_job_that_a_busy_runner_could_take_has_a_day(core, world, clock):
    runner = world.runner()
    job = world.job()

    def stay_online():
        with write(core.session):
            core.session.get_one(type(runner), runner.id).contacted_at = core.now()

    clock.pass_seconds(86_000)
    stay_online()
    reap_jobs(core)
    assert world.read(job).status == "pending"
    clock.pass_seconds(401)
    stay_online()
    reap_jobs(core)
    assert world.read(job).failure_reason == failure.STUCK_PENDING_WITH_MATCHING_RUNNERS


def test_a_job_that_every_online_runner_is_too_old_for_fails_after_an_hour_and_says_why(core, world, clock):
    runner = world.runner(features={"refspecs": True})
    job = world.job()
    with write(core.session):
        core.session.get_one(Job, job.id).required_features = ["fallback_cache_keys"]
    clock.pass_seconds(3601)
    with write(core.session):
        held = core.session.get_one(type(runner), runner.id)
        held.contacted_at = held.managers[0].contacted_at = core.now()
    assert claim_job(core, runner.id, runner.managers[0].id, frozenset({"refspecs"})) is None
    explain_waiting(core)
    reap_jobs(core)
    failed = world.read(job)
    assert (failed.status, failed.failure_reason) == ("failed", failure.RUNNER_UNSUPPORTED)
    assert failed.failure_message.endswith("can do what the job needs: fallback_cache_keys.")


def test_expired_artifacts_go_and_the_job_remembers_it(core, world, clock):
    job = world.job()
    keys = []
    for file_type, hours in (("archive", 1), ("junit", 2)):
        with core.artifacts.receive(100) as incoming:
            incoming.write(b"x")
            stored = incoming.keep()
        keys.append(stored.key)
        with write(core.session):
            expires = core.now() + timedelta(hours=hours)
            core.session.add(
                Artifact(
                    job_id=job.id,
                    project_id=job.project_id,
                    file_type=file_type,
                    file_format="zip",
                    filename="x",
                    size=1,
                    sha256=stored.sha256,
                    storage_key=stored.key,
                    created_at=core.now(),
                    expire_at=expires,
                )
            )
            core.session.get_one(Job, job.id).artifacts_expire_at = expires
    clock.pass_seconds(3600)
    reap_jobs(core)
    left = world.read(job)
    assert [artifact.file_type for artifact in left.artifacts] == ["junit"]
    assert left.artifacts_expire_at is not None
    with pytest.raises(FileNotFoundError):
        core.artifacts.open(keys[0])
    core.artifacts.open(keys[1]).close()


def test_the_tests_of_a_report_go_with_it_their_figures_with_the_pipeline(core, world, clock):
    job = world.job()
    case = junit.Case(status=junit.FAILED, name="a")
    with write(core.session):
        keep_report(core, core.session.get_one(Job, job.id), ReadReport("junit", cases=[case]))
        core.session.add(
            Artifact(
                job_id=job.id,
                project_id=job.project_id,
                file_type="junit",
                file_format="gzip",
                filename="x",
                size=0,
                sha256="",
                storage_key="aa/1",
                created_at=core.now(),
                expire_at=core.now(),
            )
        )
    reap_jobs(core)
    (shown,) = suites_of(core, world.read(job).pipeline, with_cases=True)
    assert (shown.counts["failed"], shown.cases) == (1, [])
    with write(core.session):
        core.session.execute(delete(Pipeline))
    assert core.session.query(JunitReport).count() == 0


def test_many_expired_artifacts_go_in_one_round(core, world, clock, monkeypatch):
    monkeypatch.setattr(reaper, "BATCH", 3)
    job = world.job()
    with write(core.session):
        for number in range(8):
            core.session.add(
                Artifact(
                    job_id=job.id,
                    project_id=job.project_id,
                    file_type=f"t{number}",
                    file_format="raw",
                    filename="x",
                    size=0,
                    sha256="",
                    storage_key=f"aa/{number}",
                    created_at=core.now(),
                    expire_at=core.now(),
                )
            )
    reap_jobs(core)
    assert core.session.query(Artifact).count() == 0


def test_a_stopping_server_reaps_no_more(core, world, clock, runner):
    job = world.job()
    claim(core, runner)
    clock.pass_seconds(100)
    core.bus.stop()
    reap_jobs(core)
    assert world.read(job).status == "running"
