"""Why jobs fail: every reason, whose fault it is, a sentence for a user, and what is retried (gitlab.md B.1, C.8)."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from app.domain.plan import RetryPolicy


class Fault(StrEnum):
    """Whose fault a failure is, and so who has to do something."""

    SCRIPT = "script"  # the job's author: it ran, and said no
    CONFIGURATION = "configuration"  # the job's author: it asks for what cannot be had
    PERMISSION = "permission"  # someone may not do this, or a limit is reached
    RUNNER = "runner"  # the runner or its host
    SERVER = "server"  # the server


@dataclass(frozen=True, slots=True)
class Reason:
    """One failure reason. `sentence` needs no context and ends with a full stop."""

    name: str
    fault: Fault
    sentence: str


UNKNOWN_FAILURE = "unknown_failure"
SCRIPT_FAILURE = "script_failure"
API_FAILURE = "api_failure"
STUCK_OR_TIMEOUT_FAILURE = "stuck_or_timeout_failure"
RUNNER_SYSTEM_FAILURE = "runner_system_failure"
IMAGE_PULL_FAILURE = "image_pull_failure"
MISSING_DEPENDENCY_FAILURE = "missing_dependency_failure"
RUNNER_UNSUPPORTED = "runner_unsupported"
STALE_SCHEDULE = "stale_schedule"
JOB_EXECUTION_TIMEOUT = "job_execution_timeout"
ARCHIVED_FAILURE = "archived_failure"
UNMET_PREREQUISITES = "unmet_prerequisites"
SCHEDULER_FAILURE = "scheduler_failure"
DATA_INTEGRITY_FAILURE = "data_integrity_failure"
FORWARD_DEPLOYMENT_FAILURE = "forward_deployment_failure"
USER_BLOCKED = "user_blocked"
PROJECT_DELETED = "project_deleted"
CI_QUOTA_EXCEEDED = "ci_quota_exceeded"
PIPELINE_LOOP_DETECTED = "pipeline_loop_detected"
NO_MATCHING_RUNNER = "no_matching_runner"
TRACE_SIZE_EXCEEDED = "trace_size_exceeded"
BUILDS_DISABLED = "builds_disabled"
ENVIRONMENT_CREATION_FAILURE = "environment_creation_failure"
DEPLOYMENT_REJECTED = "deployment_rejected"
FAILED_OUTDATED_DEPLOYMENT_JOB = "failed_outdated_deployment_job"
JOB_EXECUTION_SERVER_TIMEOUT = "job_execution_server_timeout"
STUCK_PENDING_WITH_MATCHING_RUNNERS = "stuck_pending_with_matching_runners"
STUCK_PENDING_NO_MATCHING_RUNNERS = "stuck_pending_no_matching_runners"
NO_UPDATES_RUNNING = "no_updates_running"
NO_UPDATES_CANCELING = "no_updates_canceling"
SERVER_TIMEOUT_RUNNING = "server_timeout_running"
SERVER_TIMEOUT_CANCELING = "server_timeout_canceling"
RUNNER_CONFIGURATION_ERROR = "runner_configuration_error"
RUNNER_EXTERNAL_DEPENDENCY_FAILURE = "runner_external_dependency_failure"
RUNNER_INTERRUPTED = "runner_interrupted"
PROTECTED_ENVIRONMENT_FAILURE = "protected_environment_failure"
INSUFFICIENT_BRIDGE_PERMISSIONS = "insufficient_bridge_permissions"
DOWNSTREAM_BRIDGE_PROJECT_NOT_FOUND = "downstream_bridge_project_not_found"
INVALID_BRIDGE_TRIGGER = "invalid_bridge_trigger"
UPSTREAM_BRIDGE_PROJECT_NOT_FOUND = "upstream_bridge_project_not_found"
INSUFFICIENT_UPSTREAM_PERMISSIONS = "insufficient_upstream_permissions"
BRIDGE_PIPELINE_IS_CHILD_PIPELINE = "bridge_pipeline_is_child_pipeline"
DOWNSTREAM_PIPELINE_CREATION_FAILED = "downstream_pipeline_creation_failed"
SECRETS_PROVIDER_NOT_FOUND = "secrets_provider_not_found"
REACHED_MAX_DESCENDANT_PIPELINES_DEPTH = "reached_max_descendant_pipelines_depth"
IP_RESTRICTION_FAILURE = "ip_restriction_failure"
REACHED_MAX_PIPELINE_HIERARCHY_SIZE = "reached_max_pipeline_hierarchy_size"
REACHED_DOWNSTREAM_PIPELINE_TRIGGER_RATE_LIMIT = "reached_downstream_pipeline_trigger_rate_limit"
DUO_WORKFLOW_NOT_ALLOWED = "duo_workflow_not_allowed"
JOB_ROUTER_FAILURE = "job_router_failure"
JOB_TOKEN_EXPIRED = "job_token_expired"  # noqa: S105 - the name of a failure
ID_TOKEN_BURNED_PROJECT_PATH = "id_token_burned_project_path"  # noqa: S105 - the name of a failure
DOWNSTREAM_PROJECT_TRIGGER_RESOLVED_TO_EMPTY = "downstream_project_trigger_resolved_to_empty"

_SENTENCES: Mapping[Fault, Mapping[str, str]] = {
    Fault.SCRIPT: {
        SCRIPT_FAILURE: "The script ended with an error.",
        JOB_EXECUTION_TIMEOUT: "The job took longer than its timeout allows.",
        JOB_EXECUTION_SERVER_TIMEOUT: "The job took longer than its timeout allows, and the server ended it.",
        SERVER_TIMEOUT_RUNNING: "The job ran past its timeout, and the server ended it.",
        SERVER_TIMEOUT_CANCELING: "The job was being canceled, ran past its timeout, and the server ended it.",
        TRACE_SIZE_EXCEEDED: "The job's log grew beyond the limit.",
    },
    Fault.CONFIGURATION: {
        IMAGE_PULL_FAILURE: "A container image could not be fetched.",
        MISSING_DEPENDENCY_FAILURE: "Artifacts that the job depends on have expired or were erased.",
        RUNNER_UNSUPPORTED: "The job needs something that its runner cannot do.",
        RUNNER_CONFIGURATION_ERROR: "The job asks for something that its runner does not allow.",
        NO_MATCHING_RUNNER: "No runner matches the job's tags.",
        STUCK_PENDING_NO_MATCHING_RUNNERS: "The job waited too long: no runner that is online can take it.",
        ARCHIVED_FAILURE: "The job is too old to run.",
        UNMET_PREREQUISITES: "Something that the job requires could not be prepared.",
        INVALID_BRIDGE_TRIGGER: "The trigger of a downstream pipeline is not valid.",
        DOWNSTREAM_BRIDGE_PROJECT_NOT_FOUND: "The downstream project was not found.",
        UPSTREAM_BRIDGE_PROJECT_NOT_FOUND: "The upstream project was not found.",
        DOWNSTREAM_PIPELINE_CREATION_FAILED: "The downstream pipeline could not be created.",
        DOWNSTREAM_PROJECT_TRIGGER_RESOLVED_TO_EMPTY: "The downstream project's name came out empty.",
        PIPELINE_LOOP_DETECTED: "The downstream pipelines would start each other without end.",
        BRIDGE_PIPELINE_IS_CHILD_PIPELINE: "A child pipeline cannot be triggered in this way.",
        ENVIRONMENT_CREATION_FAILURE: "The environment could not be created.",
        SECRETS_PROVIDER_NOT_FOUND: "The provider of a secret is not configured.",
    },
    Fault.PERMISSION: {
        USER_BLOCKED: "The user who started the job is blocked.",
        PROJECT_DELETED: "The project is being deleted.",
        BUILDS_DISABLED: "Pipelines are switched off in the project.",
        CI_QUOTA_EXCEEDED: "There is no compute time left.",
        PROTECTED_ENVIRONMENT_FAILURE: "The environment is protected, and the user may not deploy to it.",
        FORWARD_DEPLOYMENT_FAILURE: "A newer deployment was made, so this older one was not run.",
        FAILED_OUTDATED_DEPLOYMENT_JOB: "A newer deployment was made, so this older one was not run.",
        DEPLOYMENT_REJECTED: "The deployment was rejected.",
        INSUFFICIENT_BRIDGE_PERMISSIONS: "The user may not start pipelines in the downstream project.",
        INSUFFICIENT_UPSTREAM_PERMISSIONS: "The user may not read the upstream project.",
        REACHED_MAX_DESCENDANT_PIPELINES_DEPTH: "Child pipelines are nested too deeply.",
        REACHED_MAX_PIPELINE_HIERARCHY_SIZE: "The pipeline has too many downstream pipelines.",
        REACHED_DOWNSTREAM_PIPELINE_TRIGGER_RATE_LIMIT: "Too many downstream pipelines were started in a short time.",
        IP_RESTRICTION_FAILURE: "The address is not allowed to reach the group.",
        DUO_WORKFLOW_NOT_ALLOWED: "Workflows of that kind are not allowed here.",
        JOB_TOKEN_EXPIRED: "The job's token expired.",
        ID_TOKEN_BURNED_PROJECT_PATH: "The project's path was used before, so no identity token is made for it.",
    },
    Fault.RUNNER: {
        RUNNER_SYSTEM_FAILURE: "The runner failed, not the script.",
        RUNNER_EXTERNAL_DEPENDENCY_FAILURE: "Something that the runner depends on failed, not the script.",
        RUNNER_INTERRUPTED: "The runner was stopped while the job ran.",
        NO_UPDATES_RUNNING: "The runner went quiet while the job ran.",
        NO_UPDATES_CANCELING: "The runner went quiet while the job was being canceled.",
        STUCK_OR_TIMEOUT_FAILURE: "The job got stuck or took too long.",
        STUCK_PENDING_WITH_MATCHING_RUNNERS: "The job waited too long: no matching runner took it.",
        API_FAILURE: "The runner could not talk to the server.",
    },
    Fault.SERVER: {
        UNKNOWN_FAILURE: "The job failed, and nothing says why.",
        SCHEDULER_FAILURE: "The server could not hand the job to a runner.",
        DATA_INTEGRITY_FAILURE: "The server's record of the job is damaged.",
        STALE_SCHEDULE: "The delayed job was not started in time.",
        JOB_ROUTER_FAILURE: "The server could not route the job to a runner.",
    },
}
REASONS: Mapping[str, Reason] = {
    name: Reason(name, fault, sentence) for fault, group in _SENTENCES.items() for name, sentence in group.items()
}

_STUCK = {
    STUCK_PENDING_WITH_MATCHING_RUNNERS,
    STUCK_PENDING_NO_MATCHING_RUNNERS,
    NO_UPDATES_RUNNING,
    NO_UPDATES_CANCELING,
}
_LATE = {SERVER_TIMEOUT_RUNNING, SERVER_TIMEOUT_CANCELING}
_ALIASES: Mapping[str, str] = (
    dict.fromkeys(_STUCK, STUCK_OR_TIMEOUT_FAILURE)
    | dict.fromkeys(_LATE, JOB_EXECUTION_TIMEOUT)
    | {IMAGE_PULL_FAILURE: RUNNER_SYSTEM_FAILURE}
)
_NEVER_RETRIED = {
    CI_QUOTA_EXCEEDED,
    NO_MATCHING_RUNNER,
    MISSING_DEPENDENCY_FAILURE,
    FORWARD_DEPLOYMENT_FAILURE,
    ENVIRONMENT_CREATION_FAILURE,
}
_SCHEDULER_RETRIES = 2


def explain(reason: str | None) -> Reason:
    """The reason of that name; for None and names nobody knows, the unknown failure."""
    return REASONS.get(reason or UNKNOWN_FAILURE, REASONS[UNKNOWN_FAILURE])


def retries_allowed(policy: RetryPolicy, reason: str, exit_code: int | None) -> int:
    """How often a job with `policy` that failed in this way is run again by itself, in all."""
    if reason in _NEVER_RETRIED:
        return 0
    by_reason = {"always", reason, _ALIASES.get(reason, reason)} & set(policy.when)
    if policy.max and (by_reason or exit_code in policy.exit_codes):
        return policy.max
    return _SCHEDULER_RETRIES if reason == SCHEDULER_FAILURE else 0


def should_retry(policy: RetryPolicy, reason: str, exit_code: int | None, retries_so_far: int) -> bool:
    """Whether a job that failed for `reason` is run again, when it was retried `retries_so_far` times already.

    `exit_code` is the script's, None where no script ended. A policy that names exit codes has an empty `when` unless
    it names reasons too (gitlab.md C.8).
    """
    return retries_so_far < retries_allowed(policy, reason, exit_code)
