"""Steps of runs: those of the run's jobs."""

from collections.abc import Sequence
from typing import Any

from app.api.wercker_v3 import wording
from app.api.wercker_v3.entities.common import step_id, time, times, url
from app.domain.object_ids import Kind, encode
from app.models import Job, JobStep, Pipeline
from app.services.artifacts.read_artifact import live_archive
from app.services.core import Core
from app.services.runs.pipeline_history import AFTERWARDS, REACHED


def steps(core: Core, rows: Sequence[JobStep]) -> list[dict[str, Any]]:
    """All steps of a run, in their order."""
    last = {row.job_id: row.id for row in rows if row.phase != AFTERWARDS}
    return [_step(core, row, order, last.get(row.job_id) == row.id) for order, row in enumerate(rows, 1)]


def _step(core: Core, row: JobStep, order: int, last: bool) -> dict[str, Any]:
    """`displayName` tells the steps of several jobs apart. A stock runner reports no times: then the job's count."""
    job, identity = row.job, step_id(row)
    status, result = wording.step_words(row.status)
    reached = row.status in REACHED
    started = row.started_at or (job.started_at if reached else None)
    finished = row.finished_at or (job.finished_at if status == "finished" else None)
    found: dict[str, Any] = {
        "id": identity,
        "url": url(core, "runsteps", identity),
        "artifactsUrl": _artifacts_url(core, job) if last else None,
        "createdAt": time(job.created_at),
        "logUrl": url(core, "runsteps", identity, "log"),
        "order": order,
        "result": result,
        "status": status,
        "step": row.name,
        "displayName": f"{job.name}: {row.name}",
        "phase": "finalSteps" if row.phase == AFTERWARDS else "mainSteps",
        **times(startedAt=started, finishedAt=finished),
    }
    if result == "failed" and row.exit_code is not None:
        found["exitCode"] = row.exit_code
    return found


def _artifacts_url(core: Core, job: Job) -> str | None:
    """Where the artifacts of a job are; they belong to its last step. The one value of this API that can be null."""
    if live_archive(core, job) is None:
        return None
    return f"{core.config.external_url}/api/v4/projects/{job.project_id}/jobs/{job.id}/artifacts"


def configuration(core: Core, row: Pipeline) -> dict[str, Any]:
    """The one step of a run whose configuration does not compile; its log says why."""
    identity = encode(Kind.CONFIGURATION, row.created_at, row.id)
    moment = time(row.created_at)
    return {
        "id": identity,
        "url": url(core, "runsteps", identity),
        "artifactsUrl": None,
        "createdAt": moment,
        "startedAt": moment,
        "finishedAt": moment,
        "logUrl": url(core, "runsteps", identity, "log"),
        "order": 1,
        "result": "failed",
        "status": "finished",
        "step": "setup environment",
        "displayName": "setup environment",
        "phase": "mainSteps",
    }
