"""Jobs: the union of what the API showed in 2017 and what it shows today."""

from typing import Any, Literal, NotRequired, TypedDict

from app.api.gitlab_v4.openapi.shapes.common import Status, Time
from app.api.gitlab_v4.openapi.shapes.pipelines import PipelineBasic
from app.api.gitlab_v4.openapi.shapes.repositories import PipelineCommit
from app.api.gitlab_v4.openapi.shapes.runners import Runner, RunnerManager
from app.api.gitlab_v4.openapi.shapes.users import User


class JobProject(TypedDict):
    """What a job says of its project."""

    ci_job_token_scope_enabled: bool


class JobBasic(TypedDict):
    """What a job and a trigger job have in common. Durations are seconds."""

    id: int
    status: Status
    stage: str
    name: str
    ref: str
    tag: bool
    coverage: float | None
    allow_failure: bool
    created_at: Time
    started_at: Time | None
    finished_at: Time | None
    erased_at: Time | None
    duration: float | None
    queued_duration: float | None
    user: User | None
    commit: PipelineCommit
    pipeline: PipelineBasic
    web_url: str
    project: JobProject
    archived: bool
    source: str
    failure_reason: NotRequired[str | None]


class ArtifactsFile(TypedDict):
    """A job's archive."""

    filename: str
    size: int


class Artifact(TypedDict):
    """A file that a job left."""

    file_type: str
    size: int
    filename: str
    file_format: str | None


class Job(JobBasic):
    """A job."""

    artifacts_file: ArtifactsFile | None
    download_url: str | None
    artifacts: list[Artifact]
    artifacts_expire_at: Time | None
    runner: Runner | None
    runner_manager: RunnerManager | None
    tag_list: list[str]


class TriggerJob(JobBasic):
    """A job that starts another pipeline; null where the caller may not see that one."""

    downstream_pipeline: PipelineBasic | None


class ArchiveEntry(TypedDict):
    """A file or folder in a job's archive."""

    name: str
    path: str
    type: Literal["file", "directory"]
    size: int | None
    mode: str


class Numbered(TypedDict):
    """Something by its id."""

    id: int


class AgentProject(Numbered):
    """A job's project, with the groups it lies in."""

    groups: list[Numbered]


class AgentUser(Numbered):
    """Who started a job."""

    username: str


class AllowedAgents(TypedDict):
    """Which Kubernetes agents a job may use: none."""

    allowed_agents: list[Any]
    job: Numbered
    pipeline: Numbered
    project: AgentProject
    user: AgentUser | None
