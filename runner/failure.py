"""Why a job failed, and failure reasons on their way to a server that may know fewer of them (gitlab.md A.4)."""

from collections.abc import Collection
from dataclasses import dataclass

ALWAYS_KNOWN = frozenset(("script_failure", "runner_system_failure", "job_execution_timeout"))
_FALLBACKS = {
    "image_pull_failure": "runner_system_failure",
    "runner_configuration_error": "script_failure",
    "runner_external_dependency_failure": "runner_system_failure",
    # An interrupted job deserves the same retry as one whose runner broke.
    "runner_interrupted": "runner_system_failure",
}


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a job failed. `system`: the fault is not the script's. `exit_code` is the script's, 0 where there is none."""

    reason: str
    message: str
    exit_code: int = 0
    system: bool = False


def reason_for(reason: str, accepted: Collection[str]) -> str:
    """The reason to send: `reason` itself where the server accepts it, else the nearest that it does."""
    if not reason or reason in ALWAYS_KNOWN or reason in accepted:
        return reason
    return _FALLBACKS.get(reason, "unknown_failure")
