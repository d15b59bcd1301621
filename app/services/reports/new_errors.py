"""Which error lines of a failed job are new: its log compared with that of the last run that went well."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Select, select

from app.domain import status
from app.domain.error_lines import LONGEST_LINE, ErrorLine, new_error_lines
from app.domain.errors import SkerryError
from app.models import Job, Pipeline, User
from app.services.core import Core
from app.services.jobs.read_trace import open_trace, require_trace

#: So much of the end of a log is read: of the failed job, and of the one it is compared with, which may have printed
#: more on its way.
READ_FAILED = 512 * 1024
READ_BEFORE = 2 * 1024 * 1024
#: Of a pipeline so many failed jobs are looked at.
MOST_JOBS = 10
MOST_LINES = 20_000
#: Among so many of the last pipelines of a ref the job is looked for.
LOOKED_BACK = 50


@dataclass(frozen=True, slots=True)
class NewErrors:
    """The new error lines of `job`. `compared`: the run of the same job that they are new against, None where there
    is none. `readable`: whether the visitor may read the logs; where not, no line is told.
    """

    job: Job
    compared: Job | None
    lines: list[ErrorLine]
    readable: bool = True


def new_errors(core: Core, pipeline: Pipeline, user: User | None) -> list[NewErrors]:
    """The new error lines of the first jobs of `pipeline` that failed, as `user` may read them."""
    failed = core.session.scalars(
        select(Job)
        .where(Job.pipeline_id == pipeline.id, Job.status == status.FAILED, Job.retried.is_(False))
        .where(Job.bridge.is_(False))
        .order_by(Job.allow_failure, Job.stage_index, Job.id)
        .limit(MOST_JOBS)
    ).all()
    return [_of_job(core, pipeline, job, user) for job in failed]


def _of_job(core: Core, pipeline: Pipeline, job: Job, user: User | None) -> NewErrors:
    compared = reference_job(core, pipeline, job)
    try:
        for one in (job, compared):
            if one is not None:
                require_trace(core, one, user)
    except SkerryError:
        return NewErrors(job, compared, [], readable=False)
    before = _last_lines(core, compared, READ_BEFORE) if compared else []
    return NewErrors(job, compared, new_error_lines(_last_lines(core, job, READ_FAILED), before))


def reference_job(core: Core, pipeline: Pipeline, job: Job) -> Job | None:
    """The last run of the same job before `pipeline` that passed: on its own ref, else on the default branch; else the
    last one on its ref that failed, so that at least what has failed already is not told as new.
    """
    refs = dict.fromkeys((pipeline.ref, pipeline.project.default_branch))
    for ref in refs:
        found = core.session.scalar(_runs_before(core, pipeline, job, ref).where(Job.status == status.SUCCESS))
        if found is not None:
            return found
    return core.session.scalar(_runs_before(core, pipeline, job, pipeline.ref).where(Job.status == status.FAILED))


def _runs_before(core: Core, pipeline: Pipeline, job: Job, ref: str) -> Select[Job]:
    earlier = core.session.scalars(
        select(Pipeline.id)
        .where(Pipeline.project_id == pipeline.project_id, Pipeline.ref == ref, Pipeline.id < pipeline.id)
        .order_by(Pipeline.id.desc())
        .limit(LOOKED_BACK)
    ).all()
    query = select(Job).where(Job.pipeline_id.in_(earlier), Job.name == job.name, Job.erased_at.is_(None))
    return query.order_by(Job.pipeline_id.desc(), Job.id.desc()).limit(1)


def _last_lines(core: Core, job: Job, limit: int) -> Sequence[str]:
    """The last lines of the log's last bytes, each cut at a length; the first is left out where it is half a line."""
    with open_trace(core, job) as trace:
        start = max(0, trace.size - limit)
        trace.seek(start)
        lines = trace.read(limit).decode("utf-8", "replace").split("\n")
    whole = lines[1:] if start else lines
    return [line[: LONGEST_LINE * 2] for line in whole[-MOST_LINES:]]
