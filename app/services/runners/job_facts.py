"""What is told of a job to its runner, read by one statement that is put together once."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import bindparam, exists, func, literal_column, select
from sqlalchemy.orm import joinedload, load_only

from app.domain import status
from app.models import (
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


@dataclass(frozen=True, slots=True)
class Facts:
    """A job with its pipeline, project, user and runner. `running`: how many jobs its project has on instance runners,
    with this one; `instance`: this server's name. Whether its pipeline is of a merge request, and whether any
    definition of its project has variables.
    """

    job: Job
    running: int
    instance: str | None
    of_merge_request: bool
    of_definition: bool


def read_facts(core: Core, job_id: int) -> Facts:
    """The job as it is now. Raises NoResultFound."""
    job, running, instance, linked, set_apart = core.session.execute(_FACTS, {"job_id": job_id}).one()
    return Facts(job, running, instance, bool(linked), bool(set_apart))


#: What is told of each, or decides what is told. Anything else is read when it is asked for.
_OF_JOB = (
    *("name", "stage", "stage_index", "project_id", "pipeline_id", "user_id", "runner_id", "timeout", "protected"),
    *("delivers", "created_at", "queued_at", "claimed_at", "started_at", "plan", "variables_sealed"),
)
_OF_PIPELINE = (
    *("iid", "project_id", "definition_id", "source_pipeline_id", "name", "ref", "tag", "protected", "sha"),
    *("before_sha", "source", "commit", "trigger_short_token", "created_at", "variables_sealed"),
)
_OF_PROJECT = (
    *("group_id", "path", "full_path", "name", "description", "visibility", "repository", "default_branch"),
    *("config_path", "git_strategy", "git_depth"),
)
_OF_RUNNER = ("runner_type", "maximum_timeout", "description", "tags")
_project = joinedload(Job.project, innerjoin=True)


def _facts() -> Any:
    instance = select(Setting.value).where(Setting.name == "instance_id").scalar_subquery()
    # Written out, because only so a database sees that the index of running jobs will do.
    running = Job.status == literal_column(f"'{status.RUNNING}'")
    here = select(Job.project_id).where(Job.id == bindparam("job_id")).scalar_subquery()
    on_instance = Job.runner_id.in_(select(Runner.id).where(Runner.runner_type == "instance_type"))
    others = select(func.count()).select_from(Job).where(running, Job.project_id == here, on_instance)
    linked = exists().where(MergeRequestPipeline.pipeline_id == Job.pipeline_id)
    definitions = select(PipelineDefinition.id).where(PipelineDefinition.project_id == Job.project_id)
    set_apart = exists().where(DefinitionVariable.definition_id.in_(definitions.correlate(Job)))
    return (
        select(Job, others.scalar_subquery(), instance, linked.correlate(Job), set_apart.correlate(Job))
        .where(Job.id == bindparam("job_id"))
        .options(
            load_only(*(getattr(Job, name) for name in _OF_JOB)),
            joinedload(Job.pipeline, innerjoin=True).load_only(*(getattr(Pipeline, name) for name in _OF_PIPELINE)),
            _project.load_only(*(getattr(Project, name) for name in _OF_PROJECT)),
            _project.joinedload(Project.group, innerjoin=True).load_only(Group.parent_id),
            joinedload(Job.user).load_only(User.username, User.name, User.email),
            joinedload(Job.runner).load_only(*(getattr(Runner, name) for name in _OF_RUNNER)),
        )
        .execution_options(populate_existing=True)
    )


_FACTS = _facts()
