"""Of the jobs of a resource group one runs at a time, and the group's mode says whose turn is next (gitlab.md C.11)."""

import pytest
from sqlalchemy import delete

from app.domain import status
from app.domain.errors import InvalidRequest, NotAllowed, NotFound
from app.domain.permissions import Role
from app.domain.plan import RetryPolicy
from app.domain.resource_groups import PROCESS_MODES
from app.models import Job, Pipeline, Resource, ResourceGroup, write
from app.services.jobs.cancel_job import cancel_job
from app.services.jobs.finish_job import finish
from app.services.jobs.play_job import play_job
from app.services.jobs.reap_jobs import assign_resources, start_delayed_jobs
from app.services.jobs.resources import groups_in_want, waiting_sentences
from app.services.jobs.retry_job import retry_job
from app.services.jobs.unschedule_job import unschedule_job
from app.services.locks import lock_job
from app.services.pipelines.cancel_pipeline import cancel_pipeline
from app.services.projects.resource_groups import change_process_mode, current_job, find_group, upcoming_jobs
from app.services.runners.claim_job import give_back
from tests.support.world import plan


@pytest.fixture
def project(world):
    return world.project()


@pytest.fixture
def user(world, project):
    return world.user(project, Role.OWNER)


def deploy(name="deploy", stage="deploy", **columns):
    return plan(name, stage, resource_group="production", **columns)


def end(core, job, new_status=status.SUCCESS, **details):
    with write(core.session):
        finish(core, lock_job(core, job.id), new_status, **details)


def start(core, job):
    with write(core.session):
        held = lock_job(core, job.id)
        held.status, held.started_at = status.RUNNING, core.now()


def statuses(world, *pipelines):
    return [world.statuses(pipeline)["deploy"] for pipeline in pipelines]


def holder(core):
    core.session.rollback()
    return core.session.query(Resource).one().job_id


def set_mode(core, mode):
    with write(core.session):
        core.session.query(ResourceGroup).one().process_mode = mode


def test_one_job_runs_at_a_time_and_the_next_follows_when_it_ends(core, world, project):
    first, second, third = (world.pipeline(project, [deploy()]) for _ in range(3))
    assert statuses(world, first, second, third) == ["pending", "waiting_for_resource", "waiting_for_resource"]
    assert core.session.get(Pipeline, second.id).status == "waiting_for_resource"
    end(core, world.jobs(first)["deploy"])
    assert statuses(world, first, second, third) == ["success", "pending", "waiting_for_resource"]
    assert core.session.get(Pipeline, second.id).status == "pending"
    end(core, world.jobs(second)["deploy"], status.FAILED, reason="script_failure", exit_code=1)
    end(core, world.jobs(third)["deploy"])
    assert statuses(world, first, second, third) == ["success", "failed", "success"]
    assert holder(core) is None


def test_groups_of_other_names_and_other_projects_do_not_wait(core, world, project):
    here = world.pipeline(
        project, [deploy(), plan("stage", "deploy", resource_group="staging"), plan("free", "deploy")]
    )
    assert world.statuses(here) == {"deploy": "pending", "stage": "pending", "free": "pending"}
    assert statuses(world, world.pipeline(world.project(), [deploy()])) == ["pending"]


def test_jobs_of_one_pipeline_wait_for_each_other_too(core, world, project):
    pipeline = world.pipeline(project, [deploy("a"), deploy("b"), plan("after", "end", needs=["a"])])
    assert world.statuses(pipeline) == {"a": "pending", "b": "waiting_for_resource", "after": "created"}
    end(core, world.jobs(pipeline)["a"])
    assert world.statuses(pipeline) == {"a": "success", "b": "pending", "after": "pending"}


def test_a_job_that_waits_says_who_holds_the_resource(core, world, project):
    first, second = (world.pipeline(project, [deploy()]) for _ in range(2))
    held, waits = world.jobs(first)["deploy"], world.jobs(second)["deploy"]
    said = waiting_sentences(core, [held, waits])
    assert said == {waits.id: f"Waits for the resource group production, which is held by #{held.id}."}
    assert waiting_sentences(core, [held]) == {}


def test_a_job_that_is_given_back_keeps_the_resource(core, world, project):
    first, second = (world.pipeline(project, [deploy()]) for _ in range(2))
    start(core, world.jobs(first)["deploy"])
    with write(core.session):
        give_back(core, lock_job(core, world.jobs(first)["deploy"].id))
    assert statuses(world, first, second) == ["pending", "waiting_for_resource"]


def test_a_canceled_job_leaves_the_resource_and_the_line(core, world, project, user):
    first, second, third = (world.pipeline(project, [deploy()]) for _ in range(3))
    cancel_job(core, world.jobs(second)["deploy"], user)
    cancel_pipeline(core, core.session.get(Pipeline, first.id), user)
    assert statuses(world, first, second, third) == ["canceled", "canceled", "pending"]


def test_a_job_that_is_being_canceled_still_holds_it(core, world, project, user):
    runner = world.runner()
    first, second = (world.pipeline(project, [deploy()]) for _ in range(2))
    job = world.jobs(first)["deploy"]
    with write(core.session):
        held = lock_job(core, job.id)
        held.status, held.runner_id, held.runner_manager_id = status.RUNNING, runner.id, runner.managers[0].id
    cancel_job(core, world.jobs(first)["deploy"], user)
    assert statuses(world, first, second) == ["canceling", "waiting_for_resource"]
    end(core, world.jobs(first)["deploy"], status.CANCELED)
    assert statuses(world, first, second) == ["canceled", "pending"]


def test_a_manual_job_waits_for_the_resource_once_it_is_played(core, world, project, user):
    first, second = (world.pipeline(project, [deploy(when="manual")]) for _ in range(2))
    assert statuses(world, first, second) == ["manual", "manual"]
    play_job(core, world.jobs(first)["deploy"], user)
    play_job(core, world.jobs(second)["deploy"], user)
    assert statuses(world, first, second) == ["pending", "waiting_for_resource"]


def test_a_delayed_job_waits_for_the_resource_once_its_time_has_come(core, world, project, clock):
    first = world.pipeline(project, [deploy()])
    second = world.pipeline(project, [deploy(when="delayed", start_in=60)])
    clock.pass_seconds(61)
    start_delayed_jobs(core)
    assert statuses(world, first, second) == ["pending", "waiting_for_resource"]


def test_a_retry_stands_in_line_again(core, world, project, user):
    first, second = (world.pipeline(project, [deploy()]) for _ in range(2))
    end(core, world.jobs(first)["deploy"])
    retry_job(core, world.jobs(first)["deploy"], user)
    assert statuses(world, first, second) == ["waiting_for_resource", "pending"]


def test_a_retry_by_policy_stands_in_line_again(core, world, project):
    first = world.pipeline(project, [deploy(retry=RetryPolicy(max=1))])
    second = world.pipeline(project, [deploy()])
    end(core, world.jobs(first)["deploy"], status.FAILED, reason="script_failure")
    # Unordered: the job that was made first is served first, and the retry was made last.
    assert statuses(world, first, second) == ["waiting_for_resource", "pending"]


@pytest.mark.parametrize(
    ("mode", "expected"),
    [
        ("unordered", "ready of the oldest"),
        ("oldest_first", None),
        ("newest_first", None),
        ("newest_ready_first", "ready of the newest"),
    ],
)
def test_whose_turn_it_is(core, world, project, mode, expected):
    """Four pipelines stand in line while a fifth holds the resource; the oldest and the newest are not ready."""
    holds = world.pipeline(project, [deploy()])
    set_mode(core, mode)
    lines = {
        "oldest": world.pipeline(project, [plan("build"), deploy()]),
        "ready of the oldest": world.pipeline(project, [deploy()]),
        "ready of the newest": world.pipeline(project, [deploy()]),
        "newest": world.pipeline(project, [plan("build"), deploy()]),
    }
    end(core, world.jobs(holds)["deploy"])
    served = [name for name, pipeline in lines.items() if world.statuses(pipeline)["deploy"] == "pending"]
    assert served == ([expected] if expected else [])


def test_oldest_first_goes_by_the_pipelines_whenever_they_are_ready(core, world, project):
    holds = world.pipeline(project, [deploy()])
    set_mode(core, "oldest_first")
    older = world.pipeline(project, [plan("build"), deploy()])
    newer = world.pipeline(project, [deploy()])
    end(core, world.jobs(holds)["deploy"])
    assert statuses(world, older, newer) == ["created", "waiting_for_resource"]
    end(core, world.jobs(older)["build"])
    assert statuses(world, older, newer) == ["pending", "waiting_for_resource"]
    end(core, world.jobs(older)["deploy"])
    assert statuses(world, older, newer) == ["success", "pending"]


def test_newest_first_goes_by_the_pipelines_whenever_they_are_ready(core, world, project):
    holds = world.pipeline(project, [deploy()])
    set_mode(core, "newest_first")
    older = world.pipeline(project, [deploy()])
    newer = world.pipeline(project, [plan("build"), deploy()])
    end(core, world.jobs(holds)["deploy"])
    assert statuses(world, older, newer) == ["waiting_for_resource", "created"]
    end(core, world.jobs(newer)["build"])
    assert statuses(world, older, newer) == ["waiting_for_resource", "pending"]
    end(core, world.jobs(newer)["deploy"])
    assert statuses(world, older, newer) == ["pending", "success"]


@pytest.mark.parametrize("way", ["skipped", "canceled", "manual"])
def test_who_will_not_come_gives_its_turn_up(core, world, project, user, way):
    holds = world.pipeline(project, [deploy()])
    set_mode(core, "oldest_first")
    when = {"when": "delayed", "start_in": 60} if way == "manual" else {}
    older = world.pipeline(project, [*([plan("build")] if way != "manual" else []), deploy(**when)])
    newer = world.pipeline(project, [deploy()])
    end(core, world.jobs(holds)["deploy"])
    assert statuses(world, newer) == ["waiting_for_resource"]
    if way == "skipped":
        end(core, world.jobs(older)["build"], status.FAILED, reason="script_failure")
    elif way == "canceled":
        cancel_job(core, world.jobs(older)["deploy"], user)
    else:
        unschedule_job(core, world.jobs(older)["deploy"], user)
    assert statuses(world, older, newer) == [way, "pending"]


def test_a_change_of_the_mode_may_be_somebodys_turn(core, world, project, user):
    holds = world.pipeline(project, [deploy()])
    set_mode(core, "oldest_first")
    older = world.pipeline(project, [plan("build"), deploy()])
    newer = world.pipeline(project, [deploy()])
    end(core, world.jobs(holds)["deploy"])
    group = find_group(core, world.read(project), "production")
    assert [job.pipeline_id for job in core.session.scalars(upcoming_jobs(group)).unique()] == [older.id, newer.id]
    assert change_process_mode(core, group, world.read(user), "unordered").process_mode == "unordered"
    assert statuses(world, older, newer) == ["created", "pending"]
    group = find_group(core, world.read(project), "production")
    assert current_job(core, group).pipeline_id == newer.id


def test_only_developers_change_the_mode_and_only_to_one_that_exists(core, world, project, user):
    world.pipeline(project, [deploy()])
    group = find_group(core, world.read(project), "production")
    with pytest.raises(InvalidRequest):
        change_process_mode(core, group, world.read(user), "random")
    reporter = world.user(world.read(project), Role.REPORTER)
    with pytest.raises(NotAllowed):
        change_process_mode(core, find_group(core, world.read(project), "production"), reporter, PROCESS_MODES[0])
    with pytest.raises(NotFound):
        find_group(core, world.read(project), "nobody's")


def test_the_resource_of_a_deleted_pipeline_is_handed_on_by_the_background(core, world, project):
    first, second = (world.pipeline(project, [deploy()]) for _ in range(2))
    with write(core.session):
        core.session.execute(delete(Pipeline).where(Pipeline.id == first.id))
    assert statuses(world, second) == ["waiting_for_resource"]
    assert len(groups_in_want(core)) == 1
    assign_resources(core)
    assert statuses(world, second) == ["pending"]
    assert groups_in_want(core) == []


def test_a_resource_is_never_held_twice(core, world, project):
    """Whatever ends in whatever order, at most one job of the group is beyond waiting."""
    pipelines = [world.pipeline(project, [deploy("a"), deploy("b"), deploy("c")]) for _ in range(2)]
    for _ in range(6):
        core.session.rollback()
        under_way = [job for job in core.session.query(Job) if job.status == "pending"]
        assert [job.id for job in under_way] == [holder(core)]
        end(core, under_way[0])
    assert {name for pipeline in pipelines for name in world.statuses(pipeline).values()} == {"success"}
