"""Resources are handed on while many runners end jobs at once: never held twice, and nobody is forgotten."""

import threading
import time
from collections import Counter

import pytest

from app.domain import status
from app.models import Job, Pipeline, Resource, User, write
from app.services.jobs.finish_job import finish
from app.services.locks import lock_job
from app.services.pipelines.cancel_pipeline import cancel_pipeline
from app.services.runners.claim_job import claim_job
from tests.databases import BOTH
from tests.integration.leases.test_claims import in_threads
from tests.support.world import World, plan

THREADS = 6


@pytest.mark.parametrize("database", BOTH, indirect=True)
def test_runners_that_end_jobs_at_once_neither_share_a_resource_nor_leave_one_lying(app, core):
    world = World(core)
    project = world.project()
    user_id = world.user(project).id
    jobs = [
        plan("a", resource_group="r"),
        plan("b", resource_group="s"),
        plan("c", "test", resource_group="r"),
        plan("free", "test"),
    ]
    pipelines = [world.pipeline(world.read(project), jobs).id for _ in range(8)]
    runners = [world.runner() for _ in range(THREADS)]
    managers = [(runner.id, runner.managers[0].id) for runner in runners]
    groups = {job.id: job.resource_group_id for job in core.session.query(Job)}
    core.session.rollback()
    running, overlaps, guard = Counter(), [], threading.Lock()

    def work(index):
        """Run jobs until there are none; one of the threads cancels a pipeline in between."""
        until = time.monotonic() + 60
        while core.session.query(Job).filter(Job.status.in_(status.ALIVE)).count() and time.monotonic() < until:
            core.session.rollback()
            if index == 0 and pipelines:
                cancel_pipeline(
                    core, core.session.get_one(Pipeline, pipelines.pop()), core.session.get_one(User, user_id)
                )
                pipelines[:] = pipelines[:2]
            claim = claim_job(core, *managers[index], frozenset())
            if claim is None:
                time.sleep(0.005)
                continue
            group = groups[claim.job_id]
            with guard:
                running[group] += 1
                if group is not None and running[group] > 1:
                    overlaps.append(claim.job_id)
            time.sleep(0.002)  # while it runs, another one of its group may be claimed by mistake
            with guard:
                running[group] -= 1
            with write(core.session):
                job = lock_job(core, claim.job_id)
                finish(core, job, status.CANCELED if job.status == status.CANCELING else status.SUCCESS)

    in_threads(app, work, THREADS)
    assert overlaps == []
    core.session.rollback()
    ended = Counter(job.status for job in core.session.query(Job))
    assert set(ended) <= {"success", "canceled"}, ended
    assert ended["success"] >= 20
    assert core.session.query(Resource).filter(Resource.job_id.is_not(None)).count() == 0
    assert {pipeline.status for pipeline in core.session.query(Pipeline)} <= {"success", "canceled"}
