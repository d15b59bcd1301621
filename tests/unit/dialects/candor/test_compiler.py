"""Plans become jobs: stages are steps in containers of their own, the last command decides."""

import json
from typing import Any
from unittest.mock import Mock

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from app.dialects.base import CompileContext
from app.dialects.candor.compiler import compile_text
from app.dialects.registry import compile_configuration
from app.domain import plan_json
from app.domain.plan import ArtifactSpec, JobPlan, Step, Variable
from app.services.artifacts.archived_files import literal


def job_of(plan: Any, **context: Any) -> JobPlan:
    compiled = compile_text(
        "candor.yml", plan if isinstance(plan, str) else json.dumps(plan), CompileContext(**context)
    )
    assert compiled.diagnostics == ()
    assert compiled.plan
    return compiled.plan.jobs[0]


def test_a_stage_is_a_step_in_a_fresh_container_whose_last_command_decides() -> None:
    (step,) = job_of("stages: [{name: Test, image: node, runtime: sysbox, script: [a, b]}]").steps
    assert step.image
    assert (step.name, step.script, step.image.name, step.image.entrypoint) == ("Test", ("a", "b"), "node", ())
    assert (step.own_shell, step.errexit, step.pipefail, step.verbatim) == (True, False, False, True)
    assert step.runtime == "sysbox"


def test_an_entry_without_a_value_has_its_own_name_and_nothing_is_expanded() -> None:
    (step,) = job_of({"stages": [{"name": "a", "image": "b", "environment": ["A=x=$Y", "BAZ", "C="]}]}).steps
    assert [(one.key, one.value) for one in step.environment] == [("A", "x=$Y"), ("BAZ", "BAZ"), ("C", "C")]
    assert all(one.raw for one in step.environment)


def test_parameters_are_put_in_everywhere_but_into_the_archive() -> None:
    stage = {"name": "%p%", "image": "i:%p%", "runtime": "%p%", "environment": ["A=%p%"], "script": ["%p% %q%"]}
    job = job_of({"stages": [stage], "archive": ["%p%"]}, inputs={"p": "1"})
    (step,) = job.steps
    assert step.image
    assert (step.name, step.image.name, step.runtime, step.script) == ("1", "i:1", "1", ("1 %q%",))
    assert step.environment == (Variable("A", "1", raw=True),)
    assert job.artifacts == (ArtifactSpec(paths=("%p%",), required=True),)


def test_a_stored_plan_begins_with_an_empty_folder_and_one_of_a_repository_with_its_files() -> None:
    assert job_of({"stages": []}, stored=True).variables == (Variable("GIT_STRATEGY", "empty"),)
    assert job_of({"stages": []}).variables == ()


def test_yaml_is_read_as_its_web_editor_did() -> None:
    text = "stages: [{name: yes, image: on, script: [no, 1e, 12:30]}]\nconstrainBody: {.a: [yes, 0x10, 1.0, ~, true]}"
    (step,) = job_of(text).steps
    assert (step.name, step.script) == ("yes", ("no", "1e", "12:30"))


@pytest.mark.parametrize(
    "text",
    ["", "{", "[", "a: b: c", "stages: &a [*a]", "stages: []\nx: !!python/object:os.system {}", "- " * 500,
     "stages: []\nconstrainBody: {.a: !!timestamp 2001-01-01}", "stages: []\nconstrainBody: {.a: .inf}",
     "stages: []\nconstrainBody: {.a: " + "[" * 200 + "]" * 200 + "}", "\0",
     "stages: []\nconstrainBody: {.a: !!binary AA==}",
     "c0: &c0 [x]\n" + "".join(f"c{n}: &c{n} [{', '.join([f'*c{n - 1}'] * 9)}]\n" for n in range(1, 8)) + "stages: []"],
    ids=range(13),
)  # fmt: skip
def test_bad_text_is_refused_with_a_place(text: str) -> None:
    compiled = compile_text("ci/candor.yml", text, CompileContext())
    assert compiled.plan is None
    assert compiled.errors[0].file == "ci/candor.yml"


def test_a_syntax_error_names_its_line() -> None:
    compiled = compile_text("candor.yml", "stages:\n- name: a\n  image: [\n", CompileContext())
    assert compiled.errors[0].line >= 3


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("stages:\n- {name: a, image: b, scrip: [x]}\nstagess: []\n", [
            "c.yml:2:23: stages[0].scrip: is no known key (did you mean `script`?)",
            "c.yml:3:1: stagess: is no known key (did you mean `stages`?)",
        ]),
        ('{"stages": [\n  {"name": "a"}\n]}', ["c.yml:2:3: stages[0].image: is missing, or no text"]),
        ("stages: [{name: a, image: b c}]", ["c.yml:1:20: stages[0].image: 'b c' is no image name"]),
        ("stages: []\nzzz: 1", ["c.yml:2:1: zzz: is no known key"]),
        ("archive: [/x]\nstages:\n", [
            "c.yml:1:1: archive: '/x' leads out of the working directory",
            "c.yml:2:1: stages: is missing, or no list",
        ]),
        ("[]", ["c.yml:1:1: plan: is no object with the key `stages`"]),
        ("stages: [", ["c.yml:2:1: did not find expected node content"]),
    ],
    ids=range(7),
)  # fmt: skip
def test_what_is_wrong_is_said_at_its_place_with_what_was_meant(text: str, expected: list[str]) -> None:
    assert sorted(str(found) for found in compile_text("c.yml", text, CompileContext()).errors) == expected


def test_a_text_with_very_many_mistakes_is_read_once_and_told_in_part(monkeypatch: pytest.MonkeyPatch) -> None:
    composed = Mock(side_effect=yaml.compose)
    monkeypatch.setattr(yaml, "compose", composed)
    stages = [dict.fromkeys(map(str, range(200)))] * 200
    for plan in ({"stages": stages}, {"stages": [], "parameters": dict.fromkeys(map(str, range(9000)))}):
        errors = compile_text("c.yml", json.dumps(plan), CompileContext()).errors
        assert len(errors) == 100
    assert composed.call_count == 2


@given(st.text())
def test_any_text_compiles_or_is_refused(text: str) -> None:
    compiled = compile_text("candor.yml", text, CompileContext())
    assert bool(compiled.plan) != bool(compiled.errors)


@given(st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1))
def test_a_path_of_the_archive_means_itself(path: str) -> None:
    if path.startswith("/") or ".." in path.split("/"):
        return
    (spec,) = job_of({"stages": [], "archive": [path]}).artifacts
    assert literal(spec.paths[0]) == path


@pytest.mark.parametrize("path", ["candor.yml", "ci/Candor.YAML", "candor.json"])
def test_a_file_of_that_name_is_a_plan(path: str) -> None:
    assert compile_configuration(path, "stages: []", CompileContext()).plan


def test_a_plan_survives_being_kept() -> None:
    job = job_of({"stages": [{"name": "a", "image": "b", "runtime": "c", "environment": ["A"]}], "archive": ["x"]})
    assert plan_json.from_json(JobPlan, plan_json.to_json(job)) == job
    assert isinstance(job.steps[0], Step)
