"""Inputs of a job: which values fit, and where they are put."""

from typing import Any

import pytest
from hypothesis import given as having
from hypothesis import strategies as st

from app.domain.errors import InvalidRequest
from app.domain.job_inputs import JobInput, filled, given, used
from app.domain.plan_json import to_json
from app.services.jobs.give_inputs import matches

DECLARED = (
    JobInput("target", '"staging"', options=('"staging"', '"production"')),
    JobInput("count", "3", kind="number"),
    JobInput("dry", "true", kind="boolean"),
    JobInput("hosts", '["a"]', kind="array", options=('"a"', '"b"')),
    JobInput("version", '"v1"', regex=r"^v\d+$"),
)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({}, {}),
        ({"target": "production"}, {"target": '"production"'}),
        ({"count": 4}, {"count": "4"}),
        ({"count": "4.5"}, {"count": "4.5"}),
        ({"dry": "false"}, {"dry": "false"}),
        ({"hosts": ["b", "a"]}, {"hosts": '["b", "a"]'}),
        ({"hosts": '["b"]'}, {"hosts": '["b"]'}),
        ({"version": "v22"}, {"version": '"v22"'}),
    ],
)
def test_values_that_fit_take_the_place_of_the_defaults(values: dict[str, object], expected: dict[str, str]) -> None:
    before = {each.name: each.value for each in DECLARED}
    assert {each.name: each.value for each in given(DECLARED, values, matches)} == before | expected


@pytest.mark.parametrize(
    ("values", "problem"),
    [
        ({"targte": "x"}, "Unknown input: targte"),
        ({"b": 1, "a": 1}, "Unknown inputs: a, b"),
        ({"target": "moon"}, "`target` input: provided value is not in the list of allowed options"),
        ({"target": 3}, "`target` input: provided value is not a string"),
        ({"target": None}, "`target` input: provided value is not a string"),
        ({"count": "many"}, "`count` input: provided value is not a number"),
        ({"count": True}, "`count` input: provided value is not a number"),
        ({"dry": 1}, "`dry` input: provided value is not a boolean"),
        ({"hosts": ["c"]}, "`hosts` input: provided value is not in the list of allowed options"),
        ({"hosts": {"a": 1}}, "`hosts` input: provided value is not an array"),
        ({"version": "v1\n; rm"}, "`version` input: provided value does not match required RegEx pattern"),
    ],
)
def test_values_that_do_not_fit_are_refused(values: dict[str, object], problem: str) -> None:
    with pytest.raises(InvalidRequest) as wrong:
        given(DECLARED, values, matches)
    assert str(wrong.value) == problem


def test_blocks_are_filled_where_the_runner_looks_and_nowhere_else() -> None:
    block = "${{ job.inputs.target }} ${{job.inputs.count}} ${{ job.inputs.hosts }} ${{ job.inputs.gone }}"
    plan: dict[str, Any] = {
        "name": block,
        "steps": [{"script": [block]}],
        "image": {"name": block},
        "inputs": [to_json(each) for each in DECLARED],
    }
    done = filled(plan)
    assert done["steps"] == [{"script": ['staging 3 ["a"] ${{ job.inputs.gone }}']}]
    assert done["image"]["name"].startswith("staging 3")
    assert done["name"] == block
    assert used(plan) == {"target", "count", "hosts", "gone"}


@having(st.text())
def test_a_value_that_looks_like_a_block_is_not_filled_once_more(value: str) -> None:
    written, declared = f"{value}${{{{ job.inputs.b }}}}", (JobInput("a", '""'), JobInput("b", '"x"'))
    inputs = [to_json(each) for each in given(declared, {"a": written}, matches)]
    assert filled({"steps": ["${{ job.inputs.a }}"], "inputs": inputs})["steps"] == [written]
