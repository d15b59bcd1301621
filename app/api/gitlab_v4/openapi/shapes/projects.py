"""Projects, and what is kept for them: variables, resource groups, environments, releases."""

from typing import Any, Literal, NotRequired, TypedDict

from app.api.gitlab_v4.openapi.shapes.common import Level, Status, Time
from app.api.gitlab_v4.openapi.shapes.jobs import Job
from app.api.gitlab_v4.openapi.shapes.repositories import BareCommit
from app.api.gitlab_v4.openapi.shapes.users import UserBasic


class Namespace(TypedDict):
    """The group that a project lies in."""

    id: int
    name: str
    path: str
    kind: Literal["group", "user"]
    full_path: str
    parent_id: int | None
    avatar_url: None
    web_url: str


class ProjectLinks(TypedDict):
    """Addresses about a project."""

    self: str
    members: str
    events: NotRequired[str]
    repo_branches: NotRequired[str]


class Access(TypedDict):
    """The caller's role."""

    access_level: int
    notification_level: int


class Permissions(TypedDict):
    """The caller's role in a project, and in its group."""

    project_access: Access | None
    group_access: Access | None


class ProjectBasic(TypedDict):
    """A project as everyone sees it."""

    id: int
    description: str | None
    name: str
    name_with_namespace: str
    path: str
    path_with_namespace: str
    created_at: Time
    default_branch: str
    tag_list: list[str]
    topics: list[str]
    ssh_url_to_repo: None
    http_url_to_repo: str
    web_url: str
    readme_url: None
    avatar_url: None
    forks_count: int
    star_count: int
    last_activity_at: Time
    visibility: Level
    namespace: Namespace


class ProjectSettings(ProjectBasic, total=False):
    """A project; with its settings for who is signed in."""

    _links: ProjectLinks
    archived: bool
    jobs_enabled: bool
    builds_access_level: Literal["enabled", "private"]
    shared_runners_enabled: bool
    group_runners_enabled: bool
    public_jobs: bool
    build_timeout: int
    auto_cancel_pending_pipelines: Literal["enabled", "disabled"]
    build_git_strategy: str
    ci_default_git_depth: int | None
    ci_job_token_scope_enabled: bool
    ci_separated_caches: bool
    ci_config_path: str
    ci_forward_deployment_enabled: bool
    ci_forward_deployment_rollback_allowed: bool
    ci_allow_fork_pipelines_to_run_in_parent_project: bool
    ci_id_token_sub_claim_components: list[str]
    ci_delete_pipelines_in_seconds: int | None
    keep_latest_artifact: bool
    runners_token: str | None
    ci_push_repository_for_job_token_allowed: bool
    only_allow_merge_if_pipeline_succeeds: bool
    runner_token_expiration_interval: None
    ci_pipeline_variables_minimum_override_role: str
    restrict_user_defined_variables: bool
    creator_id: int | None
    mirror: bool
    permissions: Permissions


class Project(ProjectSettings):
    """A project by itself."""

    empty_repo: bool


class PullMirror(TypedDict):
    """Where a mirrored project is fetched from, and how that went."""

    id: int
    enabled: bool
    url: str | None
    update_status: Literal["none", "scheduled", "started", "finished", "failed"]
    last_error: str | None
    last_update_started_at: Time | None
    last_successful_update_at: Time | None


class JobTokenScope(TypedDict):
    """Whether other projects' job tokens need a grant."""

    inbound_enabled: bool
    outbound_enabled: bool


class ProjectGrant(TypedDict):
    """That another project's job tokens count in a project."""

    source_project_id: int
    target_project_id: int


class GroupGrant(TypedDict):
    """That the job tokens of a group's projects count in a project."""

    source_project_id: int
    target_group_id: int


class Variable(TypedDict):
    """A CI variable; the value of a hidden one is never shown."""

    variable_type: Literal["env_var", "file"]
    key: str
    value: str | None
    hidden: bool
    protected: bool
    masked: bool
    raw: bool
    environment_scope: str
    description: str | None


class ResourceGroup(TypedDict):
    """A name that jobs share, one at a time."""

    id: int
    key: str
    process_mode: str
    created_at: Time
    updated_at: Time


class EnvironmentBasic(TypedDict):
    """An environment, as mentioned by a deployment."""

    id: int
    name: str
    slug: str
    external_url: str | None
    created_at: Time
    updated_at: Time


class Environment(EnvironmentBasic):
    """An environment in a list."""

    description: str | None
    tier: str
    state: Literal["available", "stopping", "stopped"]
    auto_stop_at: Time | None
    auto_stop_setting: str
    kubernetes_namespace: None
    flux_resource_path: None
    cluster_agent: None


class Deployment(TypedDict):
    """What was brought to an environment."""

    id: int
    iid: int
    ref: str
    sha: str
    status: Status | Literal["blocked"]
    created_at: Time
    updated_at: Time
    finished_at: Time | None
    user: UserBasic | None
    environment: EnvironmentBasic
    deployable: Job | None


class EnvironmentDetails(Environment):
    """An environment by itself, with the last deployment that succeeded."""

    project: ProjectBasic
    last_deployment: Deployment | None


class ReleaseLink(TypedDict):
    """A link among a release's assets."""

    id: int
    name: str
    url: str
    direct_asset_url: str
    link_type: Literal["other", "runbook", "image", "package"]


class Milestone(TypedDict):
    """A milestone of a release."""

    title: str


class Assets(TypedDict):
    """What a release offers."""

    count: int
    sources: list[Any]
    links: list[ReleaseLink]


class ReleaseLinks(TypedDict):
    """Addresses about a release."""

    self: str


class Release(TypedDict):
    """A release; the commit's fields only for those who may see code."""

    tag_name: str
    name: str | None
    description: str | None
    created_at: Time
    released_at: Time
    upcoming_release: bool
    author: UserBasic | None
    milestones: list[Milestone]
    evidences: list[Any]
    assets: Assets
    _links: ReleaseLinks
    commit: NotRequired[BareCommit | None]
    commit_path: NotRequired[str]
    tag_path: NotRequired[str]
