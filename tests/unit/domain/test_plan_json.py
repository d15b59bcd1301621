"""A plan survives the row it is kept in."""

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.domain.plan import ArtifactSpec, Image, JobPlan, Need, Plan, RetryPolicy, Service, Step, Variable
from app.domain.plan_json import from_json, to_json

#: A job of a plan is large to draw: two of them and few examples reach every field all the same.
jobs = st.lists(st.from_type(JobPlan), max_size=2).map(tuple)
plans = st.builds(
    Plan, jobs=jobs, variables=..., name=..., auto_cancel_on_new_commit=..., auto_cancel_on_job_failure=...
)


@settings(max_examples=20, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(plans)
def test_a_plan_comes_back_as_it_was(plan: Plan) -> None:
    assert from_json(Plan, json.loads(json.dumps(to_json(plan)))) == plan


def test_what_has_its_default_is_left_out() -> None:
    job = JobPlan("a", "test", (Step("script", ("true",)),), image=Image("alpine"))
    assert to_json(job) == {
        "name": "a",
        "stage": "test",
        "steps": [{"name": "script", "script": ["true"]}],
        "image": {"name": "alpine"},
    }


def test_an_empty_tuple_is_not_the_same_as_none() -> None:
    job = JobPlan("a", "test", (), needs=(), dependencies=(), image=Image("x", entrypoint=()))
    assert from_json(JobPlan, to_json(job)) == job
    assert to_json(job)["needs"] == []


def test_nested_values_have_their_types_again() -> None:
    job = JobPlan(
        "a",
        "test",
        (),
        services=(Service(Image("db"), ("db",), variables=(Variable("A", "1"),)),),
        artifacts=(ArtifactSpec(("x",), expire_in=0),),
        needs=(Need("b", optional=True),),
        retry=RetryPolicy(1, (), (3,)),
        instance=(1, 3),
    )
    assert from_json(JobPlan, json.loads(json.dumps(to_json(job)))) == job


@pytest.mark.parametrize(
    "data",
    [
        {"stages": ["a"]},
        {"stages": "a", "jobs": []},
        {"stages": [1], "jobs": []},
        {"stages": [], "jobs": ["a"]},
        {"stages": [], "jobs": [], "surprise": 1},
        {"stages": [], "jobs": [{"name": "a", "stage": "b", "steps": [], "instance": [1]}]},
        {"stages": [], "jobs": [{"name": "a", "stage": "b", "steps": [], "timeout": True}]},
    ],
)
def test_what_is_no_plan_is_refused(data: dict) -> None:
    with pytest.raises(ValueError):
        from_json(Plan, data)
