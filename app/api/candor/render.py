"""Runs in Candor's words (candor.md A.3, A.5, A.7): a stage is a step, or a job that has only one script.

| what happened | stage | exit code |
|---|---|---|
| a script ended | Passed, Failed | its own |
| its time was up | Failed | -3 |
| its container runtime is not there | Error | -2 |
| its container broke, or somebody cancelled it | Error | -1 |
| it never began | Skipped | -1 |

A run is what its first stage is that neither passed nor was skipped. Where no stage broke and the run did not pass all
the same, it is an Error without stages.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from app.domain import failure, status
from app.models import Job, JobStep, Pipeline, PipelineDefinition
from app.services.runs.definitions import display_name
from app.services.runs.show_runs import Summary

PASSED, FAILED, ERROR, SKIPPED = "Passed", "Failed", "Error", "Skipped"
NOT_RUN, NO_RUNTIME, TIMED_OUT = -1, -2, -3
_TIMEOUTS = (failure.JOB_EXECUTION_TIMEOUT, failure.JOB_EXECUTION_SERVER_TIMEOUT, failure.SERVER_TIMEOUT_RUNNING)
_STUCK = (
    failure.STUCK_OR_TIMEOUT_FAILURE,
    failure.NO_MATCHING_RUNNER,
    failure.STUCK_PENDING_WITH_MATCHING_RUNNERS,
    failure.STUCK_PENDING_NO_MATCHING_RUNNERS,
)
FAILURES = (failure.SCRIPT_FAILURE, *_TIMEOUTS, *_STUCK)
"""Reasons for which a run has failed; for all others it is an Error."""


def listed(definition: PipelineDefinition, summary: Summary) -> dict[str, Any]:
    """A pipeline in the list. What never happened has no key."""
    found: dict[str, Any] = {"id": definition.id, "name": display_name(definition)}
    if summary.newest is not None:
        result = outcome(summary.newest, summary.jobs)
        found["status"] = result["status"]
        found["stages"] = [stage["status"] for stage in result.get("stages", ())]
    if summary.last_success is not None:
        found["lastSuccess"] = _milliseconds(summary.last_success)
    if summary.last_failure is not None:
        found["lastFailure"] = _milliseconds(summary.last_failure)
    return found


def run(pipeline: Pipeline, jobs: Sequence[Job], archived: list[str]) -> dict[str, Any]:
    """One run that has ended."""
    result = outcome(pipeline, jobs)
    finished = pipeline.finished_at or pipeline.created_at
    return {
        "id": run_id(pipeline),
        "start": _milliseconds(pipeline.started_at or finished),
        "finish": _milliseconds(finished),
        "status": result["status"],
        "stages": result.get("stages", []),
        "archived": archived if result["status"] == PASSED else [],
    }


def run_id(pipeline: Pipeline) -> str:
    return f"{pipeline.id:08x}"


def outcome(pipeline: Pipeline, jobs: Sequence[Job]) -> dict[str, Any]:
    """`{"status", "stages"}` as the runner's own API says it; an Error before any stage has no `stages`."""
    if pipeline.failure_reason == "config_error":
        return _made_up("Error 400")
    if any(job.failure_reason in _STUCK for job in jobs):
        return _made_up("Get Runner")
    stages = [stage for job in jobs for stage in _stages(job)]
    broken = next((stage["status"] for stage in stages if stage["status"] in (FAILED, ERROR)), None)
    if pipeline.status == status.SUCCESS:
        return {"status": PASSED, "stages": stages}
    return {"status": ERROR} if broken is None else {"status": broken, "stages": stages}


def last_lines(job: Job) -> list[str]:
    """The line that ends each stage's part of the log, "" while it runs."""
    steps = own_steps(job)
    running = [step.status == status.RUNNING for step in steps] or [job.status in status.ALIVE]
    stages = [_of_step(step, job) for step in steps] or [_of_job(job.name, job)]
    return ["" if alive else _last_line(stage) for alive, stage in zip(running, stages, strict=True)]


def _last_line(stage: dict[str, Any]) -> str:
    if stage["status"] == SKIPPED:
        return SKIPPED
    words = {TIMED_OUT: "Process exceeded stage execution time limit", NO_RUNTIME: "Runtime unavailable"}
    return words.get(stage["exitCode"], f"Process exited with status code {stage['exitCode']}")


def own_steps(job: Job) -> list[JobStep]:
    """The steps of `job` that count as stages; none where the job as a whole is one."""
    scripts = [step for step in job.steps if step.phase == "script"]
    alone = len(scripts) == 1 and scripts[0].name == scripts[0].phase
    return [] if alone else scripts


def _made_up(name: str) -> dict[str, Any]:
    return {"status": FAILED, "stages": [_stage(name, FAILED, NOT_RUN)]}


def _stages(job: Job) -> Iterable[dict[str, Any]]:
    steps = own_steps(job)
    if not steps:
        # A job without any step has nothing to show, one with a single script shows itself.
        return [_of_job(job.name, job)] if job.steps else []
    if all(step.status == status.CREATED for step in steps) and job.status in (status.SUCCESS, status.FAILED):
        # A runner that does not tell steps apart ran them: all that is known is how the job ended.
        return [_of_job(step.name, job) for step in steps]
    return [_of_step(step, job) for step in steps]


def _of_job(name: str, job: Job) -> dict[str, Any]:
    if job.status == status.SUCCESS:
        return _stage(name, PASSED, 0)
    if job.status == status.FAILED:
        return _broken(name, job, job.exit_code)
    return _stage(name, ERROR if job.status == status.CANCELED and job.started_at else SKIPPED, NOT_RUN)


def _of_step(step: JobStep, job: Job) -> dict[str, Any]:
    if step.status == status.SUCCESS:
        return _stage(step.name, PASSED, 0)
    if step.status == status.FAILED:
        return _broken(step.name, job, step.exit_code)
    return _stage(step.name, SKIPPED if step.started_at is None else ERROR, NOT_RUN)


def _broken(name: str, job: Job, exit_code: int | None) -> dict[str, Any]:
    if exit_code is not None:
        return _stage(name, FAILED, exit_code)
    if job.failure_reason in _TIMEOUTS:
        return _stage(name, FAILED, TIMED_OUT)
    if job.failure_reason == failure.SCRIPT_FAILURE:
        return _stage(name, FAILED, job.exit_code or 1)
    unavailable = job.failure_reason == failure.RUNNER_CONFIGURATION_ERROR
    return _stage(name, ERROR, NO_RUNTIME if unavailable else NOT_RUN)


def _stage(name: str, result: str, exit_code: int) -> dict[str, Any]:
    return {"name": name, "status": result, "exitCode": exit_code}


def _milliseconds(moment: datetime) -> int:
    return round(moment.timestamp() * 1000)
