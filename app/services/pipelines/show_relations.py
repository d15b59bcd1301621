"""Where a pipeline comes from and which ones its jobs started, as far as a visitor may know."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from app.domain.permissions import Action
from app.models import Job, Pipeline, User
from app.services import access
from app.services.core import Core
from app.services.pipelines.pipeline_links import downstream_of_jobs, source_job


@dataclass(frozen=True, slots=True)
class Relations:
    """`started_by`: the job that started the pipeline. `started`: by a job's id, the pipeline that it started."""

    started_by: Job | None
    started: Mapping[int, Pipeline]


def show_relations(core: Core, pipeline: Pipeline, jobs: Iterable[Job], user: User | None) -> Relations:
    """The relations of `pipeline` by `jobs`, without what `user` may not read."""
    source = source_job(core, pipeline)
    started = downstream_of_jobs(core, [job.id for job in jobs])
    return Relations(
        started_by=source if source is not None and _may_read(core, source.pipeline, user) else None,
        started={job_id: found for job_id, found in started.items() if _may_read(core, found, user)},
    )


def _may_read(core: Core, pipeline: Pipeline, user: User | None) -> bool:
    return access.may(core, Action.READ_PIPELINE, user, pipeline.project)
