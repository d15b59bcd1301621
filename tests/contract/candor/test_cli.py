"""`skerry pipeline create | token | assign | show` (the operator's side of Candor's pipelines)."""

from collections.abc import Callable
from contextlib import contextmanager
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from flask import Flask

from app.cli import cli, opening
from app.services.core import Core
from app.services.runs import definitions
from tests.factories import make_project, make_user

PLAN = "stages:\n- {name: Test, image: node, script: [npm test]}\n"
Call = Callable[..., Result]


@pytest.fixture
def skerry(app: Flask, core: Core, monkeypatch: pytest.MonkeyPatch) -> Call:
    """Run `skerry WORDS` on the test's database."""

    @contextmanager
    def opened():
        yield core

    monkeypatch.setattr(opening, "opened_core", opened)
    make_user(core, "root", is_admin=True)

    def call(*words: str) -> Result:
        return CliRunner().invoke(cli, ["pipeline", *words])

    return call


@pytest.fixture
def plan(tmp_path: Path) -> str:
    file = tmp_path / "plan.yml"
    file.write_text(PLAN)
    return str(file)


def test_a_pipeline_is_made_without_a_repository_and_its_trigger_works(
    skerry: Call, core: Core, app: Flask, plan: str
) -> None:
    made = skerry("create", "ci/site", "Deploy", "--file", plan, "--public")
    assert made.exit_code == 0
    address = made.output.strip()
    token = address.rpartition("/")[2]
    assert address == f"{core.config.external_url}/trigger/{token}"
    found = definitions.definition_by_name(core, "deploy")
    assert (found.project.repository, found.public, found.stored_text) == ("none", True, PLAN)
    assert app.test_client().post(f"/trigger/{token}").status_code == 200


def test_the_token_is_shown_and_renewed(skerry: Call, app: Flask, plan: str) -> None:
    first = skerry("create", "ci/site", "Deploy", "--file", plan).output.strip().rpartition("/")[2]
    assert skerry("token", "Deploy").output.strip() == first
    second = skerry("token", "Deploy", "--renew").output.strip()
    assert len(second) == 32
    assert app.test_client().post(f"/trigger/{first}").status_code == 400
    assert app.test_client().post(f"/trigger/{second}").status_code == 200


def test_users_are_assigned_and_shown(skerry: Call, core: Core, plan: str) -> None:
    make_user(core, "ada")
    make_user(core, "bob")
    skerry("create", "ci/site", "Deploy", "--file", plan, "--assign", "ada")
    assert skerry("assign", "Deploy", "bob").output == "Deploy is assigned to ada, bob, root\n"
    assert skerry("unassign", "Deploy", "bob").output == "Deploy is assigned to ada, root\n"
    assert skerry("assign", "Deploy", "bob", "ada").output == "Deploy is assigned to ada, bob, root\n"
    shown = skerry("show", "Deploy").output
    assert "assignees: ada, bob, root\n" in shown
    assert shown.endswith(f"candor.yml:\n{PLAN}")
    assert "Deploy\tci/site\tprivate" in skerry("show").output


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("create", "ci/site", "Deploy", "--config-path", "candor.yml"), "no repository"),
        (("create", "ci/site", "default"), "a pipeline's name"),
        (("create", "ci/site", "X", "--assign", "nobody"), "User nobody not found"),
        (("token", "Nope"), "Pipeline Nope not found"),
        (("show", "Nope"), "Pipeline Nope not found"),
    ],
)
def test_what_cannot_be_is_refused_in_one_sentence(skerry: Call, words: tuple[str, ...], says: str) -> None:
    refused = skerry(*words)
    assert refused.exit_code == 1
    assert says in str(refused.exception)


def test_a_plan_that_does_not_compile_is_refused(skerry: Call, core: Core, tmp_path: Path) -> None:
    file = tmp_path / "bad.yml"
    file.write_text("stages: [{name: a}]")
    refused = skerry("create", "ci/site", "Deploy", "--file", str(file))
    assert "image" in str(refused.exception)
    assert definitions.all_definitions(core) == []


def test_a_name_is_taken_once(skerry: Call, plan: str) -> None:
    skerry("create", "ci/site", "Deploy", "--file", plan)
    assert "already" in str(skerry("create", "ci/other", "deploy", "--file", plan).exception)


def test_a_file_in_a_repository_is_named(skerry: Call, core: Core) -> None:
    make_project(core, "ci/hosted")
    skerry("create", "ci/hosted", "Nightly", "--config-path", "ci/candor.yml")
    found = definitions.definition_by_name(core, "Nightly")
    assert (found.config_path, found.stored_text) == ("ci/candor.yml", None)
