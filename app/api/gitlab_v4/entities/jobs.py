"""Jobs: the union of what the API showed in 2017 (the seed) and what it shows today (gitlab.md B.2)."""

from collections.abc import Sequence
from typing import Any

from app.api.gitlab_v4.entities import runners
from app.api.gitlab_v4.entities.common import api_url, iso, job_url, seconds
from app.api.gitlab_v4.entities.pipelines import commit, pipeline_basic
from app.api.gitlab_v4.entities.users import user_public
from app.domain import status
from app.models import Artifact, Job
from app.services.artifacts.read_artifact import live_archive
from app.services.core import Core
from app.services.jobs.log_end import log_end
from app.services.runners import search_runners


def jobs(core: Core, rows: Sequence[Job]) -> list[dict[str, Any]]:
    """The entities of `rows`, which `list_jobs.LOADED` loaded."""
    busy = search_runners.busy(core, [row.runner_id for row in rows if row.runner_id])
    return [_job(core, row, busy) for row in rows]


def job(core: Core, row: Job) -> dict[str, Any]:
    """The entity of one job."""
    return jobs(core, [row])[0]


def job_basic(core: Core, row: Job) -> dict[str, Any]:
    """What a job and a trigger job have in common."""
    shown = {
        "id": row.id,
        "status": row.status,
        "stage": row.stage,
        "name": row.name,
        "ref": row.pipeline.ref,
        "tag": row.pipeline.tag,
        "coverage": row.coverage,
        "allow_failure": row.allow_failure,
        "created_at": iso(row.created_at),
        "started_at": iso(row.started_at),
        "finished_at": iso(row.finished_at),
        "erased_at": iso(row.erased_at),
        "duration": seconds(row.started_at, row.finished_at or core.now()),
        "queued_duration": _queued(core, row),
        "user": user_public(core, row.user) if row.user else None,
        "commit": commit(core, row.pipeline),
        "pipeline": pipeline_basic(core, row.pipeline),
        "web_url": job_url(core, row),
        "project": {"ci_job_token_scope_enabled": False},
        "archived": False,
        "source": row.pipeline.source,
    }
    return shown | {"failure_reason": row.failure_reason} if row.status == status.FAILED else shown


def _job(core: Core, row: Job, busy: search_runners.Busy) -> dict[str, Any]:
    archive = live_archive(core, row)
    return job_basic(core, row) | {
        "artifacts_file": {"filename": archive.filename, "size": archive.size} if archive else None,
        "download_url": api_url(core, f"/projects/{row.project_id}/jobs/{row.id}/artifacts") if archive else None,
        "artifacts": _artifacts(core, row),
        "artifacts_expire_at": iso(row.artifacts_expire_at),
        "runner": runners.runner(core, row.runner, row.runner.id in busy.runners) if row.runner else None,
        "runner_manager": _manager(core, row, busy),
        "tag_list": sorted(row.tags),
    }


def _queued(core: Core, row: Job) -> float | None:
    """How long the job waited, or waits, for a runner."""
    if row.status == status.PENDING:
        return seconds(row.queued_at, core.now())
    return seconds(row.queued_at, row.started_at)


def _manager(core: Core, row: Job, busy: search_runners.Busy) -> dict[str, Any] | None:
    manager = row.runner_manager
    return runners.runner_manager(core, manager, manager.id in busy.managers) if manager else None


def _artifacts(core: Core, row: Job) -> list[dict[str, Any]]:
    files = [_file(artifact) for artifact in row.artifacts]
    if size := log_end(core, row).size:
        files.append({"file_type": "trace", "size": size, "filename": "job.log", "file_format": "raw"})
    return files


def _file(artifact: Artifact) -> dict[str, Any]:
    return {
        "file_type": artifact.file_type,
        "size": artifact.size,
        "filename": artifact.filename,
        "file_format": artifact.file_format,
    }
