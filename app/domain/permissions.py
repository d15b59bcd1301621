"""Who may do what in a project: one table (gitlab.md B.2 and the same rules in its neighbours)."""

from collections.abc import Mapping
from enum import IntEnum, StrEnum
from typing import NamedTuple


class Role(IntEnum):
    """What a member of a project or group is, in GitLab's numbers. NONE: no member."""

    NONE = 0
    GUEST = 10
    REPORTER = 20
    DEVELOPER = 30
    MAINTAINER = 40
    OWNER = 50


class Visibility(StrEnum):
    """Who may see a project: its members, everyone who is signed in, everyone."""

    PRIVATE = "private"
    INTERNAL = "internal"
    PUBLIC = "public"


class Action(StrEnum):
    """What somebody wants to do in one project."""

    READ_PROJECT = "read_project"
    READ_CODE = "read_code"
    READ_PIPELINE = "read_pipeline"
    READ_JOB = "read_job"
    READ_TRACE = "read_trace"
    READ_DEBUG_TRACE = "read_debug_trace"
    READ_ARTIFACTS = "read_artifacts"
    READ_ENVIRONMENTS = "read_environments"
    READ_MEMBERS = "read_members"
    READ_RUNNERS = "read_runners"
    READ_SCHEDULES = "read_schedules"
    LINT = "lint"
    CREATE_PIPELINE = "create_pipeline"
    UPDATE_PIPELINE = "update_pipeline"
    DESTROY_PIPELINE = "destroy_pipeline"
    UPDATE_JOB = "update_job"
    FORCE_CANCEL_JOB = "force_cancel_job"
    KEEP_ARTIFACTS = "keep_artifacts"
    ERASE_JOB = "erase_job"
    ERASE_ANY_JOB = "erase_any_job"
    ADMIN_ENVIRONMENTS = "admin_environments"
    STOP_ENVIRONMENT = "stop_environment"
    READ_RELEASES = "read_releases"
    ADMIN_RELEASES = "admin_releases"
    PUSH = "push"
    PUSH_PROTECTED = "push_protected"
    CREATE_SCHEDULE = "create_schedule"
    ADMIN_SCHEDULES = "admin_schedules"
    ADMIN_TRIGGERS = "admin_triggers"
    ADMIN_VARIABLES = "admin_variables"
    ADMIN_RUNNERS = "admin_runners"
    ADMIN_MEMBERS = "admin_members"
    ADMIN_PROJECT = "admin_project"
    DESTROY_PROJECT = "destroy_project"


class _Open(StrEnum):
    """Whom an action is open to beyond the members with the least role."""

    NOBODY = "members only"
    VIEWERS = "all who may see the project"
    PIPELINES = "all who may see the project, while its pipelines are public"


class _Rule(NamedTuple):
    least: Role
    open_to: _Open = _Open.NOBODY


# An action is allowed to members from the least role on, and to those that the second column lets in.
# Viewers of a project are its members (guests too); of an internal one everyone signed in; of a public one everyone.
TABLE: Mapping[Action, _Rule] = {
    Action.READ_PROJECT: _Rule(Role.GUEST, _Open.VIEWERS),
    Action.READ_MEMBERS: _Rule(Role.GUEST),
    Action.READ_PIPELINE: _Rule(Role.REPORTER, _Open.PIPELINES),
    Action.READ_JOB: _Rule(Role.REPORTER, _Open.PIPELINES),
    Action.READ_TRACE: _Rule(Role.REPORTER, _Open.PIPELINES),
    Action.READ_ARTIFACTS: _Rule(Role.REPORTER, _Open.PIPELINES),
    Action.READ_CODE: _Rule(Role.REPORTER),  # and all viewers, where the project is not private: see `allowed`
    Action.READ_ENVIRONMENTS: _Rule(Role.REPORTER, _Open.PIPELINES),
    Action.READ_RELEASES: _Rule(Role.GUEST, _Open.VIEWERS),
    Action.READ_DEBUG_TRACE: _Rule(Role.DEVELOPER),
    Action.READ_SCHEDULES: _Rule(Role.REPORTER),  # and all viewers, where the project is not private: see `allowed`
    Action.LINT: _Rule(Role.DEVELOPER),
    Action.CREATE_PIPELINE: _Rule(Role.DEVELOPER),
    Action.UPDATE_PIPELINE: _Rule(Role.DEVELOPER),
    Action.UPDATE_JOB: _Rule(Role.DEVELOPER),
    Action.KEEP_ARTIFACTS: _Rule(Role.DEVELOPER),
    Action.ERASE_JOB: _Rule(Role.DEVELOPER),  # the user's own; the caller asks ERASE_ANY_JOB for others'
    Action.ADMIN_ENVIRONMENTS: _Rule(Role.DEVELOPER),
    Action.STOP_ENVIRONMENT: _Rule(Role.DEVELOPER),
    Action.ADMIN_RELEASES: _Rule(Role.DEVELOPER),
    Action.PUSH: _Rule(Role.DEVELOPER),
    Action.CREATE_SCHEDULE: _Rule(Role.DEVELOPER),
    Action.PUSH_PROTECTED: _Rule(Role.MAINTAINER),  # unless the ref's own rule says otherwise
    Action.ERASE_ANY_JOB: _Rule(Role.MAINTAINER),
    Action.FORCE_CANCEL_JOB: _Rule(Role.MAINTAINER),
    Action.READ_RUNNERS: _Rule(Role.MAINTAINER),
    Action.ADMIN_SCHEDULES: _Rule(Role.MAINTAINER),
    Action.ADMIN_TRIGGERS: _Rule(Role.MAINTAINER),
    Action.ADMIN_VARIABLES: _Rule(Role.MAINTAINER),
    Action.ADMIN_RUNNERS: _Rule(Role.MAINTAINER),
    Action.ADMIN_MEMBERS: _Rule(Role.MAINTAINER),
    Action.ADMIN_PROJECT: _Rule(Role.MAINTAINER),
    Action.DESTROY_PIPELINE: _Rule(Role.OWNER),
    Action.DESTROY_PROJECT: _Rule(Role.OWNER),
}


def allowed(
    action: Action,
    *,
    role: Role = Role.NONE,
    is_admin: bool = False,
    visibility: str = Visibility.PRIVATE,
    signed_in: bool = True,
    public_pipelines: bool = True,
) -> bool:
    """Whether somebody with `role` in the project may do `action`. An anonymous caller has no role and no `signed_in`.

    `public_pipelines` is the project's setting that lets every viewer see pipelines, jobs, logs and artifacts.
    """
    if is_admin:
        return True
    rule = TABLE[action]
    if role >= rule.least:
        return True
    outsider = visibility == Visibility.PUBLIC or (visibility == Visibility.INTERNAL and signed_in)
    if action in (Action.READ_CODE, Action.READ_SCHEDULES):
        return outsider
    viewer = outsider or role >= Role.GUEST
    return viewer and (rule.open_to is _Open.VIEWERS or (rule.open_to is _Open.PIPELINES and public_pipelines))
