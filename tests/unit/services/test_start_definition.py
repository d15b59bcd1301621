"""Pipelines of a definition: by token and for a user, with a commit and without."""

from pathlib import Path

import pytest

from app.domain import plan_json
from app.domain.errors import InvalidConfiguration, InvalidRequest, NotAllowed, NotFound
from app.domain.permissions import Role
from app.domain.plan import JobPlan
from app.models import Job, Pipeline, PipelineDefinition, Project, write
from app.services.core import Core
from app.services.pipelines.pipeline_request import NO_COMMIT
from app.services.projects.create_project import create_project
from app.services.runs.definitions import check_text, create_definition
from app.services.runs.start_definition import Order, run_definition, trigger_definition
from tests.factories import make_member, make_project, make_user
from tests.git_client import Checkout, new_checkout

PLAN = "stages: [{name: Test, image: node, script: [npm test %sha%]}]\n"


@pytest.fixture
def stored(core: Core) -> PipelineDefinition:
    project = create_project(core, full_path="ci/stored", creator=None, has_repository=False)
    return create_definition(core, project, "Stored", config_path="candor.yml", stored_text=PLAN)[0]


@pytest.fixture
def project(core: Core) -> Project:
    return make_project(core, "ci/hosted")


@pytest.fixture
def checkout(core: Core, project: Project, tmp_path: Path) -> Checkout:
    """Two commits on main; only the second one has the plan."""
    checkout = new_checkout(tmp_path / "checkout", str(core.repositories.path(project.id)))
    checkout.commit({"candor.yml": PLAN}, "Add the plan")
    assert checkout.push("main").ok
    return checkout


@pytest.fixture
def hosted(core: Core, project: Project) -> PipelineDefinition:
    return create_definition(core, project, "Hosted", config_path="candor.yml")[0]


def script(core: Core, pipeline: Pipeline) -> tuple[str, ...]:
    job = core.session.query(Job).filter_by(pipeline_id=pipeline.id).one()
    return plan_json.from_json(JobPlan, job.plan).steps[0].script


def test_a_stored_text_runs_without_a_commit_by_token_and_for_a_user(core: Core, stored: PipelineDefinition) -> None:
    user = make_user(core, "dev")
    make_member(core, user, stored.project, Role.MAINTAINER)
    by_token = trigger_definition(core, stored, Order(inputs={"sha": "1"}))
    for_user = run_definition(core, stored, user, Order(inputs={"sha": "2"}))
    assert (by_token.sha, by_token.source, by_token.user_id) == (NO_COMMIT, "trigger", None)
    assert (for_user.sha, for_user.source, for_user.user_id) == (NO_COMMIT, "api", user.id)
    assert (script(core, by_token), script(core, for_user)) == (("npm test 1",), ("npm test 2",))


def test_a_text_in_a_repository_runs_at_the_newest_commit(
    core: Core, hosted: PipelineDefinition, checkout: Checkout
) -> None:
    made = trigger_definition(core, hosted, Order())
    assert (made.sha, made.ref, made.definition_id) == (checkout.git("rev-parse", "HEAD"), "main", hosted.id)
    assert script(core, made) == ("npm test %sha%",)


def test_a_token_starts_nothing_that_does_not_compile(
    core: Core, hosted: PipelineDefinition, checkout: Checkout
) -> None:
    checkout.commit({"candor.yml": "stages: [{name: a}]"}, "Break the plan")
    assert checkout.push("main").ok
    with pytest.raises(InvalidConfiguration, match=r"stages\[0\].image"):
        trigger_definition(core, hosted, Order())
    assert core.session.query(Pipeline).count() == 0


def test_without_a_branch_there_is_nothing_to_run(core: Core, hosted: PipelineDefinition) -> None:
    with pytest.raises(InvalidRequest):
        trigger_definition(core, hosted, Order())


def test_an_archived_project_runs_nothing(core: Core, stored: PipelineDefinition) -> None:
    with write(core.session):
        core.session.get_one(PipelineDefinition, stored.id).project.archived = True
    with pytest.raises(InvalidRequest):
        trigger_definition(core, stored, Order())


def test_a_user_without_the_role_starts_nothing(core: Core, stored: PipelineDefinition) -> None:
    with pytest.raises((NotFound, NotAllowed)):
        run_definition(core, stored, make_user(core, "stranger"), Order())
    assert core.session.query(Pipeline).count() == 0


def test_what_is_wrong_in_a_plan_is_said_of_the_file_that_was_given() -> None:
    with pytest.raises(InvalidConfiguration) as wrong:
        check_text("candor.json", '{"stages": [],\n "archiv": []}', "plans/mine.json")
    assert str(wrong.value) == "plans/mine.json:2:2: archiv: is no known key (did you mean `archive`?)"
    with pytest.raises(InvalidConfiguration, match=r"^candor\.json:1:1: "):
        check_text("candor.json", "{}")
