"""Environments follow the jobs that name them: made with these, deployed to, stopped."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from app.domain import failure, status
from app.domain.delivery import EnvironmentSpec
from app.domain.errors import NotAllowed
from app.domain.permissions import Role
from app.models import Deployment, Environment, Job, write
from app.services.environments.deployments import last_deployment
from app.services.environments.stop_environment import (
    stop_environment,
    stop_expired_environments,
    stop_for_branches,
)
from app.services.jobs.finish_job import finish
from app.services.jobs.play_job import play_job
from app.services.jobs.retry_job import retry_job
from app.services.locks import lock_job
from app.services.pipelines.cancel_pipeline import cancel_pipeline
from app.services.projects.ci_variables import add_variable
from app.services.runners.claim_job import claim_job
from tests.support.world import plan


@pytest.fixture
def project(world):
    return world.project()


@pytest.fixture
def user(world, project):
    return world.user(project)


@pytest.fixture
def runner(world):
    return world.runner()


def claim(core, runner):
    """The job that `runner` gets next."""
    claimed = claim_job(core, runner.id, runner.managers[0].id, frozenset())
    assert claimed is not None
    return core.session.get_one(Job, claimed.job_id)


def end(core, job, new_status=status.SUCCESS, **details):
    with write(core.session):
        finish(core, lock_job(core, job.id), new_status, **details)


def environments(core):
    core.session.rollback()
    return {row.name: row for row in core.session.scalars(select(Environment).order_by(Environment.id))}


def deployments(core):
    core.session.rollback()
    return list(core.session.scalars(select(Deployment).order_by(Deployment.id)))


def deploy(**given):
    return plan("deploy", environment=EnvironmentSpec(**({"name": "production"} | given)))


STOP = EnvironmentSpec("review/one", action="stop")
REVIEW = (
    plan("review", environment=EnvironmentSpec("review/one", on_stop="stop", auto_stop_in="1 day")),
    plan("stop", when="manual", allow_failure=True, environment=STOP),
)


def test_a_deployment_is_what_its_job_is(core, world, project, runner, user):
    pipeline = world.pipeline(project, [deploy()], user=user, ref="main", sha="b" * 40)
    (made,) = deployments(core)
    assert (made.status, made.ref, made.sha, made.user_id) == ("created", "main", "b" * 40, user.id)
    job = claim(core, runner)
    assert (made.job_id, deployments(core)[0].status) == (job.id, "running")
    assert last_deployment(core, environments(core)["production"]) is None
    end(core, job)
    (made,) = deployments(core)
    assert (made.status, made.finished_at) == ("success", core.now())
    assert last_deployment(core, environments(core)["production"]).id == made.id
    assert world.statuses(pipeline) == {"deploy": "success"}


@pytest.mark.parametrize("how", ["failed", "canceled", "skipped"])
def test_a_deployment_that_comes_to_nothing_says_how(core, world, project, runner, user, how):
    jobs = [plan("build"), plan("deploy", "deploy", environment=EnvironmentSpec("production"))]
    pipeline = world.pipeline(project, jobs if how == "skipped" else jobs[1:], user=user)
    if how == "canceled":
        cancel_pipeline(core, pipeline, user)
    else:
        end(core, claim(core, runner), status.FAILED, reason=failure.SCRIPT_FAILURE)
    assert [row.status for row in deployments(core)] == [how]
    assert environments(core)["production"].external_url is None


def test_a_skipped_deployment_waits_again_with_its_job(core, world, project, runner, user):
    jobs = [plan("build"), plan("deploy", "deploy", environment=EnvironmentSpec("production"))]
    world.pipeline(project, jobs, user=user)
    build = claim(core, runner)
    end(core, build, status.FAILED, reason=failure.SCRIPT_FAILURE)
    retry_job(core, world.read(build), user)
    (again,) = deployments(core)
    assert (again.status, again.finished_at) == ("created", None)


def test_a_new_attempt_is_a_deployment_of_its_own(core, world, project, runner, user):
    world.pipeline(project, [deploy()], user=user)
    first = claim(core, runner)
    end(core, first, status.FAILED, reason=failure.SCRIPT_FAILURE)
    second = retry_job(core, world.read(first), user)
    assert [(row.job_id, row.status) for row in deployments(core)] == [(first.id, "failed"), (second.id, "created")]


def test_the_address_is_expanded_when_the_job_has_passed(core, world, project, runner, user):
    add_variable(core, project, "DOMAIN", "example.com", {"environment_scope": "prod*"})
    add_variable(core, project, "DOMAIN", "elsewhere.org", {"environment_scope": "staging"})
    world.pipeline(project, [deploy(url="https://$CI_ENVIRONMENT_SLUG.$DOMAIN/$CI_JOB_NAME$UNKNOWN")], user=user)
    job = claim(core, runner)
    assert environments(core)["production"].external_url is None
    end(core, job)
    assert environments(core)["production"].external_url == "https://production.example.com/deploy"


@pytest.mark.parametrize("url", ["javascript:alert(1)", "https://", "$UNKNOWN", "https://a/" + "x" * 300])
def test_an_address_that_no_page_may_link_is_not_kept(core, world, project, runner, user, url):
    world.pipeline(project, [deploy(url=url)], user=user)
    end(core, claim(core, runner))
    assert environments(core)["production"].external_url is None
    assert environments(core)["production"].state == "available"


def test_a_name_is_completed_by_what_only_the_pipeline_knows(core, world, project):
    pipeline = world.pipeline(project, [deploy(name="run/${CI_PIPELINE_IID}")])
    assert list(environments(core)) == [f"run/{pipeline.iid}"]


def test_a_job_whose_environment_cannot_be_has_failed_from_the_beginning(core, world, project):
    pipeline = world.pipeline(project, [deploy(name="a:b"), plan("after", "test")])
    assert world.statuses(pipeline) == {"deploy": "failed", "after": "skipped"}
    job = world.jobs(pipeline)["deploy"]
    assert job.failure_reason == failure.ENVIRONMENT_CREATION_FAILURE
    assert "'a:b'" in job.failure_message
    assert not environments(core)


def test_only_a_start_deploys(core, world, project, runner):
    jobs = [
        plan(action, environment=EnvironmentSpec("qa", action=action, url="https://a.example.com"))
        for action in ("prepare", "verify", "access")
    ]
    world.pipeline(project, jobs)
    for _ in jobs:
        end(core, claim(core, runner))
    assert not deployments(core)
    assert (environments(core)["qa"].tier, environments(core)["qa"].external_url) == ("testing", None)


def test_the_stop_job_is_started_and_then_the_environment_is_stopped(core, world, project, runner, user):
    pipeline = world.pipeline(project, REVIEW, user=user)
    end(core, claim(core, runner))
    environment = environments(core)["review/one"]
    assert environment.auto_stop_at == core.now() + timedelta(days=1)
    assert stop_environment(core, environment, user).state == "stopping"
    assert world.statuses(pipeline)["stop"] == "pending"
    end(core, claim(core, runner))
    stopped = environments(core)["review/one"]
    assert (stopped.state, stopped.auto_stop_at) == ("stopped", None)


def test_an_environment_that_could_not_be_stopped_is_available_again(core, world, project, runner, user):
    world.pipeline(project, REVIEW, user=user)
    end(core, claim(core, runner))
    stop_environment(core, environments(core)["review/one"], user)
    job = claim(core, runner)
    end(core, job, status.FAILED, reason=failure.SCRIPT_FAILURE)
    assert environments(core)["review/one"].state == "available"
    stop_environment(core, environments(core)["review/one"], user)
    end(core, claim(core, runner))
    assert environments(core)["review/one"].state == "stopped"


def test_without_a_stop_job_or_by_force_it_is_stopped_at_once(core, world, project, runner, user):
    pipeline = world.pipeline(project, [*REVIEW, deploy()], user=user)
    for _ in range(2):
        end(core, claim(core, runner))
    assert stop_environment(core, environments(core)["production"], user).state == "stopped"
    assert stop_environment(core, environments(core)["review/one"], user, force=True).state == "stopped"
    assert world.statuses(pipeline)["stop"] == "manual"


def test_who_stops_an_environment_must_be_allowed_to(core, world, project, runner, user):
    world.protect(project)
    world.pipeline(project, REVIEW, user=user, protected=True)
    end(core, claim(core, runner))
    environment = environments(core)["review/one"]
    reporter = world.user(project, Role.REPORTER)
    for somebody in (reporter, user):  # a developer may stop, but not run jobs of a ref protected from them
        with pytest.raises(NotAllowed):
            stop_environment(core, environment, somebody)
    assert stop_environment(core, environment, world.user(project, Role.MAINTAINER)).state == "stopping"


def test_deploying_again_makes_it_available_again(core, world, project, runner, user):
    world.pipeline(project, [deploy()], user=user)
    end(core, claim(core, runner))
    stop_environment(core, environments(core)["production"], user)
    world.pipeline(project, [deploy()], user=user)
    end(core, claim(core, runner))
    assert environments(core)["production"].state == "available"


def test_it_is_stopped_when_its_time_is_over(core, world, project, runner, user, clock):
    pipeline = world.pipeline(project, REVIEW, user=user)
    end(core, claim(core, runner))
    clock.pass_seconds(24 * 3600 - 1)
    assert stop_expired_environments(core) == 0
    clock.pass_seconds(1)
    assert stop_expired_environments(core) == 1
    assert environments(core)["review/one"].state == "stopping"
    stop = world.jobs(pipeline)["stop"]
    assert (stop.status, stop.user_id) == ("pending", user.id)
    assert stop_expired_environments(core) == 0


def test_a_branch_that_is_gone_takes_its_environment_along(core, world, project, runner, user):
    world.pipeline(project, [*REVIEW, deploy()], user=user, ref="topic")
    for _ in range(2):
        end(core, claim(core, runner))
    assert stop_for_branches(core, project.id, ["other"], user) == 0
    assert stop_for_branches(core, project.id, ["topic"], world.user(project, Role.REPORTER)) == 0
    assert stop_for_branches(core, project.id, ["topic"], user) == 1
    states = {name: row.state for name, row in environments(core).items()}
    assert states == {"review/one": "stopping", "production": "available"}  # the other has no stop job


def test_a_later_deployment_from_elsewhere_keeps_the_environment(core, world, project, runner, user):
    for ref in ("topic", "main"):
        world.pipeline(project, REVIEW, user=user, ref=ref)
        end(core, claim(core, runner))
    assert stop_for_branches(core, project.id, ["topic"], user) == 0


def test_a_stop_job_that_somebody_plays_by_hand_stops_too(core, world, project, runner, user):
    pipeline = world.pipeline(project, REVIEW, user=user)
    end(core, claim(core, runner))
    play_job(core, world.jobs(pipeline)["stop"], user)
    end(core, claim(core, runner))
    assert environments(core)["review/one"].state == "stopped"
