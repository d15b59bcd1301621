"""Why a pending job waits, in one sentence on the job."""

import pytest

from app.models import Job, Runner, write
from app.services.jobs.explain_waiting import explain_waiting
from tests.support.world import plan


@pytest.fixture
def project(world):
    return world.project()


def reason(world, project, **columns):
    return world.job(project, **columns).waiting_reason


def test_nobody_serves_the_project(world, project):
    assert reason(world, project) == "No runner serves this project yet."


def test_nobody_has_the_tags(world, project):
    world.runner(tags=["a"])
    assert reason(world, project, tags=("b", "c")) == "No runner has the tags b, c."
    assert reason(world, project, tags=("b",)) == "No runner has the tag b."


def test_nobody_takes_untagged_jobs(world, project):
    world.runner(tags=["a"], run_untagged=False)
    assert reason(world, project) == "No runner takes jobs without tags."


def test_runners_for_protected_refs_only(world, project):
    world.runner(access_level="ref_protected")
    assert reason(world, project) == "Every runner that fits takes only jobs of protected branches and tags."


def test_runners_of_other_projects_do_not_count(world, project):
    world.runner(runner_type="project_type", project_id=world.project().id)
    world.runner(runner_type="group_type", group_id=world.group().id)
    assert reason(world, project) == "No runner serves this project yet."


def test_every_runner_is_paused(world, project):
    world.runner(paused=True)
    assert reason(world, project) == "Every runner that fits is paused."


def test_every_runner_is_offline(world, project, clock):
    world.runner()
    clock.pass_seconds(121)
    assert reason(world, project) == "Every runner that fits has been offline since 2026-03-01 12:00 UTC."


def test_the_runner_never_came(world, project):
    world.runner(online=False)
    assert reason(world, project) == "The runner that fits has never connected."


def test_no_runner_can_do_it(core, world, project):
    world.runner()
    job = world.job(project)
    with write(core.session):
        core.session.get_one(Job, job.id).required_features = ["skerry_steps"]
    explain_waiting(core)
    assert world.read(job).waiting_reason == (
        "No runner that is online and fits can do what the job needs: skerry_steps."
    )


def test_the_place_in_the_queue(core, world, project):
    world.runner()
    pipeline = world.pipeline(project, [plan("a"), plan("b"), plan("c")])
    jobs = world.jobs(pipeline)
    assert jobs["a"].waiting_reason == "Next in the queue: waits for a runner to be free."
    assert jobs["b"].waiting_reason == "Waits for a runner to be free; 1 job is ahead in the queue."
    assert jobs["c"].waiting_reason == "Waits for a runner to be free; 2 jobs are ahead in the queue."


def test_the_reason_follows_what_happens(core, world, project, clock):
    job = world.job(project)
    runner = world.runner(online=False)
    explain_waiting(core)
    assert world.read(job).waiting_reason == "The runner that fits has never connected."
    with write(core.session):
        core.session.get_one(Runner, runner.id).contacted_at = core.now()
    explain_waiting(core)
    assert world.read(job).waiting_reason == "Next in the queue: waits for a runner to be free."
