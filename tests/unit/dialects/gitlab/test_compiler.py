"""The compiler as a whole: it never raises, and every plan it makes is sound."""

import json
import time

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from app.dialects.base import Compilation, CompileContext
from app.dialects.gitlab import compile_text, keywords
from app.dialects.registry import compile_configuration, compiler_for
from tests.unit.dialects.gitlab.soundness import assert_sound

CONTEXT = CompileContext(render_merged=True)
names = st.sampled_from(
    (*keywords.JOB, *keywords.GLOBAL, "a", "b", ".h", "<<", "job", "name", "max", "if", "paths", "matrix")
)
scalars = (
    st.none()
    | st.booleans()
    | st.integers(-5, 300)
    | st.floats()
    | st.sampled_from(("a", "b", "x", "on_success", "manual", "delayed", "$A", "1 week", "build", "", "$A == 'b'"))
    | st.text(max_size=5)
)
trees = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=4), max_leaves=12
)
jobs = st.dictionaries(names, trees, max_size=5).map(lambda fields: {"script": "x", **fields})
configurations = st.dictionaries(names, jobs | trees, max_size=5)


def compiled(text: str) -> Compilation:
    return compile_text(".gitlab-ci.yml", text, CONTEXT)


def check(found: Compilation) -> None:
    """Either a plan that holds together, or a reason or an error why there is none."""
    if found.plan is None:
        assert found.errors or found.skipped_reason
        return
    assert not found.errors
    assert_sound(found.plan)


@given(st.text(max_size=80))
def test_any_text_is_answered(text: str) -> None:
    check(compiled(text))


@given(st.text(st.sampled_from("ab:- \n[]{}&*!<|>'\"#%@,?~0.script"), max_size=60))
def test_any_text_that_looks_like_yaml_is_answered(text: str) -> None:
    check(compiled(text))


@settings(max_examples=200)
@given(configurations)
def test_any_configuration_is_answered(configuration: dict[str, object]) -> None:
    check(compiled(yaml.safe_dump(configuration, sort_keys=False)))


@given(configurations)
def test_the_merged_text_compiles_to_the_same_plan(configuration: dict[str, object]) -> None:
    found = compiled(yaml.safe_dump(configuration, sort_keys=False))
    if found.plan is not None:
        assert found.merged is not None
        assert compiled(found.merged).plan == found.plan


@pytest.mark.parametrize("text", ["1,000", "1e3", "yes", "1:30", "0b1", "~", "", "0x1f", ".5", "a: b", "\x1b[0m\n"])
def test_a_text_that_looks_like_something_else_is_still_text_in_the_merged_configuration(text: str) -> None:
    found = compiled(json.dumps({"job": {"script": ["x", text], "stage": "test"}}))
    assert found.plan is not None
    assert found.plan.jobs[0].steps[0].script == ("x", text)
    assert found.merged is not None
    assert compiled(found.merged).plan == found.plan


@pytest.mark.parametrize("keyword", keywords.JOB)
def test_no_keyword_of_a_job_is_ignored(keyword: str) -> None:
    """A value of a shape that no keyword takes is refused, whatever the keyword is."""
    found = compiled(f"a:\n  script: x\n  {keyword}: {{nonsense: {{deeper: [[1]]}}}}\n")
    assert [error for error in found.errors if error.line in (2, 3)], found


@pytest.mark.parametrize("keyword", [*keywords.GLOBAL, *keywords.DEFAULTS])
def test_no_global_keyword_is_ignored(keyword: str) -> None:
    assert compiled(f"a: {{script: x}}\n{keyword}: {{nonsense: {{deeper: [[1]]}}}}\n").errors


@pytest.mark.parametrize("text", ["", "# nothing\n", "just text", "[a, b]", "3"])
def test_what_is_no_mapping_is_no_configuration(text: str) -> None:
    assert [error.message for error in compiled(text).errors] == ["Invalid configuration format"]


def test_a_long_name_and_strange_characters_are_shown_short_and_safe() -> None:
    found = compiled(f'"{"x" * 300}": {{script: y}}\n"\\e[31m": 3\n')
    assert [error.message for error in found.errors] == [
        f"jobs:{'x' * 60}... name is too long (maximum is 255 characters)",
        "jobs ?[31m config should implement the script:, run:, or trigger: keyword",
    ]


def test_a_hundred_jobs_in_1500_lines_compile_quickly() -> None:
    job = (
        "job{n}:\n  stage: build\n  image: base\n  script:\n"
        + "    - echo {n}\n" * 8
        + "  tags: [a, b]\n  artifacts: {{paths: [x]}}\n  variables:\n    A: '{n}'\n"
    )
    text = "".join(job.format(n=n) for n in range(100))
    assert text.count("\n") >= 1500
    best = min(_seconds(text) for _ in range(3))
    assert best < 0.5


def _seconds(text: str) -> float:
    started = time.process_time()
    assert compiled(text).plan is not None
    return time.process_time() - started


def test_thousands_of_problems_are_cut_off() -> None:
    found = compiled("".join(f"job{n}: {{script: x, needs: [gone]}}\n" for n in range(3000)))
    assert len(found.errors) == 201
    assert any("more than 200 problems" in error.message for error in found.errors)


def test_the_compiler_is_chosen_by_the_file_name() -> None:
    assert compiler_for("ci/other.YAML") is compile_text
    assert compiler_for("Layerfile") is None
    assert [error.code for error in compile_configuration("notes.txt", "x", CONTEXT).errors] == ["unknown_dialect"]


@pytest.mark.parametrize(
    "text",
    [
        "".join(f"job{n}: {{script: x, needs: [gone{n}], whem: 1, stage: s{n}}}\n" for n in range(8000)),
        "".join(f"job{n}: {{script: x, parallel: 200}}\n" for n in range(20_000)),
        "".join(f"job{n}: {{script: x, parallel: 25, needs: [job{n - 1 if n else 1}]}}\n" for n in range(200)),
        "a: {script: x, parallel: 200}\n"
        + "".join(f"job{n}: {{script: x, needs: [a, {', '.join(['a'] * 150)}]}}\n" for n in range(500)),
        "variables: {"
        + ", ".join(f"V{n}: x" for n in range(900))
        + "}\n"
        + "".join(f"job{n}: {{script: x, parallel: 200}}\n" for n in range(20)),
        "a:\n  script: x\n  parallel: 200\n  rules:\n" + "    - if: $NOBODY =~ /a+b/ && $A\n" * 30_000,
        "stages: [" + "s, " * 30_000 + "]\na: {script: x, stage: none}",
        "".join(f"job{n}: {{script: x, cache: {{key: {{files: ['*{n}*']}}}}}}\n" for n in range(5000)),
        "".join(f".j{n}: {{extends: .j{n + 1}}}\n" for n in range(20_000)) + "a: {script: x}",
        "a: {script: x, only: [" + "/a+/, " * 40_000 + "]}",
    ],
    ids=["errors", "parallel", "chain", "needs", "variables", "rules", "stages", "caches", "extends", "only"],
)
def test_a_hostile_configuration_is_answered_within_seconds(text: str) -> None:
    files = {f"folder/{number}": "0" * 40 for number in range(5000)}
    started = time.process_time()
    compile_text(".gitlab-ci.yml", text, CompileContext(list_files=lambda: files))
    assert time.process_time() - started < 20
