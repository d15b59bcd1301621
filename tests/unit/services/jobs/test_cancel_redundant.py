"""A newer commit cancels older pipelines of its ref, as far as they and the project allow it (gitlab.md C.10)."""

from datetime import timedelta

import pytest
from sqlalchemy import delete

from app.domain import status
from app.domain.permissions import Role
from app.domain.plan import Plan, Trigger
from app.models import Pipeline, PipelineLink, write
from app.services.jobs.finish_job import finish
from app.services.locks import lock_job
from app.services.pipelines.cancel_redundant import cancel_overdue, cancel_redundant
from app.services.pipelines.retry_pipeline import retry_pipeline
from tests.support.world import plan


@pytest.fixture
def project(world):
    return world.project(repository="none")


def old(world, project, *jobs, mode="conservative", sha="a" * 40, **columns):
    jobs = jobs or (plan("build"), plan("test", "test"))
    stages = tuple(dict.fromkeys(job.stage for job in jobs))
    whole = Plan(stages, tuple(jobs), auto_cancel_on_new_commit=mode)
    return world.pipeline_of(world.read(project), whole, sha=sha, **columns)


def new(world, project, sha="b" * 40, **columns):
    return world.pipeline(world.read(project), [plan("build")], sha=sha, **columns)


def run(core, job):
    with write(core.session):
        held = lock_job(core, job.id)
        held.status, held.started_at = status.RUNNING, core.now()


def end(core, job, new_status=status.SUCCESS):
    run(core, job)
    with write(core.session):
        finish(core, lock_job(core, job.id), new_status)


def test_what_has_not_begun_is_canceled_as_a_whole(core, world, project):
    before = old(world, project)
    newer = new(world, project)
    assert cancel_redundant(core, newer.id) == [before.id]
    assert world.statuses(before) == {"build": "canceled", "test": "canceled"}
    canceled = world.read(before)
    assert (canceled.status, canceled.auto_canceled_by_id) == ("canceled", newer.id)
    assert world.statuses(newer) == {"build": "pending"}


@pytest.mark.parametrize("ended", [False, True], ids=["running", "ended"])
def test_conservative_lets_it_go_on_once_a_job_has_begun_that_may_not_be_interrupted(core, world, project, ended):
    before = old(world, project)
    (end if ended else run)(core, world.jobs(before)["build"])
    assert cancel_redundant(core, new(world, project).id) == []
    assert "canceled" not in world.statuses(before).values()
    assert world.read(before).auto_canceled_by_id is None


def test_conservative_cancels_as_long_as_only_interruptible_jobs_have_begun(core, world, project):
    before = old(world, project, plan("build", interruptible=True), plan("test", "test"))
    run(core, world.jobs(before)["build"])
    assert cancel_redundant(core, new(world, project).id) == [before.id]
    assert world.statuses(before) == {"build": "canceled", "test": "canceled"}


def test_interruptible_cancels_only_jobs_that_may_be_interrupted(core, world, project):
    jobs = [plan("a", interruptible=True), plan("b"), plan("c", interruptible=True)]
    before = old(world, project, *jobs, mode="interruptible")
    run(core, world.jobs(before)["a"])
    run(core, world.jobs(before)["b"])
    assert cancel_redundant(core, new(world, project).id) == [before.id]
    assert world.statuses(before) == {"a": "canceled", "b": "running", "c": "canceled"}


def test_interruptible_leaves_alone_what_has_no_such_job(core, world, project):
    before = old(world, project, mode="interruptible")
    assert cancel_redundant(core, new(world, project).id) == []
    assert world.read(before).auto_canceled_by_id is None


def test_none_cancels_nothing(core, world, project):
    before = old(world, project, mode="none")
    assert cancel_redundant(core, new(world, project).id) == []
    assert world.statuses(before) == {"build": "pending", "test": "created"}


@pytest.mark.parametrize(
    "difference",
    [
        {"ref": "topic"},
        {"tag": True},
        {"sha": "b" * 40},
        {"source": "parent_pipeline"},
    ],
    ids=str,
)
def test_pipelines_of_something_else_go_on(core, world, project, difference):
    before = old(world, project, **difference)
    assert cancel_redundant(core, new(world, project).id) == []
    assert world.read(before).status == "pending"


def with_child(world, project, mode="conservative"):
    """A pipeline whose trigger job is done, and the child that it started."""
    start = plan("start", trigger=Trigger(configuration="x"))
    before = old(world, project, start, plan("test", "test", interruptible=True), mode=mode)
    child = old(world, project, plan("b"), plan("c", interruptible=True), source="parent_pipeline", mode="none")
    job_id = world.jobs(before)["start"].id
    with write(world.core.session):
        link = PipelineLink(pipeline_id=child.id, source_pipeline_id=before.id, source_job_id=job_id, child=True)
        world.core.session.add(link)
    end(world.core, world.jobs(before)["start"])
    return before, child


def test_children_are_canceled_with_the_topmost_pipeline_and_as_that_one_says(core, world, project):
    before, child = with_child(world, project)
    newer = new(world, project)
    assert cancel_redundant(core, newer.id) == [before.id]
    assert world.statuses(before) == {"start": "success", "test": "canceled"}
    assert world.statuses(child) == {"b": "canceled", "c": "canceled"}
    assert [world.read(one).auto_canceled_by_id for one in (before, child)] == [newer.id] * 2
    _, child = with_child(world, project, mode="interruptible")
    cancel_redundant(core, new(world, project).id)
    assert world.statuses(child) == {"b": "pending", "c": "canceled"}


def test_a_job_of_a_child_that_may_not_be_interrupted_saves_the_whole_family(core, world, project):
    before, child = with_child(world, project)
    run(core, world.jobs(child)["b"])
    assert cancel_redundant(core, new(world, project).id) == []
    assert (world.statuses(before)["test"], world.statuses(child)["c"]) == ("pending", "pending")


def test_what_a_killed_server_left_undone_is_done_later_and_once(core, world, project):
    before = old(world, project)
    newer = new(world, project, replaces_older=True)
    cancel_overdue(core)
    assert (world.read(before).status, world.read(newer).replaces_older) == ("canceled", False)
    retry_pipeline(core, world.read(before), world.user(world.read(project), Role.DEVELOPER))
    cancel_overdue(core)
    assert world.read(before).status == "running"


def test_a_merge_requests_pipeline_and_its_branchs_stand_beside_each_other(core, world, project):
    branch, request = old(world, project), old(world, project, source="merge_request_event")
    assert cancel_redundant(core, new(world, project).id) == [branch.id]
    assert cancel_redundant(core, new(world, project, source="merge_request_event").id) == [request.id]


def test_a_child_pipeline_replaces_nothing(core, world, project):
    old(world, project)
    assert cancel_redundant(core, new(world, project, source="parent_pipeline").id) == []


def test_pipelines_of_other_projects_and_newer_ones_go_on(core, world, project):
    elsewhere = old(world, world.project(repository="none"))
    newer = new(world, project)
    newest = old(world, project)
    assert cancel_redundant(core, newer.id) == []
    assert (world.read(elsewhere).status, world.read(newest).status) == ("pending", "pending")


def test_what_is_older_than_a_week_goes_on(core, world, project, clock):
    old(world, project)
    clock.pass_seconds(timedelta(days=7, seconds=1).total_seconds())
    assert cancel_redundant(core, new(world, project).id) == []


def test_a_pipeline_that_waits_for_its_delayed_job_is_redundant_and_one_that_waits_for_a_person_is_not(
    core, world, project
):
    delayed = old(world, project, plan("a", when="delayed", start_in=600))
    old(world, project, plan("a", when="manual"))
    assert cancel_redundant(core, new(world, project).id) == [delayed.id]


def test_the_pipeline_that_the_newer_one_stands_on_goes_on(core, world, project):
    before = old(world, project)
    newer = new(world, project, source_pipeline_id=before.id)
    assert cancel_redundant(core, newer.id) == []


def test_a_project_may_want_none_of_it(core, world):
    project = world.project(repository="none", auto_cancel_pending_pipelines=False)
    old(world, project)
    assert cancel_redundant(core, new(world, project).id) == []


def test_a_pipeline_that_somebody_retries_is_not_replaced_any_more(core, world, project):
    before = old(world, project)
    cancel_redundant(core, new(world, project).id)
    retry_pipeline(core, world.read(before), world.user(world.read(project), Role.DEVELOPER))
    retried = world.read(before)
    assert (retried.auto_canceled_by_id, retried.status) == (None, "running")


def test_a_pipeline_that_is_gone_replaces_nothing(core, world, project):
    old(world, project)
    newer_id = new(world, project).id
    with write(core.session):
        core.session.execute(delete(Pipeline).where(Pipeline.id == newer_id))
    assert cancel_redundant(core, newer_id) == []
