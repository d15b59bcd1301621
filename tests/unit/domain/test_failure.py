"""Failure reasons and what is retried (gitlab.md B.1, C.8)."""

import pytest

from app.domain import failure
from app.domain.failure import Fault, explain, should_retry
from app.domain.plan import RetryPolicy


def test_every_constant_has_a_sentence_and_every_sentence_a_constant() -> None:
    constants = {
        value
        for name, value in vars(failure).items()
        if name.isupper() and not name.startswith("_") and isinstance(value, str)
    }
    assert constants == set(failure.REASONS)
    assert len(constants) == 53
    for reason in failure.REASONS.values():
        assert reason.sentence[0].isupper()
        assert reason.sentence.endswith(".")


def test_a_name_nobody_knows_is_explained_as_unknown() -> None:
    assert explain("oops").name == explain(None).name == "unknown_failure"
    assert explain("script_failure").fault is Fault.SCRIPT


@pytest.mark.parametrize(
    ("policy", "reason", "exit_code", "retries", "expected"),
    [
        (RetryPolicy(), "script_failure", 1, 0, False),
        (RetryPolicy(max=2), "script_failure", 1, 0, True),
        (RetryPolicy(max=2), "script_failure", 1, 1, True),
        (RetryPolicy(max=2), "script_failure", 1, 2, False),
        (RetryPolicy(max=1, when=("script_failure",)), "runner_system_failure", None, 0, False),
        (RetryPolicy(max=1, when=("runner_system_failure",)), "runner_system_failure", None, 0, True),
        (RetryPolicy(max=1, when=("runner_system_failure",)), "image_pull_failure", None, 0, True),
        (RetryPolicy(max=1, when=("image_pull_failure",)), "image_pull_failure", None, 0, True),
        (RetryPolicy(max=1, when=("image_pull_failure",)), "runner_system_failure", None, 0, False),
        (RetryPolicy(max=1, when=("stuck_or_timeout_failure",)), "no_updates_running", None, 0, True),
        (RetryPolicy(max=1, when=("stuck_or_timeout_failure",)), "stuck_pending_no_matching_runners", None, 0, True),
        (RetryPolicy(max=1, when=("job_execution_timeout",)), "server_timeout_running", None, 0, True),
        (RetryPolicy(max=1, when=(), exit_codes=(137,)), "script_failure", 137, 0, True),
        (RetryPolicy(max=1, when=(), exit_codes=(137,)), "script_failure", 1, 0, False),
        (RetryPolicy(max=1, when=(), exit_codes=(137,)), "script_failure", None, 0, False),
        (RetryPolicy(max=2), "no_matching_runner", None, 0, False),
        (RetryPolicy(max=2), "missing_dependency_failure", None, 0, False),
        (RetryPolicy(), "scheduler_failure", None, 1, True),
        (RetryPolicy(), "scheduler_failure", None, 2, False),
        (RetryPolicy(max=1), "scheduler_failure", None, 1, False),
    ],
)
def test_what_is_retried(policy: RetryPolicy, reason: str, exit_code: int | None, retries: int, expected: bool) -> None:
    assert should_retry(policy, reason, exit_code, retries) is expected
