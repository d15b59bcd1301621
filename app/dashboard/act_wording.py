"""Rows of the audit log in words."""

from collections.abc import Iterator, Mapping
from typing import Any

from app.domain.audit import Act
from app.domain.permissions import Role

WORDS: Mapping[Act, str] = {
    Act.SIGNED_IN: "signed in as",
    Act.SIGN_IN_FAILED: "failed to sign in as",
    Act.SIGNED_OUT_EVERYWHERE: "ended all sessions of",
    Act.SESSION_REVOKED: "ended one session of",
    Act.USER_CREATED: "created the user",
    Act.USER_CHANGED: "changed the rights of",
    Act.USER_REMOVED: "removed the user",
    Act.USER_BLOCKED: "shut out",
    Act.USER_UNBLOCKED: "let in again",
    Act.PASSWORD_CHANGED: "changed the password of",
    Act.TOKEN_CREATED: "created the access token",
    Act.TOKEN_REVOKED: "revoked the access token",
    Act.TOKEN_ROTATED: "replaced the access token",
    Act.PROJECT_CREATED: "created the project",
    Act.PROJECT_CHANGED: "changed the settings of",
    Act.PROJECT_DELETED: "deleted the project",
    Act.GROUP_CREATED: "created the group",
    Act.GROUP_CHANGED: "changed the group",
    Act.GROUP_DELETED: "deleted the group",
    Act.MEMBER_ADDED: "added the member",
    Act.MEMBER_CHANGED: "changed the role of",
    Act.MEMBER_REMOVED: "removed the member",
    Act.VARIABLE_CREATED: "added the variable",
    Act.VARIABLE_CHANGED: "changed the variable",
    Act.VARIABLE_REMOVED: "removed the variable",
    Act.REF_PROTECTED: "protected the",
    Act.PROTECTION_CHANGED: "changed the protection of the",
    Act.REF_UNPROTECTED: "removed the protection of the",
    Act.TRIGGER_CREATED: "created the trigger",
    Act.TRIGGER_REMOVED: "revoked the trigger",
    Act.SCHEDULE_CREATED: "created the schedule",
    Act.SCHEDULE_CHANGED: "changed the schedule",
    Act.SCHEDULE_REMOVED: "removed the schedule",
    Act.RUNNER_CREATED: "created the runner",
    Act.RUNNER_CHANGED: "changed the runner",
    Act.RUNNER_PAUSED: "paused the runner",
    Act.RUNNER_RESUMED: "resumed the runner",
    Act.RUNNER_REMOVED: "removed the runner",
    Act.RUNNER_TOKEN_RESET: "replaced the token of the runner",
    Act.RUNNER_SHARED: "shared the runner",
    Act.RUNNER_UNSHARED: "no longer shares the runner",
    Act.REGISTRATION_RESET: "replaced the registration token of",
    Act.JOB_TOKENS_LIMITED: "changed what other projects' job tokens may do in",
    Act.JOB_TOKENS_GRANTED: "lets in job tokens of",
    Act.JOB_TOKENS_REVOKED: "no longer lets in job tokens of",
    Act.JOB_ERASED: "erased the job",
    Act.PIPELINE_DELETED: "deleted the pipeline",
}
_BY_NAME = {act.value: words for act, words in WORDS.items()}
_LABELS = {"is_admin": "administrator"}
_ROLES = {int(role): "nothing" if role == Role.NONE else role.name.lower() for role in Role}


def act_words(action: str) -> str:
    """What was done, to be followed by its target; an action of a newer version as it is called."""
    return _BY_NAME.get(action, action)


def act_details(details: Mapping[str, Any]) -> Iterator[str]:
    """A line for each detail: `visibility: private → public`."""
    for name, value in details.items():
        label = _LABELS.get(name, name.replace("_", " "))
        if isinstance(value, list) and len(value) == 2 and name != "scopes" and name != "changed":
            yield f"{label}: {_word(name, value[0])} → {_word(name, value[1])}"
        else:
            yield f"{label}: {_word(name, value)}"


def _word(name: str, value: Any) -> str:
    if name.endswith("role") and value in _ROLES and not isinstance(value, bool):
        return _ROLES[value]
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(map(str, value)) or "nothing"
    return "nothing" if value in (None, "") else str(value)
