"""Runners and their managers."""

from typing import Literal, TypedDict

from app.api.gitlab_v4.openapi.shapes.common import Time
from app.api.gitlab_v4.openapi.shapes.users import UserBasic

Seen = Literal["online", "offline", "stale", "never_contacted"]
Busy = Literal["active", "idle"]


class Runner(TypedDict):
    """A runner in a list or a job."""

    id: int
    description: str
    ip_address: None
    active: bool
    paused: bool
    is_shared: bool
    runner_type: Literal["instance_type", "group_type", "project_type"]
    name: str
    online: bool | None
    created_by: UserBasic | None
    created_at: Time
    status: Seen
    job_execution_status: Busy


class RunnerProject(TypedDict):
    """A project whose jobs alone a runner takes."""

    id: int
    name: str
    name_with_namespace: str
    path: str
    path_with_namespace: str
    web_url: str


class RunnerGroup(TypedDict):
    """A group whose jobs alone a runner takes."""

    id: int
    name: str
    web_url: str


class RunnerDetails(Runner):
    """A runner by itself."""

    tag_list: list[str]
    run_untagged: bool
    locked: bool
    maximum_timeout: int | None
    access_level: Literal["not_protected", "ref_protected"]
    version: str | None
    revision: str | None
    platform: str | None
    architecture: str | None
    contacted_at: Time | None
    maintenance_note: str | None
    projects: list[RunnerProject]
    groups: list[RunnerGroup]


class RunnerManager(TypedDict):
    """One daemon that works with a runner's token."""

    id: int
    system_id: str
    version: str | None
    revision: str | None
    platform: str | None
    architecture: str | None
    created_at: Time
    contacted_at: Time | None
    ip_address: str | None
    status: Seen
    job_execution_status: Busy


class MadeRunner(TypedDict):
    """A new runner with its token, which is shown this once."""

    id: int
    token: str
    token_expires_at: Time | None


class RunnerToken(TypedDict):
    """A runner's new token."""

    token: str
    token_expires_at: Time | None
