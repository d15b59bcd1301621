"""What the entities share: times, addresses, statuses in words."""

from datetime import UTC, datetime

from app.models import Job, Pipeline, Project
from app.services.core import Core


def iso(time: datetime | None) -> str | None:
    """`2015-12-24T15:51:21.880Z`: UTC, to the millisecond."""
    return None if time is None else time.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def seconds(start: datetime | None, end: datetime | None) -> float | None:
    """From `start` to `end` in seconds, to the millisecond; None where either is missing."""
    return None if start is None or end is None else round((end - start).total_seconds(), 3)


def project_url(core: Core, project: Project) -> str:
    return f"{core.config.external_url}/{project.full_path}"


def api_url(core: Core, path: str) -> str:
    return f"{core.config.external_url}/api/v4{path}"


def pipeline_url(core: Core, pipeline: Pipeline) -> str:
    return f"{project_url(core, pipeline.project)}/-/pipelines/{pipeline.id}"


def job_url(core: Core, job: Job) -> str:
    return f"{project_url(core, job.project)}/-/jobs/{job.id}"
