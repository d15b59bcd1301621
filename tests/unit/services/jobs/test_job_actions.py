"""What people do to jobs and pipelines: play, retry, cancel, erase, keep; and what follows by itself."""

from datetime import timedelta

import pytest

from app.domain import failure, status
from app.domain.errors import NotAllowed, NotErasable, NotFound, NotPlayable, NotRetryable
from app.domain.permissions import Role
from app.domain.plan import RetryPolicy, Variable
from app.models import Artifact, Job, Pipeline, write
from app.services.artifacts.keep_artifacts import keep_artifacts
from app.services.jobs.cancel_job import cancel_job
from app.services.jobs.erase_job import erase_job
from app.services.jobs.finish_job import finish
from app.services.jobs.play_job import play_job
from app.services.jobs.queue import current_tick
from app.services.jobs.retry_job import retry_job
from app.services.locks import lock_job
from app.services.pipelines.cancel_pipeline import cancel_pipeline
from app.services.pipelines.retry_pipeline import retry_pipeline
from tests.factories import print_trace
from tests.support.world import plan


@pytest.fixture
def project(world):
    return world.project()


@pytest.fixture
def user(world, project):
    return world.user(project)


def run(core, job):
    """Let `job` run, as a claim does."""
    with write(core.session):
        held = lock_job(core, job.id)
        held.status, held.started_at = status.RUNNING, core.now()


def end(core, job, new_status=status.SUCCESS, **details):
    with write(core.session):
        finish(core, lock_job(core, job.id), new_status, **details)


def test_jobs_start_when_the_stages_before_them_are_done(core, world, project):
    pipeline = world.pipeline(project, [plan("b"), plan("t", "test"), plan("d", "deploy")])
    assert world.statuses(pipeline) == {"b": "pending", "t": "created", "d": "created"}
    end(core, world.jobs(pipeline)["b"])
    assert world.statuses(pipeline) == {"b": "success", "t": "pending", "d": "created"}
    end(core, world.jobs(pipeline)["t"], status.FAILED, reason=failure.SCRIPT_FAILURE, exit_code=3)
    assert world.statuses(pipeline) == {"b": "success", "t": "failed", "d": "skipped"}
    ended = core.session.get(Pipeline, pipeline.id)
    assert (ended.status, ended.finished_at) == ("failed", core.now())


def test_a_job_with_needs_starts_before_its_stage(core, world, project):
    pipeline = world.pipeline(project, [plan("a"), plan("slow"), plan("t", "test", needs=["a"])])
    end(core, world.jobs(pipeline)["a"])
    assert world.statuses(pipeline) == {"a": "success", "slow": "pending", "t": "pending"}


def test_becoming_pending_ticks_the_queue_once_and_says_why_the_job_waits(core, world, project):
    before = current_tick(core)
    pipeline = world.pipeline(project, [plan("a"), plan("b", tags=("gpu", "arm"))])
    assert current_tick(core) == before + 1
    jobs = world.jobs(pipeline)
    assert jobs["a"].waiting_reason == "No runner serves this project yet."
    assert jobs["a"].queued_at == core.now()


def test_a_delayed_job_is_scheduled_for_its_time(core, world, project):
    pipeline = world.pipeline(project, [plan("a", when="delayed", start_in=90)])
    job = world.jobs(pipeline)["a"]
    assert (job.status, job.scheduled_at) == ("scheduled", core.now() + timedelta(seconds=90))


def test_a_failed_job_is_retried_by_its_policy_and_no_further(core, world, project):
    policy = RetryPolicy(max=1, when=("runner_system_failure",))
    pipeline = world.pipeline(project, [plan("a", retry=policy), plan("t", "test")])
    first = world.jobs(pipeline)["a"]
    end(core, first, status.FAILED, reason=failure.RUNNER_SYSTEM_FAILURE)
    second = world.jobs(pipeline)["a"]
    assert second.id != first.id
    assert (second.status, second.attempt, [step.name for step in second.steps]) == ("pending", 2, ["script"])
    assert core.session.get(Job, first.id).retried
    assert world.statuses(pipeline)["t"] == "created"
    end(core, second, status.FAILED, reason=failure.RUNNER_SYSTEM_FAILURE)
    assert world.statuses(pipeline) == {"a": "failed", "t": "skipped"}


def test_a_script_failure_is_not_retried_by_a_policy_for_runners(core, world, project):
    policy = RetryPolicy(max=2, when=("runner_system_failure",))
    pipeline = world.pipeline(project, [plan("a", retry=policy)])
    end(core, world.jobs(pipeline)["a"], status.FAILED, reason=failure.SCRIPT_FAILURE, exit_code=1)
    assert world.statuses(pipeline) == {"a": "failed"}


def test_an_allowed_exit_code_lets_the_pipeline_pass(core, world, project):
    pipeline = world.pipeline(project, [plan("a", allow_failure_exit_codes=(42,)), plan("t", "test")])
    end(core, world.jobs(pipeline)["a"], status.FAILED, reason=failure.SCRIPT_FAILURE, exit_code=42)
    assert world.statuses(pipeline) == {"a": "failed", "t": "pending"}
    end(core, world.jobs(pipeline)["t"])
    assert core.session.get(Pipeline, pipeline.id).status == "success"


def test_the_first_end_of_a_job_stands(core, world, project):
    job = world.job(project)
    end(core, job, status.FAILED, reason=failure.SCRIPT_FAILURE, exit_code=1)
    end(core, job, status.SUCCESS)
    assert core.session.get(Job, job.id).status == "failed"


def test_no_step_stays_open_when_the_job_ends(core, world, project):
    job = world.job(project)
    run(core, job)
    end(core, job, status.FAILED, reason=failure.SCRIPT_FAILURE)
    assert [step.status for step in core.session.get(Job, job.id).steps] == ["failed"]


def test_playing_a_manual_job_queues_it_with_the_given_variables(core, world, project, user):
    pipeline = world.pipeline(project, [plan("a", when="manual"), plan("d", "deploy", needs=["a"])])
    job = world.jobs(pipeline)["a"]
    assert job.status == "manual"
    played = play_job(core, job, user, [Variable("COLOUR", "blue")])
    assert (played.id, played.status, played.user_id) == (job.id, "pending", user.id)
    assert "blue" in core.box.open(played.variables_sealed, played.seal_context)


def test_an_optional_manual_job_that_is_played_wakes_what_was_skipped(core, world, project, user):
    plans = [plan("a", when="manual", allow_failure=True), plan("d", "deploy", needs=["a"])]
    pipeline = world.pipeline(project, plans)
    assert world.statuses(pipeline) == {"a": "manual", "d": "skipped"}
    play_job(core, world.jobs(pipeline)["a"], user)
    assert world.statuses(pipeline) == {"a": "pending", "d": "created"}


def test_playing_a_job_that_has_run_makes_a_new_attempt(core, world, project, user):
    pipeline = world.pipeline(project, [plan("a", when="manual")])
    job = world.jobs(pipeline)["a"]
    play_job(core, job, user)
    end(core, job)
    again = play_job(core, core.session.get(Job, job.id), user)
    assert (again.id != job.id, again.status) == (True, "pending")


def test_an_ordinary_job_cannot_be_played(core, world, project, user):
    with pytest.raises(NotPlayable):
        play_job(core, world.job(project), user)


def test_retrying_makes_a_new_row_and_lets_the_rest_go_on(core, world, project, user):
    pipeline = world.pipeline(project, [plan("a"), plan("t", "test")])
    old = world.jobs(pipeline)["a"]
    end(core, old, status.FAILED, reason=failure.SCRIPT_FAILURE)
    assert core.session.get(Pipeline, pipeline.id).status == "failed"
    new = retry_job(core, core.session.get(Job, old.id), user)
    assert (new.status, new.user_id, new.name) == ("pending", user.id, "a")
    assert world.statuses(pipeline) == {"a": "pending", "t": "created"}
    restarted = core.session.get(Pipeline, pipeline.id)
    assert (restarted.status, restarted.finished_at) == ("running", None)
    with pytest.raises(NotRetryable):
        retry_job(core, core.session.get(Job, old.id), user)


def test_a_waiting_job_cannot_be_retried(core, world, project, user):
    with pytest.raises(NotRetryable):
        retry_job(core, world.job(project), user)


def test_retrying_a_pipeline_runs_what_failed_and_asks_again_for_manual_jobs(core, world, project, user):
    plans = [plan("ok"), plan("bad"), plan("hand", when="manual", allow_failure=True), plan("t", "test")]
    pipeline = world.pipeline(project, plans)
    jobs = world.jobs(pipeline)
    play_job(core, jobs["hand"], user)
    end(core, jobs["ok"])
    end(core, jobs["bad"], status.FAILED)
    end(core, jobs["hand"], status.CANCELED)
    assert world.statuses(pipeline)["t"] == "skipped"
    retry_pipeline(core, pipeline, user)
    assert world.statuses(pipeline) == {"ok": "success", "bad": "pending", "hand": "manual", "t": "created"}
    assert world.jobs(pipeline)["ok"].id == jobs["ok"].id


def test_retrying_a_pipeline_in_which_nothing_failed_changes_nothing(core, world, project, user):
    pipeline = world.pipeline(project, [plan("a")])
    job = world.jobs(pipeline)["a"]
    end(core, job)
    retry_pipeline(core, pipeline, user)
    assert world.jobs(pipeline)["a"].id == job.id


def test_a_waiting_job_is_canceled_at_once(core, world, project, user):
    job = cancel_job(core, world.job(project), user)
    assert (job.status, job.finished_at, job.pipeline.status) == ("canceled", core.now(), "canceled")


def test_canceling_a_job_that_has_ended_changes_nothing(core, world, project, user):
    job = world.job(project)
    end(core, job)
    assert cancel_job(core, core.session.get(Job, job.id), user).status == "success"


@pytest.mark.parametrize(("graceful", "expected"), [(True, "canceling"), (False, "canceled")])
def test_a_running_job_is_canceled_as_its_runner_can(core, world, project, user, graceful, expected):
    runner = world.runner(features={"cancel_gracefully": graceful})
    job = world.job(project)
    run(core, job)
    with write(core.session):
        held = lock_job(core, job.id)
        held.runner_manager_id = runner.managers[0].id
    assert cancel_job(core, job, user).status == expected


def test_only_maintainers_force_a_canceling_job_to_end(core, world, project, user):
    job = world.job(project)
    with write(core.session):
        lock_job(core, job.id).status = status.CANCELING
    with pytest.raises(NotAllowed):
        cancel_job(core, job, user, force=True)
    maintainer = world.user(project, Role.MAINTAINER)
    assert cancel_job(core, core.session.get(Job, job.id), maintainer, force=True).status == "canceled"


def test_canceling_a_pipeline_stops_all_that_has_not_ended(core, world, project, user):
    pipeline = world.pipeline(project, [plan("a"), plan("m", when="manual"), plan("t", "test")])
    cancel_pipeline(core, pipeline, user)
    assert set(world.statuses(pipeline).values()) == {"canceled"}
    assert core.session.get(Pipeline, pipeline.id).status == "canceled"


def test_strangers_do_not_learn_of_a_job_and_guests_may_not_touch_it(core, world, project):
    job = world.job(project)
    for act in (cancel_job, retry_job, play_job, keep_artifacts):
        with pytest.raises(NotFound):
            act(core, job, world.user())
        with pytest.raises(NotAllowed):
            act(core, job, world.user(project, Role.GUEST))


def test_a_protected_ref_takes_the_right_to_push_there(core, world, project, user):
    world.protect(project)
    pipeline = world.pipeline(project, [plan("a", when="manual")], protected=True)
    job = world.jobs(pipeline)["a"]
    with pytest.raises(NotAllowed, match="protected"):
        play_job(core, job, user)
    assert play_job(core, job, world.user(project, Role.MAINTAINER)).status == "pending"


@pytest.mark.parametrize(
    ("rule", "made_protected", "may"),
    [
        (Role.MAINTAINER, True, {"maintainer", "admin"}),
        (Role.MAINTAINER, False, {"developer", "maintainer", "admin"}),
        (Role.DEVELOPER, True, {"developer", "maintainer", "admin"}),
        (Role.NONE, True, set()),
        (None, True, {"maintainer", "admin"}),
        (None, False, {"developer", "maintainer", "admin"}),
    ],
)
def test_who_may_run_jobs_of_a_ref(core, world, project, rule, made_protected, may):
    """`rule`: who may push there now, NONE for nobody, None where no rule is left."""
    if rule is not None:
        world.protect(project, push_role=rule)
    people = {
        "developer": world.user(project),
        "maintainer": world.user(project, Role.MAINTAINER),
        "admin": world.user(is_admin=True),
    }
    allowed = set()
    for name, person in people.items():
        pipeline = world.pipeline(project, [plan("a", when="manual")], protected=made_protected)
        try:
            play_job(core, world.jobs(pipeline)["a"], person)
        except NotAllowed:
            continue
        allowed.add(name)
    assert allowed == may


def test_erasing_removes_log_and_artifacts_once(core, world, project, user):
    job = world.jobs(world.pipeline(project, [plan("a")], user=user))["a"]
    with pytest.raises(NotErasable):
        erase_job(core, job, user)
    artifact = store_artifact(core, job)
    print_trace(core, job.id, b"text")
    end(core, job)
    erased = erase_job(core, core.session.get(Job, job.id), user)
    assert (erased.erased_at, erased.artifacts, erased.trace_size) == (core.now(), [], 0)
    assert core.traces.size(job.id) == 0
    with pytest.raises(FileNotFoundError):
        core.artifacts.open(artifact)
    with pytest.raises(NotErasable):
        erase_job(core, erased, user)


def test_developers_erase_their_own_jobs_only(core, world, project, user):
    job = world.jobs(world.pipeline(project, [plan("a")], user=world.user(project)))["a"]
    with pytest.raises(NotAllowed):
        erase_job(core, job, user)


def test_kept_artifacts_do_not_expire(core, world, project, user):
    job = world.job(project)
    with pytest.raises(NotFound):
        keep_artifacts(core, job, user)
    store_artifact(core, job, expire_at=core.now() + timedelta(hours=1))
    kept = keep_artifacts(core, core.session.get(Job, job.id), user)
    assert (kept.artifacts_expire_at, kept.artifacts[0].expire_at) == (None, None)


def store_artifact(core, job, expire_at=None):
    with core.artifacts.receive(1000) as incoming:
        incoming.write(b"bytes")
        stored = incoming.keep()
    with write(core.session):
        core.session.add(
            Artifact(
                job_id=job.id,
                project_id=job.project_id,
                file_type="archive",
                file_format="zip",
                filename="artifacts.zip",
                size=stored.size,
                sha256=stored.sha256,
                storage_key=stored.key,
                created_at=core.now(),
                expire_at=expire_at,
            )
        )
    return stored.key
