"""What somebody who starts a run may change in its plan."""

import pytest

from app.domain.errors import InvalidRequest
from app.domain.plan import CacheSpec, JobPlan, Need, Plan, Step
from app.domain.plan_changes import afresh_after, start_manual

PULLED, BOTH = CacheSpec(policy="pull"), CacheSpec()
PUSHED = CacheSpec(policy="push")


def job(name: str, stage: str, *needs: str, steps: tuple[str, ...] = ("script",), **given: object) -> JobPlan:
    edges = tuple(Need(need) for need in needs) or None
    planned = tuple(Step(step, ("true",)) for step in steps)
    return JobPlan(
        **({"name": name, "stage": stage, "steps": planned, "needs": edges, "cache": (BOTH, PULLED)} | given)
    )


PLAN = Plan(
    ("build", "test", "deploy"),
    (
        job("compile", "build", steps=("install", "run-and-deploy")),
        job("lint", "build"),
        job("unit 1/2", "test", instance=(1, 2)),
        job("unit 2/2", "test", instance=(2, 2)),
        job("early", "deploy", "lint"),
        job("ship", "deploy"),
    ),
)
ALL = {planned.name for planned in PLAN.jobs}


@pytest.mark.parametrize(
    ("name", "afresh"),
    [
        ("compile", {"unit 1/2", "unit 2/2", "ship"}),
        ("lint", {"unit 1/2", "unit 2/2", "ship", "early"}),
        ("build", ALL - {"compile", "lint"}),
        ("test", {"ship"}),
        ("unit", {"ship"}),
        ("unit 1/2", {"ship"}),
        ("run-and-deploy", {"unit 1/2", "unit 2/2", "ship"}),
        ("ship", set()),
        ("deploy", set()),
    ],
)
def test_what_comes_after_a_job_stage_or_checkpoint_reads_no_cache(name: str, afresh: set[str]) -> None:
    changed = afresh_after(PLAN, name)
    assert {planned.name for planned in changed.jobs if planned.cache == (PUSHED,)} == afresh
    assert {planned.name for planned in changed.jobs if planned.cache == (BOTH, PULLED)} == ALL - afresh


@pytest.mark.parametrize("name", ["", "script", "unit 3/2", "Compile", "uni"])
def test_a_name_that_nothing_has_is_refused(name: str) -> None:
    with pytest.raises(InvalidRequest, match="No job, stage or checkpoint is called"):
        afresh_after(PLAN, name)


def test_manual_jobs_start_by_themselves_and_count_unless_they_may_fail_anyway() -> None:
    plan = Plan(
        ("deploy",),
        (
            job("optional", "deploy", when="manual", allow_failure=True, optional_start=True),
            job("may fail", "deploy", when="manual", allow_failure=True),
            job("delayed", "deploy", when="delayed", start_in=5),
        ),
    )
    optional, may_fail, delayed = start_manual(plan).jobs
    assert (optional.when, optional.allow_failure) == ("on_success", False)
    assert (may_fail.when, may_fail.allow_failure) == ("on_success", True)
    assert delayed == plan.jobs[2]
