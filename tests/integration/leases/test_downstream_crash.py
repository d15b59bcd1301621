"""A server that is killed while trigger jobs wait: each of them has one pipeline in the end."""

import random
import time

import pytest
from sqlalchemy import delete, func, select

from app.models import Job, Leader, Pipeline, PipelineLink, write
from app.services.pipelines.create_pipeline import run_pipeline
from app.services.pipelines.request_for_ref import request_for_ref
from tests.databases import BOTH
from tests.factories import make_project, make_user
from tests.git_client import new_checkout

JOBS = 20
CONFIGURATION = "".join(f"start {number}: {{trigger: {{include: child.yml}}}}\n" for number in range(JOBS))


def started(core) -> int:
    core.session.rollback()
    return core.session.scalar(select(func.count()).select_from(PipelineLink))


def forget_leader(core) -> None:
    """The next process leads at once, and not after the dead one's term."""
    with write(core.session):
        core.session.execute(delete(Leader))


@pytest.mark.parametrize("database", BOTH, indirect=True)
def test_a_killed_server_starts_every_downstream_pipeline_once(core, served, tmp_path):
    user = make_user(core)
    project = make_project(core, creator=user)
    files = {".gitlab-ci.yml": CONFIGURATION, "child.yml": "work: {script: x}\n"}
    assert new_checkout(tmp_path / "checkout", str(core.repositories.path(project.id)), files).push("main").ok
    pipeline_id = run_pipeline(core, request_for_ref(core, project, "main", user)).id
    chance, until = random.Random(7), time.monotonic() + 120
    kills = 0
    while started(core) < JOBS:
        assert time.monotonic() < until
        if kills < 3 and started(core) > kills * 5:
            time.sleep(chance.uniform(0, 0.05))
            served.kill()
            forget_leader(core)
            served.start()
            kills += 1
        time.sleep(0.02)
    time.sleep(2.5)  # two rounds more: nothing is started again
    assert (kills, started(core)) == (3, JOBS)
    statuses = set(core.session.scalars(select(Job.status).where(Job.pipeline_id == pipeline_id)))
    links = select(PipelineLink.source_job_id).distinct()
    assert (statuses, len(core.session.scalars(links).all())) == ({"success"}, JOBS)
    assert core.session.scalar(select(func.count()).select_from(Pipeline)) == JOBS + 1
