"""One word for a whole run."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain import calculated_status as calculated
from app.domain import failure, status
from app.domain.calculated_status import Part, calculate, without_jobs

PENDING, CREATED, SUCCESS = Part("pending"), Part("created"), Part("success")
CLAIMED, RUNNING = Part("running"), Part("running", heard=True)
FAILED = Part("failed", failure_reason=failure.SCRIPT_FAILURE)
LOST = Part("failed", failure_reason=failure.RUNNER_SYSTEM_FAILURE)
MAY_FAIL = Part("failed", allow_failure=True, failure_reason=failure.SCRIPT_FAILURE)
BUTTON, OPTIONAL = Part("manual"), Part("manual", allow_failure=True)


@pytest.mark.parametrize(
    ("jobs", "expected"),
    [
        ([], calculated.NEW),
        ([PENDING, PENDING], calculated.NEW),
        ([PENDING, CREATED], calculated.NEW),
        ([PENDING, BUTTON], calculated.NEW),
        ([CLAIMED, PENDING], calculated.STARTING),
        ([CLAIMED, CREATED, Part("skipped")], calculated.STARTING),
        ([CLAIMED, RUNNING], calculated.RUNNING),
        ([RUNNING, PENDING], calculated.RUNNING),
        ([SUCCESS, PENDING], calculated.RUNNING),
        ([SUCCESS, CLAIMED], calculated.RUNNING),
        ([MAY_FAIL, PENDING], calculated.RUNNING),
        ([BUTTON], calculated.RUNNING),
        ([Part("scheduled")], calculated.RUNNING),
        ([SUCCESS, BUTTON], calculated.RUNNING),
        ([FAILED, RUNNING, PENDING], calculated.FAILURE),
        ([FAILED, Part("canceled"), LOST], calculated.FAILURE),
        ([Part("failed")], calculated.FAILURE),
        ([Part("failed", failure_reason=failure.UNKNOWN_FAILURE)], calculated.FAILURE),
        ([Part("failed", failure_reason=failure.IMAGE_PULL_FAILURE)], calculated.FAILURE),
        ([LOST, RUNNING], calculated.RUNNER_ERROR),
        ([LOST, Part("canceled")], calculated.RUNNER_ERROR),
        ([Part("canceled"), RUNNING], calculated.CANCELED),
        ([Part("canceling", heard=True)], calculated.CANCELED),
        ([SUCCESS, SUCCESS], calculated.SUCCEEDED),
        ([SUCCESS, Part("skipped")], calculated.SUCCEEDED),
        ([SUCCESS, OPTIONAL], calculated.SUCCEEDED),
        ([SUCCESS, MAY_FAIL], calculated.SUCCEEDED),
        ([MAY_FAIL], calculated.SUCCEEDED),
        ([OPTIONAL], calculated.SUCCEEDED),
    ],
)
def test_a_run_is_what_its_jobs_make_it(jobs: list[Part], expected: str) -> None:
    assert calculate(jobs) == expected


def test_a_run_without_jobs_says_why() -> None:
    assert without_jobs(status.FAILED, "config_error") == calculated.BAD_CONFIGURATION
    assert without_jobs(status.FAILED, None) == calculated.JOB_ERROR
    assert without_jobs(status.SKIPPED, None) == calculated.SUCCEEDED
    assert without_jobs(status.CREATED, None) == calculated.NEW


PARTS = st.builds(
    Part, st.sampled_from(status.AVAILABLE), st.booleans(), st.sampled_from(sorted(failure.REASONS)), st.booleans()
)


@given(st.lists(PARTS, min_size=1))
def test_it_has_passed_or_failed_exactly_when_the_pipeline_has(jobs: list[Part]) -> None:
    """One story for every API; only that a failure is told at once."""
    whole = status.composite((job.status, job.allow_failure) for job in jobs)
    found = calculate(jobs)
    assert found in calculated.AVAILABLE
    assert (found == calculated.SUCCEEDED) == (whole in (status.SUCCESS, status.SKIPPED))
    if whole == status.FAILED:
        assert found in (calculated.FAILURE, calculated.RUNNER_ERROR)
    if whole == status.CANCELED:
        assert found == calculated.CANCELED


@given(st.lists(PARTS, min_size=1), st.randoms())
def test_the_order_of_the_jobs_does_not_matter(jobs: list[Part], random) -> None:
    shuffled = jobs[:]
    random.shuffle(shuffled)
    assert calculate(shuffled) == calculate(jobs)
