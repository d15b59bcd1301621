"""Claims race on both databases: each job goes to exactly one runner."""

import threading
import time
from collections import Counter

import pytest

from app.models import Job, write
from app.services.jobs.finish_job import finish
from app.services.locks import lock_job, lock_pipeline
from app.services.pipelines.cancel_pipeline import cancel_all
from app.services.runners.claim_job import claim_job
from tests.databases import BOTH
from tests.support.world import World, plan

both = pytest.mark.parametrize("database", BOTH, indirect=True)
THREADS = 8


def in_threads(app, work, number=THREADS):
    """Run `work(number)` in so many threads, each with a session of its own; raise what any of them raised."""
    failures = []

    def run(index):
        with app.app_context():
            try:
                work(index)
            except Exception as error:
                failures.append(error)

    threads = [threading.Thread(target=run, args=(index,)) for index in range(number)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    assert failures == []


@both
def test_each_of_500_jobs_goes_to_exactly_one_of_8_runners(app, core):
    world = World(core)
    pipelines = [world.pipeline(jobs=[plan(f"j{number}") for number in range(100)]) for _ in range(5)]
    runners = [world.runner() for _ in range(THREADS)]
    managers = [(runner.id, runner.managers[0].id) for runner in runners]
    core.session.rollback()
    claimed, lock = [], threading.Lock()

    def work(index):
        runner, manager = managers[index]
        while (claim := claim_job(core, runner, manager, frozenset())) is not None:
            with lock:
                claimed.append((claim.job_id, claim.token, runner))

    started = time.monotonic()
    in_threads(app, work)
    assert time.monotonic() - started < 60
    assert len(claimed) == 500
    assert max(Counter(job for job, _, _ in claimed).values()) == 1
    assert len({token for _, token, _ in claimed}) == 500
    core.session.rollback()
    rows = core.session.query(Job.id, Job.status, Job.runner_id).all()
    assert {(row.id, row.runner_id) for row in rows} == {(job, runner) for job, _, runner in claimed}
    assert {row.status for row in rows} == {"running"}
    assert {world.read(pipeline).status for pipeline in pipelines} == {"running"}


@both
def test_claims_finishes_and_cancels_at_once_neither_deadlock_nor_lose_a_job(app, core):
    world = World(core)
    pipelines = [world.pipeline(jobs=[plan(f"j{n}") for n in range(12)] + [plan("t", "test")]) for _ in range(6)]
    ids = [pipeline.id for pipeline in pipelines]
    runner = world.runner()
    runner_id, manager_id = runner.id, runner.managers[0].id
    core.session.rollback()

    def claim_and_finish(_index):
        while (claim := claim_job(core, runner_id, manager_id, frozenset())) is not None:
            with write(core.session):
                finish(core, lock_job(core, claim.job_id), "success")

    def cancel(index):
        for pipeline_id in ids[index % 2 :: 3]:
            with write(core.session):
                cancel_all(core, lock_pipeline(core, pipeline_id))

    in_threads(app, lambda index: cancel(index) if index < 2 else claim_and_finish(index), 8)
    core.session.rollback()
    ended = Counter(status for (status,) in core.session.query(Job.status))
    assert set(ended) <= {"success", "canceled", "skipped", "running", "canceling"}
    assert ended["running"] == 0
    for pipeline in pipelines:
        assert world.read(pipeline).status in ("success", "canceled")


@both
def test_two_that_finish_the_last_jobs_of_a_stage_at_once_start_the_next_stage(app, core):
    world = World(core)
    pipeline = world.pipeline(jobs=[*(plan(f"j{n}") for n in range(THREADS)), plan("t", "test")])
    jobs = [job.id for name, job in world.jobs(pipeline).items() if name != "t"]
    core.session.rollback()

    def work(index):
        with write(core.session):
            finish(core, lock_job(core, jobs[index]), "success")

    in_threads(app, work)
    assert world.statuses(pipeline)["t"] == "pending"
