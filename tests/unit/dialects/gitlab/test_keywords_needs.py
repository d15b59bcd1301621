"""`needs`, `dependencies` and `parallel`: who waits for whom, and how many there are (gitlab.md C.6, C.7)."""

from typing import Any

import pytest

from tests.unit.dialects.gitlab.answers import errors, jobs

STAGES = "stages: [one, two]\nb: {script: x, stage: one}\nc: {script: x, stage: two}\n"
ABSENT = (
    "does not exist in the pipeline. This might be because of the only, except, or rules keywords. "
    "To need a job that sometimes does not exist in the pipeline, use needs:optional."
)
MATRIX = "jobs:a:parallel:matrix"
PAIRS = "config should be a hash of key value pairs, value can be an array: see A"


@pytest.mark.parametrize(
    ("needs", "expected"),
    [
        ("[]", []),
        ("[b]", [{"job": "b"}]),
        ("[b, c]", [{"job": "b"}, {"job": "c"}]),
        ("[[b], [[c]]]", [{"job": "b"}, {"job": "c"}]),
        ("[{job: b}]", [{"job": "b"}]),
        ("{job: b}", [{"job": "b"}]),
        ("[{job: b, artifacts: true, optional: false}]", [{"job": "b"}]),
        ("[{job: b, artifacts: false}]", [{"job": "b", "artifacts": False}]),
        ("[{job: b, artifacts: , optional: }]", [{"job": "b"}]),
        ("[{job: b, optional: true}]", [{"job": "b", "optional": True}]),
        ("[b, {job: nobody, optional: true}]", [{"job": "b"}]),
        ("[{job: nobody, optional: true}]", []),
        ("", None),
    ],
)
def test_needs_as_they_should_be(needs: str, expected: list[dict[str, Any]] | None) -> None:
    found = jobs(f"{STAGES}a: {{script: x, stage: two, needs: {needs}}}")
    assert found["a"].get("needs") == expected


@pytest.mark.parametrize(
    ("needs", "expected"),
    [
        ("b", ["4:35: jobs:a:needs config can only be a hash or an array"]),
        ("true", ["4:35: jobs:a:needs config can only be a hash or an array"]),
        ("[3]", ["4:36: jobs:a:needs:need has an unsupported type"]),
        ("[{}]", ["4:36: jobs:a:needs:need has an unsupported type"]),
        ("[{artifacts: true}]", ["4:36: jobs:a:needs:need has an unsupported type"]),
        ('[""]', ["4:36: jobs:a:needs:need config can't be blank"]),
        ("[{job: }]", ["4:36: jobs:a:needs:need job can't be blank"]),
        ("[{job: [b]}]", ["4:42: jobs:a:needs:need job should be a string"]),
        ("[{job: b, artifacts: 1}]", ["4:56: jobs:a:needs:need artifacts should be a boolean value"]),
        ("[{job: b, optional: x}]", ["4:55: jobs:a:needs:need optional should be a boolean value"]),
        (
            "[{job: b, artefacts: true}]",
            ["4:45: jobs:a:needs:need config contains unknown keys: artefacts (did you mean `artifacts`?)"],
        ),
        ("[nobody]", ["4:1: a job: undefined need: nobody"]),
        ("[.hidden]", ["4:1: a job: undefined need: .hidden"]),
        ("[b, {job: b}]", ["4:1: a has the following needs duplicated: b."]),
        ("[b, c, c, b]", ["4:1: a has the following needs duplicated: b, c."]),
        (f"[{'n' * 256}]", [
            f"4:1: a job: need `{'n' * 60}...` name is too long (maximum is 255 characters)",
            f"4:1: a job: undefined need: {'n' * 60}...",
        ]),
        ("[a]", ['4:1: The pipeline has circular dependencies: self-dependency: "a"']),
    ],
)  # fmt: skip
def test_needs_that_cannot_be(needs: str, expected: list[str]) -> None:
    assert errors(f"{STAGES}a: {{script: x, stage: two, needs: {needs}}}\n.hidden: {{script: x}}") == expected


def test_needs_of_the_same_stage_are_allowed_and_of_later_ones_are_not() -> None:
    assert jobs(f"{STAGES}a: {{script: x, stage: two, needs: [c]}}")["a"]["needs"] == [{"job": "c"}]
    for key, word in (("needs", "need"), ("dependencies", "dependency")):
        assert errors(f"{STAGES}a: {{script: x, stage: one, {key}: [c]}}") == [
            f"4:1: a job: {word} c is not defined in current or prior stages"
        ]


@pytest.mark.parametrize("length", [2, 3, 10])
def test_circles_are_named(length: int) -> None:
    text = "".join(f"j{number}: {{script: x, needs: [j{(number + 1) % length}]}}\n" for number in range(length))
    (said,) = errors(text)
    assert said.startswith("1:1: The pipeline has circular dependencies: ") or ": The pipeline has circular" in said
    assert all(f'"j{number}"' in said for number in range(length))


def test_every_need_that_rules_leave_out_is_named() -> None:
    gone = "rules: [{when: never}]"
    text = f"a: {{script: x, needs: [b, d, c]}}\nb: {{script: x, {gone}}}\nc: {{script: x, {gone}}}\nd: {{script: x}}"
    assert errors(text) == [f"1:1: 'a' job needs '{name}' job, but '{name}' {ABSENT}" for name in ("b", "c")]
    optional = text.replace("[b, d, c]", "[{job: b, optional: true}, d, {job: c, optional: true}]")
    assert jobs(optional)["a"]["needs"] == [{"job": "d"}]


def test_a_job_that_is_not_part_of_the_pipeline_may_need_what_is_not_either() -> None:
    text = "a: {script: x, needs: [b], rules: [{when: never}]}\nb: {script: x, only: [tags]}\nc: {script: x}"
    assert list(jobs(text)) == ["c"]


def test_fifty_needs_are_the_most() -> None:
    others = "".join(f"j{number}: {{script: x}}\n" for number in range(51))
    names = [f"j{number}" for number in range(51)]
    assert len(jobs(f"{others}a: {{script: x, needs: [{', '.join(names[:50])}]}}")["a"]["needs"]) == 50
    assert errors(f"{others}a: {{script: x, needs: [{', '.join(names)}]}}") == [
        (
            "52:1: a: one job can only need 50 others, but you have listed 51."
            " See needs keyword documentation for more details"
        )
    ]
    assert errors("p: {script: x, parallel: 60}\na: {script: x, needs: [p]}") == [
        (
            "2:1: a: one job can only need 50 others, but you have listed 60."
            " See needs keyword documentation for more details"
        )
    ]


def test_dependencies_are_among_the_needs() -> None:
    text = f"{STAGES}d: {{script: x, stage: one}}\na: {{script: x, stage: two, needs: [b], dependencies: [%s]}}"
    assert jobs(text % "b")["a"]["dependencies"] == ["b"]
    assert jobs((text % "b").replace("needs: [b]", "needs: []"))["a"]["dependencies"] == ["b"]
    assert errors(text % "b, d, c") == ["5:40: jobs:a dependencies the d, c should be part of needs"]


@pytest.mark.parametrize(
    ("parallel", "expected"),
    [
        ("0", ["1:26: jobs:a:parallel config must be greater than or equal to 1"]),
        ("201", ["1:26: jobs:a:parallel config must be less than or equal to 200"]),
        ("1.5", ["1:26: jobs:a:parallel config must be an integer"]),
        ("two", ["1:26: jobs:a:parallel should be an integer or a hash"]),
        ("[2]", ["1:26: jobs:a:parallel should be an integer or a hash"]),
        ("{}", ["1:26: jobs:a:parallel config missing required keys: matrix"]),
        ("{matrx: 1}", [
            "1:26: jobs:a:parallel config missing required keys: matrix",
            "1:27: jobs:a:parallel config contains unknown keys: matrx (did you mean `matrix`?)",
        ]),
        ("{matrix: {A: 1}}", [f"1:35: {MATRIX} config should be an array of hashes"]),
        ("{matrix: [A]}", [f"1:36: {MATRIX} config should be an array of hashes"]),
        ("{matrix: [{}]}", [f"1:36: {MATRIX}:variables config requires at least 1 items"]),
        ("{matrix: [{A: {B: 1}}]}", [f"1:40: {MATRIX}:variables {PAIRS}"]),
        ("{matrix: [{A: []}]}", [f"1:40: {MATRIX}:variables {PAIRS}"]),
        ("{matrix: [{A: }]}", [f"1:40: {MATRIX}:variables {PAIRS}"]),
        ("{matrix: [{A: [[1]]}]}", [f"1:40: {MATRIX}:variables {PAIRS}"]),
        (f"{{matrix: [{{A: [{'1, ' * 200}1]}}]}}", [
            f"1:35: {MATRIX} config generates too many jobs (maximum is 200)",
        ]),
    ],
)  # fmt: skip
def test_parallel_that_cannot_be(parallel: str, expected: list[str]) -> None:
    assert errors(f"a: {{script: x, parallel: {parallel}}}") == expected


def test_parallel_numbers_its_instances() -> None:
    assert {name: job["instance"] for name, job in jobs("a: {script: x, parallel: 3}").items()} == {
        "a 1/3": [1, 3],
        "a 2/3": [2, 3],
        "a 3/3": [3, 3],
    }
    assert list(jobs("a: {script: x, parallel: 1}")) == ["a 1/1"]
    assert len(jobs("a: {script: x, parallel: 200}")) == 200


def test_a_matrix_is_the_product_of_each_entry_with_the_first_variable_slowest() -> None:
    text = (
        "a:\n  script: x\n  variables: {P: own, Q: kept}\n  parallel:\n    matrix:\n"
        "      - {P: [x, y], V: [1, 1.5]}\n      - {P: z}\n      - {W: [yes, '']}\n"
    )
    found = jobs(text)
    assert list(found) == ["a: [x, 1]", "a: [x, 1.5]", "a: [y, 1]", "a: [y, 1.5]", "a: [z]", "a: [true]", "a: []"]
    assert [job["instance"] for job in found.values()] == [[number, 7] for number in range(1, 8)]
    assert found["a: [y, 1.5]"]["variables"] == [
        {"key": "P", "value": "y"},
        {"key": "Q", "value": "kept"},
        {"key": "V", "value": "1.5"},
    ]


def test_an_instance_decides_its_rules_tags_and_names_by_its_own_values() -> None:
    text = (
        "a: {script: x, parallel: {matrix: [{P: [x, y, z]}]}, tags: [$P-$CI_NODE_INDEX/$CI_NODE_TOTAL],"
        " resource_group: g-$P, rules: [{if: $P != 'y'}]}"
    )
    found = jobs(text)
    assert list(found) == ["a: [x]", "a: [z]"]
    assert (found["a: [z]"]["tags"], found["a: [z]"]["resource_group"]) == (["z-3/3"], "g-z")


def test_the_name_of_an_instance_has_its_bound_too() -> None:
    text = "a: {script: x, parallel: {matrix: [{A: %s}]}}"
    assert len(next(iter(jobs(text % ("v" * 250))))) == 255
    (said,) = errors(text % ("v" * 251))
    assert "name is too long (maximum is 255 characters)" in said


@pytest.mark.parametrize(
    ("needs", "expected"),
    [
        ("[p]", ["p: [1, x]", "p: [1, y]", "p: [2, x]", "p: [2, y]"]),
        ("['p: [1, y]']", ["p: [1, y]"]),
        ("[{job: p, parallel: {matrix: [{A: 1, B: x}]}}]", ["p: [1, x]"]),
        ("[{job: p, parallel: {matrix: [{A: [1, 2], B: y}]}}]", ["p: [1, y]", "p: [2, y]"]),
        (
            "[{job: p, parallel: {matrix: [{A: 1, B: x}]}}, {job: p, parallel: {matrix: [{A: 2, B: y}]}}]",
            ["p: [1, x]", "p: [2, y]"],
        ),
    ],
)
def test_needs_of_a_matrix(needs: str, expected: list[str]) -> None:
    text = f"p: {{script: x, parallel: {{matrix: [{{A: [1, 2], B: [x, y]}}]}}}}\na: {{script: x, needs: {needs}}}"
    assert [need["job"] for need in jobs(text)["a"]["needs"]] == expected


def test_an_instance_may_need_the_instance_of_its_own_values() -> None:
    text = (
        "p: {script: x, parallel: {matrix: [{A: [1, 2]}]}}\n"
        "q:\n  script: x\n  parallel: {matrix: [{A: [1, 2]}]}\n"
        "  needs: [{job: p, parallel: {matrix: [{A: '$[[ matrix.A ]]'}]}}]\n"
    )
    found = jobs(text)
    assert [found[f"q: [{value}]"]["needs"] for value in "12"] == [[{"job": "p: [1]"}], [{"job": "p: [2]"}]]


@pytest.mark.parametrize("name", ["p: [3, x]", "p: [x, 1]", "p 1/4"])
def test_an_instance_that_is_not_there_cannot_be_needed(name: str) -> None:
    text = f'p: {{script: x, parallel: {{matrix: [{{A: [1, 2], B: [x, y]}}]}}}}\na: {{script: x, needs: ["{name}"]}}'
    (said,) = errors(text)
    assert said.startswith(f"2:1: a job: undefined need: {name}")


def test_dependencies_of_a_parallel_job_mean_all_its_instances() -> None:
    text = "p: {script: x, stage: build, parallel: 2}\na: {script: x, dependencies: [p]}"
    assert jobs(text)["a"]["dependencies"] == ["p 1/2", "p 2/2"]


def test_a_need_that_asks_for_no_variable_of_the_matrix_says_which() -> None:
    text = (
        "a: {script: x, stage: build}\n"
        "b: {script: x, parallel: {matrix: [{PLACE: [p, q]}]}, needs: ['a-$[[ matrix.PLAC ]]']}\n"
        "c: {script: x, needs: [{job: a, parallel: {matrix: [{P: '$[[ matrix.P ]]'}]}}]}\n"
    )
    assert errors(text) == [
        "2:1: b job: 'PLAC' does not exist in matrix configuration (did you mean `PLACE`?)",
        "3:1: c job: 'P' does not exist in matrix configuration",
    ]
