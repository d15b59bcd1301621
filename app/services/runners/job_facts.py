"""What is told of a job to its runner, read by one statement that is put together once."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any, cast

from sqlalchemy import bindparam, exists, func, literal_column, select

from app.domain import status
from app.models import (
    Base,
    DefinitionVariable,
    Group,
    Job,
    MergeRequestPipeline,
    Pipeline,
    PipelineDefinition,
    Project,
    Runner,
    Setting,
    User,
)
from app.services.core import Core
from app.services.runners.known_columns import known_columns


@dataclass(frozen=True, slots=True)
class Facts:
    """A job with its pipeline, project, user and runner (`known_columns`). `running`: how many jobs its project has on
    instance runners, with this one; `instance`: this server's name. Whether its pipeline is of a merge request, and
    whether any definition of its project has variables.
    """

    job: Job
    running: int
    instance: str | None
    of_merge_request: bool
    of_definition: bool


#: What is told of each, or decides what is told. Anything else is read when it is asked for.
_TOLD: dict[type[Base], tuple[str, ...]] = {
    Job: (
        *("id", "name", "stage", "stage_index", "project_id", "pipeline_id", "user_id", "runner_id", "timeout"),
        *("protected", "delivers", "created_at", "queued_at", "claimed_at", "started_at", "plan", "variables_sealed"),
    ),
    Pipeline: (
        *("id", "iid", "project_id", "definition_id", "source_pipeline_id", "name", "ref", "tag", "protected", "sha"),
        *("before_sha", "source", "commit", "trigger_short_token", "created_at", "variables_sealed"),
    ),
    Project: (
        *("id", "group_id", "path", "full_path", "name", "description", "visibility", "repository", "default_branch"),
        *("config_path", "git_strategy", "git_depth"),
    ),
    Group: ("id", "parent_id"),
    User: ("id", "username", "name", "email"),
    Runner: ("id", "runner_type", "maximum_timeout", "description", "tags"),
}


def read_facts(core: Core, job_id: int) -> Facts:
    """The job as it is now. Raises NoResultFound."""
    row = core.session.connection().execute(_FACTS, {"job_id": job_id}).one()
    cells = iter(row)
    job, pipeline, project, group, user, runner = (_told(core, model, cells) for model in _TOLD)
    project.group = group
    pipeline.project = job.project = project
    job.pipeline, job.user, job.runner = pipeline, user, runner
    running, instance, linked, set_apart = cells
    return Facts(cast(Job, job), running, instance, bool(linked), bool(set_apart))


def _told(core: Core, model: type[Base], cells: Iterator[Any]) -> Any:
    """The next columns of a row; None where there is no such row of that model."""
    names = _TOLD[model]
    columns = dict(zip(names, islice(cells, len(names)), strict=True))
    return None if columns["id"] is None else known_columns(core.session, model, columns)


def _facts() -> Any:
    job: Any = Job.__table__
    instance = select(Setting.value).where(Setting.name == "instance_id").scalar_subquery()
    # Written out, because only so a database sees that the index of running jobs will do.
    running = Job.status == literal_column(f"'{status.RUNNING}'")
    here = select(Job.project_id).where(Job.id == bindparam("job_id")).scalar_subquery()
    on_instance = Job.runner_id.in_(select(Runner.id).where(Runner.runner_type == "instance_type"))
    others = select(func.count()).select_from(Job).where(running, Job.project_id == here, on_instance)
    linked = exists().where(MergeRequestPipeline.pipeline_id == job.c.pipeline_id)
    definitions = select(PipelineDefinition.id).where(PipelineDefinition.project_id == job.c.project_id)
    set_apart = exists().where(DefinitionVariable.definition_id.in_(definitions.correlate(job)))
    told = (model.__table__.c[name] for model, names in _TOLD.items() for name in names)
    return (
        select(*told, others.scalar_subquery(), instance, linked.correlate(job), set_apart.correlate(job))
        .select_from(job)
        .join(Pipeline.__table__, Pipeline.id == job.c.pipeline_id)
        .join(Project.__table__, Project.id == job.c.project_id)
        .join(Group.__table__, Group.id == Project.group_id)
        .outerjoin(User.__table__, User.id == job.c.user_id)
        .outerjoin(Runner.__table__, Runner.id == job.c.runner_id)
        .where(job.c.id == bindparam("job_id"))
    )


_FACTS = _facts()
