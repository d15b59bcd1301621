"""Whole lives of pipelines: whatever people and runners do, in any order, states are legal and pipelines end."""

from collections import Counter
from dataclasses import replace

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from app.domain import status
from app.domain.processing import JobState, dependents_to_reset, process

#: Written by hand: what a job or a pipeline that has ended may be.
ENDS = {"success", "failed", "canceled", "skipped"}
WHENS = ("on_success", "on_failure", "always", "manual", "delayed")


class PipelineLife(RuleBasedStateMachine):
    """One pipeline. Each rule is what a runner, a person or the clock may do; after each the pipeline is processed."""

    def __init__(self) -> None:
        super().__init__()
        self.jobs: dict[int, JobState] = {}
        self.runs: Counter[int] = Counter()
        self.allowed_runs: Counter[int] = Counter()
        self.reopened: set[int] = set()
        self.early: set[int] = set()
        self.pipeline = status.CREATED

    @initialize(data=st.data())
    def create(self, data: st.DataObject) -> None:
        stages = sorted(data.draw(st.lists(st.integers(0, 3), min_size=1, max_size=8)))
        for job_id, stage in enumerate(stages):
            known = list(self.jobs)
            needs = data.draw(st.none() | st.lists(st.sampled_from(known), unique=True, max_size=3)) if known else None
            self.jobs[job_id] = JobState(
                job_id,
                f"job {job_id}",
                stage,
                status.CREATED,
                data.draw(st.sampled_from(WHENS)),
                data.draw(st.booleans()),
                None if needs is None else tuple(needs),
                60,
                resource_group=data.draw(st.none() | st.just(1)),
            )
            self.allowed_runs[job_id] = 1
        self.advance()

    def move(self, job_id: int, new: str) -> None:
        old = self.jobs[job_id].status
        assert status.may_move(old, new), f"{old} -> {new}"
        self.jobs[job_id] = replace(self.jobs[job_id], status=new)

    def advance(self) -> None:
        for found in process(self.jobs.values()):
            self.move(found.job_id, found.status)
        self.early |= {job.id for job in self.jobs.values() if self.need_not_wait(job)}
        states = [(job.status, job.allow_failure) for job in self.jobs.values()]
        self.pipeline = status.pipeline_status(self.pipeline, states)

    def need_not_wait(self, job: JobState) -> bool:
        """One skipped need makes a job start that runs always, whatever the others do (C.3)."""
        needed = [self.jobs[need] for need in job.needs or ()]
        waits = job.status in (status.PENDING, status.WAITING_FOR_RESOURCE)
        return waits and job.when == "always" and any(n.status in (status.SKIPPED, status.MANUAL) for n in needed)

    def some(self, data: st.DataObject, *statuses: str) -> int:
        return data.draw(st.sampled_from([job.id for job in self.jobs.values() if job.status in statuses]))

    def has(self, *statuses: str) -> bool:
        return any(job.status in statuses for job in self.jobs.values())

    @rule()
    def time_passes(self) -> None:
        """The reaper processes the pipeline once more."""
        self.advance()

    @precondition(lambda self: self.has(status.PENDING))
    @rule(data=st.data())
    def run(self, data: st.DataObject) -> None:
        job_id = self.some(data, status.PENDING)
        self.move(job_id, status.RUNNING)
        self.runs[job_id] += 1
        self.assert_may_run(self.jobs[job_id])
        self.advance()

    def assert_may_run(self, job: JobState) -> None:
        """What the job needs has ended, or is manual and optional, unless a person chose the moment."""
        assert self.runs[job.id] <= self.allowed_runs[job.id]
        if job.when == "manual" or job.needs is None or job.id in self.early:
            return
        for need in job.needs:
            needed = self.jobs[need]
            played_again = self.allowed_runs[need] > 1 or need in self.reopened
            ignored = needed.when == "manual" and needed.allow_failure  # nobody waits for it, played or not
            assert played_again or ignored or needed.status in status.COMPLETED

    @precondition(lambda self: self.has(status.RUNNING))
    @rule(data=st.data(), outcome=st.sampled_from((status.SUCCESS, status.FAILED)))
    def finish(self, data: st.DataObject, outcome: str) -> None:
        self.move(self.some(data, status.RUNNING), outcome)
        self.advance()

    @precondition(lambda self: self.has(status.WAITING_FOR_RESOURCE))
    @rule(data=st.data())
    def resource_is_free(self, data: st.DataObject) -> None:
        self.move(self.some(data, status.WAITING_FOR_RESOURCE), status.PENDING)
        self.advance()

    @precondition(lambda self: self.has(status.SCHEDULED))
    @rule(data=st.data())
    def delay_is_over(self, data: st.DataObject) -> None:
        self.move(self.some(data, status.SCHEDULED), status.PENDING)
        self.advance()

    @precondition(lambda self: self.has(status.MANUAL))
    @rule(data=st.data())
    def play(self, data: st.DataObject) -> None:
        job_id = self.some(data, status.MANUAL)
        self.move(job_id, status.PENDING)
        self.reset_after(job_id)

    @precondition(lambda self: self.has(status.FAILED, status.SUCCESS, status.CANCELED))
    @rule(data=st.data())
    def retry(self, data: st.DataObject) -> None:
        """A retried job is a new row that starts as created; a manual one need not be played once more."""
        job_id = self.some(data, status.FAILED, status.SUCCESS, status.CANCELED)
        self.jobs[job_id] = replace(self.jobs[job_id], status=status.CREATED, enqueue_immediately=True)
        self.allowed_runs[job_id] += 1
        self.reset_after(job_id)

    def reset_after(self, job_id: int) -> None:
        for dependent in dependents_to_reset(job_id, self.jobs.values()):
            self.move(dependent, status.CREATED)
            self.reopened.add(dependent)
        self.advance()

    @precondition(lambda self: self.has(*status.CANCELABLE))
    @rule(data=st.data(), gracefully=st.booleans())
    def cancel(self, data: st.DataObject, gracefully: bool) -> None:
        job_id = self.some(data, *status.CANCELABLE)
        running = self.jobs[job_id].status == status.RUNNING
        self.move(job_id, status.CANCELING if running and gracefully else status.CANCELED)
        self.advance()

    @precondition(lambda self: self.has(status.CANCELING))
    @rule(data=st.data())
    def cancel_is_done(self, data: st.DataObject) -> None:
        self.move(self.some(data, status.CANCELING), status.CANCELED)
        self.advance()

    @invariant()
    def nothing_is_left_to_do(self) -> None:
        assert process(self.jobs.values()) == []

    @invariant()
    def a_job_that_waits_waits_for_something_that_moves(self) -> None:
        """No created job is stuck: something is under way, or a person is asked."""
        if self.has(status.CREATED):
            assert self.has(*(status.ALIVE - {status.CREATED}), *status.BLOCKED)

    @invariant()
    def the_pipeline_is_finished_only_when_its_jobs_are(self) -> None:
        if self.pipeline in (status.SUCCESS, status.FAILED, status.CANCELED):
            unfinished = [job for job in self.jobs.values() if job.status in status.ALIVE]
            assert not unfinished, self.pipeline

    def teardown(self) -> None:
        """Let everything run to its end: then the pipeline has ended too."""
        for _ in range(10 * len(self.jobs) + 1):
            moves = {status.PENDING: status.RUNNING, status.RUNNING: status.SUCCESS, status.CANCELING: status.CANCELED}
            moves |= dict.fromkeys((status.MANUAL, status.SCHEDULED, status.WAITING_FOR_RESOURCE), status.PENDING)
            for job in list(self.jobs.values()):
                if job.status in moves:
                    self.move(job.id, moves[job.status])
            if self.jobs:
                self.advance()
        assert {job.status for job in self.jobs.values()} <= ENDS
        assert not self.jobs or self.pipeline in ENDS


PipelineLife.TestCase.settings = settings(max_examples=60, stateful_step_count=20, deadline=None)
TestPipelineLife = PipelineLife.TestCase
