"""What the audit log knows: who acts, and the actions that leave a row."""

from dataclasses import dataclass
from enum import StrEnum


@dataclass(frozen=True, slots=True)
class Caller:
    """Who acts, from where. `user_id` None and `name` empty: nobody who is known.

    `way`: how they were known, such as `session`, `token deploy` or `job 12`. Without a request it is the server itself
    or its operator at the command line.
    """

    user_id: int | None = None
    name: str = ""
    address: str = ""
    way: str = "server"


class Act(StrEnum):
    """An action, by its subject and what was done to it."""

    SIGNED_IN = "session.started"
    SIGN_IN_FAILED = "session.refused"
    SIGNED_OUT_EVERYWHERE = "session.ended"
    SESSION_REVOKED = "session.revoked"
    USER_CREATED = "user.created"
    USER_CHANGED = "user.changed"
    USER_REMOVED = "user.removed"
    USER_BLOCKED = "user.blocked"
    USER_UNBLOCKED = "user.unblocked"
    PASSWORD_CHANGED = "user.password"  # noqa: S105 - the name of an action
    TOKEN_CREATED = "token.created"  # noqa: S105 - the name of an action
    TOKEN_REVOKED = "token.revoked"  # noqa: S105 - the name of an action
    TOKEN_ROTATED = "token.rotated"  # noqa: S105 - the name of an action
    PROJECT_CREATED = "project.created"
    PROJECT_CHANGED = "project.changed"
    PROJECT_DELETED = "project.deleted"
    GROUP_CREATED = "group.created"
    GROUP_CHANGED = "group.changed"
    GROUP_DELETED = "group.deleted"
    MEMBER_ADDED = "member.added"
    MEMBER_CHANGED = "member.changed"
    MEMBER_REMOVED = "member.removed"
    VARIABLE_CREATED = "variable.created"
    VARIABLE_CHANGED = "variable.changed"
    VARIABLE_REMOVED = "variable.removed"
    REF_PROTECTED = "protection.created"
    PROTECTION_CHANGED = "protection.changed"
    REF_UNPROTECTED = "protection.removed"
    TRIGGER_CREATED = "trigger.created"
    TRIGGER_REMOVED = "trigger.removed"
    SCHEDULE_CREATED = "schedule.created"
    SCHEDULE_CHANGED = "schedule.changed"
    SCHEDULE_REMOVED = "schedule.removed"
    RUNNER_CREATED = "runner.created"
    RUNNER_CHANGED = "runner.changed"
    RUNNER_PAUSED = "runner.paused"
    RUNNER_RESUMED = "runner.resumed"
    RUNNER_REMOVED = "runner.removed"
    RUNNER_TOKEN_RESET = "runner.token"  # noqa: S105 - the name of an action
    RUNNER_SHARED = "runner.shared"
    RUNNER_UNSHARED = "runner.unshared"
    REGISTRATION_RESET = "registration.token"
    JOB_TOKENS_LIMITED = "job_tokens.changed"
    JOB_TOKENS_GRANTED = "job_tokens.granted"
    JOB_TOKENS_REVOKED = "job_tokens.revoked"
    JOB_ERASED = "job.erased"
    PIPELINE_DELETED = "pipeline.deleted"
