"""Artifacts of other projects and other pipelines, for those who may read them (gitlab.md C.6)."""

import pytest

from app import crypto
from app.domain import failure, status
from app.domain.errors import NotFound
from app.domain.permissions import Role
from app.models import Job, Runner, write
from app.services.artifacts.fetch_artifact import fetch_archive
from app.services.runners.claim_job import Claimed, claim_job
from app.services.runners.job_payload import job_payload
from tests.factories import make_manager, make_member, make_runner, make_user

MAKE = "make: {script: x, artifacts: {paths: [out]}}\n"
TAKE = "take: {script: x, needs: [{project: group/lower, job: make, ref: main}]}\n"


def claim(lab) -> Claimed | None:
    """The next job, for a runner that takes them all."""
    lab.core.session.rollback()
    runner = lab.core.session.query(Runner).first() or make_runner(lab.core)[0]
    runner_id = runner.id
    manager = make_manager(lab.core, runner, f"s_{crypto.new_token('')[:12]}")
    return claim_job(lab.core, runner_id, manager.id, frozenset())


def made(lab, project, content=b"1") -> Job:
    """The job `make` of a new pipeline of `project`, which has left something and passed."""
    pipeline = lab.run(project)
    job = lab.jobs(pipeline)["make"]
    lab.archive(job, {"out": content})
    lab.end(pipeline, "make")
    return lab.read(job)


@pytest.fixture
def lower(lab):
    return lab.project({".gitlab-ci.yml": MAKE}, path="group/lower")


@pytest.fixture
def upper(lab):
    return lab.project({".gitlab-ci.yml": TAKE}, path="group/upper")


def test_a_job_gets_the_newest_artifacts_of_another_project(lab, lower, upper):
    made(lab, lower)
    newest = made(lab, lower, b"2")
    lab.run(upper)
    claimed = claim(lab)
    payload = job_payload(lab.core, claimed, frozenset())
    assert [(one["id"], one["name"], "artifacts_file" in one) for one in payload["dependencies"]] == [
        (newest.id, "make", True)
    ]
    assert fetch_archive(lab.core, newest.id, claimed.token).job_id == newest.id


def test_what_was_promised_stays_to_be_had_when_newer_artifacts_come(lab, lower, upper):
    promised = made(lab, lower)
    lab.run(upper)
    claimed = claim(lab)
    made(lab, lower, b"2")
    assert fetch_archive(lab.core, promised.id, claimed.token).job_id == promised.id


def test_a_job_without_such_a_need_gets_nothing_of_other_projects(lab, lower):
    other = made(lab, lower)
    plain = lab.project({".gitlab-ci.yml": "plain: {script: x}"}, path="group/plain")
    lab.run(plain)
    with pytest.raises(NotFound):
        fetch_archive(lab.core, other.id, claim(lab).token)


@pytest.mark.parametrize("trouble", ["none made", "failed", "other ref", "no reader"])
def test_a_job_whose_foreign_artifacts_are_not_to_be_had_fails(lab, lower, upper, trouble):
    user = lab.user
    if trouble == "failed":
        pipeline = lab.run(lower)
        lab.archive(lab.jobs(pipeline)["make"], {"out": b"1"})
        lab.end(pipeline, "make", status.FAILED)
    elif trouble == "other ref":
        pipeline_id = made(lab, lower).pipeline_id
        with write(lab.core.session):
            lab.core.session.execute(Job.metadata.tables["pipelines"].update().values(ref="topic"))
        assert pipeline_id
    elif trouble == "no reader":
        made(lab, lower)
        user = make_user(lab.core)
        make_member(lab.core, user, upper, Role.MAINTAINER)
    taking = lab.run(upper, user)
    assert claim(lab) is None
    job = lab.jobs(taking)["take"]
    assert (job.status, job.failure_reason) == ("failed", failure.MISSING_DEPENDENCY_FAILURE)


def test_artifacts_that_are_not_wanted_are_not_looked_for(lab, upper):
    text = TAKE.replace("ref: main", "ref: main, artifacts: false")
    project = lab.project({".gitlab-ci.yml": text}, path="group/careless")
    lab.run(project)
    assert job_payload(lab.core, claim(lab), frozenset())["dependencies"] == []


def test_a_child_takes_artifacts_of_its_parent(lab):
    text = MAKE + "start:\n  stage: deploy\n  variables: {PARENT: $CI_PIPELINE_ID}\n  trigger: {include: child.yml}\n"
    child = "take: {script: x, needs: [{pipeline: $PARENT, job: make}]}"
    project = lab.project({".gitlab-ci.yml": text, "child.yml": child})
    source = made(lab, project)
    lab.beat()
    claimed = claim(lab)
    assert [one["id"] for one in job_payload(lab.core, claimed, frozenset())["dependencies"]] == [source.id]
    assert fetch_archive(lab.core, source.id, claimed.token).job_id == source.id


def test_a_pipeline_that_is_no_relation_gives_nothing(lab):
    project = lab.project({".gitlab-ci.yml": MAKE})
    stranger = made(lab, project)
    text = f"take: {{script: x, needs: [{{pipeline: '{stranger.pipeline_id}', job: make}}]}}"
    other = lab.project({".gitlab-ci.yml": text})
    taking = lab.run(other)
    assert claim(lab) is None
    assert lab.jobs(taking)["take"].failure_reason == failure.MISSING_DEPENDENCY_FAILURE
