"""What cases are played on: the pure domain, and the real services on a database."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from app.domain import failure, status
from app.domain.failure import should_retry
from app.domain.plan import JobPlan, Plan
from app.domain.processing import JobState, dependents_to_reset, process
from app.models import Job, Pipeline, User, write
from app.services.core import Core
from app.services.jobs.cancel_job import cancel_job
from app.services.jobs.finish_job import finish
from app.services.jobs.play_job import play_job
from app.services.jobs.reap_jobs import start_delayed_jobs
from app.services.jobs.retry_job import retry_job
from app.services.jobs.unschedule_job import unschedule_job
from app.services.locks import lock_job
from app.services.pipelines.advance_pipeline import advance, enqueue
from app.services.pipelines.cancel_pipeline import cancel_pipeline
from app.services.pipelines.retry_pipeline import retry_pipeline


class DomainMachine:
    """A pipeline that is nothing but states: what the services do with rows, written down once more in a few lines."""

    def __init__(self, plan: Plan) -> None:
        self._plans = {job.name: job for job in plan.jobs}
        ids = {name: number for number, name in enumerate(self._plans)}
        self._ids, self._ends_all = ids, plan.auto_cancel_on_job_failure == "all"
        self._tries = dict.fromkeys(ids.values(), 0)
        self._states = {ids[job.name]: _state(ids, job, plan.stages.index(job.stage)) for job in plan.jobs}
        self._pipeline = status.CREATED
        self._advance()

    def pipeline(self) -> str:
        return self._pipeline

    def jobs(self) -> dict[str, tuple[str, bool]]:
        return {state.name: (state.status, state.allow_failure) for state in self._states.values()}

    def on_job(self, event: str, job: str, details: Mapping[str, Any]) -> None:
        number = self._ids[job]
        if event in ("play", "enqueue") and self._states[number].status in status.BLOCKED:
            self._move(number, status.PENDING)
            if event == "play":
                self._reset_after(number)
        elif event in ("play", "retry"):
            assert self._states[number].status in status.RETRYABLE
            self._again(number, enqueue_immediately=True)
            self._reset_after(number)
        elif event == "drop":
            self._fail(number, details)
        else:
            ends = {"run": status.RUNNING, "success": status.SUCCESS, "cancel": status.CANCELED}
            self._move(number, (ends | {"unschedule": status.MANUAL})[event])
        self._advance()

    def on_pipeline(self, event: str) -> None:
        if event == "cancel":
            self._cancel_all()
        else:
            for number, state in self._states.items():
                if state.status in (status.FAILED, status.CANCELED):
                    self._again(number, enqueue_immediately=False)
                elif state.status == status.SKIPPED:
                    self._move(number, status.CREATED)
        self._advance()

    def _fail(self, number: int, details: Mapping[str, Any]) -> None:
        state = self._states[number]
        plan, code = self._plans[state.name], details.get("exit_code", 1)
        allowed = state.allow_failure or code in plan.allow_failure_exit_codes
        self._move(number, status.FAILED)
        self._states[number] = replace(self._states[number], allow_failure=allowed)
        reason = details.get("reason", failure.SCRIPT_FAILURE)
        if should_retry(plan.retry, reason, code, self._tries[number]):
            self._again(number, enqueue_immediately=True)
        elif self._ends_all and not allowed:
            self._cancel_all()

    def _cancel_all(self) -> None:
        for number, state in self._states.items():
            if state.status in status.CANCELABLE:
                self._move(number, status.CANCELED)

    def _again(self, number: int, enqueue_immediately: bool) -> None:
        """A new attempt is a new row: it begins as created, whatever the one before had come to."""
        self._tries[number] += 1
        state = self._states[number]
        self._states[number] = replace(
            state,
            status=status.CREATED,
            enqueue_immediately=enqueue_immediately,
            allow_failure=self._plans[state.name].allow_failure,
        )

    def _reset_after(self, number: int) -> None:
        for found in dependents_to_reset(number, self._states.values()):
            self._move(found, status.CREATED)

    def _move(self, number: int, new: str) -> None:
        """A job may be said to have ended without a word of its having run, as in GitLab's cases."""
        state = self._states[number]
        through = state.status == status.PENDING and new == status.SUCCESS
        assert status.may_move(status.RUNNING if through else state.status, new), f"{state.status} -> {new}"
        self._states[number] = replace(state, status=new)

    def _advance(self) -> None:
        for move in process(self._states.values()):
            self._move(move.job_id, move.status)
        seen = [(state.status, state.allow_failure) for state in self._states.values()]
        self._pipeline = status.pipeline_status(self._pipeline, seen)


def _state(ids: Mapping[str, int], job: JobPlan, stage_index: int) -> JobState:
    return JobState(
        id=ids[job.name],
        name=job.name,
        stage_index=stage_index,
        status=status.CREATED,
        when=job.when,
        allow_failure=job.allow_failure,
        needs=None if job.needs is None else tuple(ids[need.job] for need in job.needs),
        start_in=job.start_in,
    )


class ServiceMachine:
    """A pipeline of rows, moved by the use cases that people, runners and the clock call. `clock` moves its time."""

    def __init__(self, core: Core, pipeline: Pipeline, user: User, clock: Any) -> None:
        self._core, self._pipeline_id, self._user_id, self._clock = core, pipeline.id, user.id, clock

    @property
    def _user(self) -> User:
        return self._core.session.get_one(User, self._user_id)

    def _row(self) -> Pipeline:
        self._core.session.rollback()
        return self._core.session.get_one(Pipeline, self._pipeline_id)

    def latest(self) -> dict[str, Job]:
        """The latest attempts by name."""
        self._core.session.rollback()
        rows = self._core.session.query(Job).filter_by(pipeline_id=self._pipeline_id, retried=False)
        return {job.name: job for job in rows}

    def pipeline(self) -> str:
        return self._row().status

    def jobs(self) -> dict[str, tuple[str, bool]]:
        return {name: (job.status, job.allow_failure) for name, job in self.latest().items()}

    def on_job(self, event: str, job: str, details: Mapping[str, Any]) -> None:
        found = self.latest()[job]
        actions = {"play": play_job, "retry": retry_job, "cancel": cancel_job, "unschedule": unschedule_job}
        if event in actions:
            actions[event](self._core, found, self._user)
        elif event == "enqueue":
            self._enqueue(found)
        else:
            self._runner_says(event, found.id, details)

    def on_pipeline(self, event: str) -> None:
        (retry_pipeline if event == "retry" else cancel_pipeline)(self._core, self._row(), self._user)

    def _enqueue(self, job: Job) -> None:
        """A delayed job's time has come; a manual one is queued with nobody's asking for what waits for it."""
        if job.scheduled_at is not None:
            self._clock.pass_seconds((job.scheduled_at - self._core.now()).total_seconds())
            start_delayed_jobs(self._core)
            return
        with write(self._core.session):
            held = lock_job(self._core, job.id)
            assert held.status == status.MANUAL
            enqueue(self._core, held)
            advance(self._core, held.pipeline)

    def _runner_says(self, event: str, job_id: int, details: Mapping[str, Any]) -> None:
        with write(self._core.session):
            job = lock_job(self._core, job_id)
            if job.status == status.PENDING and event != "drop":
                job.status, job.started_at = status.RUNNING, self._core.now()
            if event == "run":
                advance(self._core, job.pipeline)
            elif event == "success":
                finish(self._core, job, status.SUCCESS, exit_code=0)
            else:
                reason = details.get("reason", failure.SCRIPT_FAILURE)
                finish(self._core, job, status.FAILED, reason, details.get("exit_code", 1))
