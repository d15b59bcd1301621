"""The variables of a job: which it gets, in which order they win, and which stay hidden."""

from typing import Any

import pytest

from app.domain.plan import JobPlan, Step, Variable
from app.models import CiVariable, Job, Pipeline, PipelineDefinition, Project, User, write
from app.services.core import Core
from app.services.pipelines.kept_variables import seal_variables, settings_variables
from app.services.pipelines.variables import job_variables
from app.services.projects.create_project import create_project
from app.services.runs.definition_variables import add_variable
from tests.databases import BOTH
from tests.factories import make_job, make_pipeline, make_project, make_runner, make_user

TOKEN = "glcbt-the-token"


@pytest.fixture
def owner(core: Core) -> User:
    return make_user(core, "ada", name="Ada $HOME", email="ada@example.com")


@pytest.fixture
def project(core: Core, owner: User) -> Project:
    return make_project(core, "Tools/Sub/Hello.World", creator=owner, description="costs $5")


def plan(*variables: Variable, **given: Any) -> JobPlan:
    return JobPlan(
        **{"name": "rspec 2/3", "stage": "test", "steps": (Step("script", ("true",)),), **given}, variables=variables
    )


def start(core: Core, project: Project, user: User | None, job_plan: JobPlan, **pipeline: Any) -> Job:
    return make_job(core, make_pipeline(core, project, user=user, **pipeline), plan=job_plan)


def all_of(core: Core, job: Job, **runner: Any) -> list[Variable]:
    return job_variables(core, job, make_runner(core, **runner)[0], TOKEN)


def last(variables: list[Variable]) -> dict[str, Variable]:
    return {variable.key: variable for variable in variables}


def values(variables: list[Variable]) -> dict[str, str]:
    return {variable.key: variable.value for variable in variables}


def setting(
    core: Core, key: str, value: str, *, project: Project | None = None, group_id: int | None = None, **given: Any
) -> None:
    project_id = project.id if project else None
    with write(core.session):
        row = CiVariable(project_id=project_id, group_id=group_id, key=key, created_at=core.now(), **given)
        row.value_sealed = core.box.seal(value, row.seal_context)
        core.session.add(row)


def test_a_job_is_told_where_it_is(core: Core, project: Project, owner: User) -> None:
    object.__setattr__(core.config, "external_url", "https://ci.example.com:8443")
    job = start(core, project, owner, plan(instance=(2, 3)), ref="Feature/X_1", sha="0123456789" * 4)
    found = values(all_of(core, job, tags=["b", "a"], description="the runner"))
    url = "https://ci.example.com:8443/Tools/Sub/Hello.World"
    expected = {
        "CI": "true",
        "GITLAB_CI": "true",
        "CI_API_V4_URL": "https://ci.example.com:8443/api/v4",
        "CI_COMMIT_AUTHOR": "Ada <ada@example.com>",
        "CI_COMMIT_BEFORE_SHA": "0" * 40,
        "CI_COMMIT_BRANCH": "Feature/X_1",
        "CI_COMMIT_MESSAGE": "Add a file\n",
        "CI_COMMIT_REF_NAME": "Feature/X_1",
        "CI_COMMIT_REF_PROTECTED": "true",
        "CI_COMMIT_REF_SLUG": "feature-x-1",
        "CI_COMMIT_SHA": "0123456789" * 4,
        "CI_COMMIT_SHORT_SHA": "01234567",
        "CI_COMMIT_TITLE": "Add a file",
        "CI_CONFIG_PATH": ".gitlab-ci.yml",
        "CI_DEFAULT_BRANCH": "main",
        "CI_JOB_GROUP_NAME": "rspec",
        "CI_JOB_ID": str(job.id),
        "CI_JOB_NAME": "rspec 2/3",
        "CI_JOB_NAME_SLUG": "rspec-2-3",
        "CI_JOB_STAGE": "test",
        "CI_JOB_TOKEN": TOKEN,
        "CI_JOB_URL": f"{url}/-/jobs/{job.id}",
        "CI_NODE_INDEX": "2",
        "CI_NODE_TOTAL": "3",
        "CI_PIPELINE_ID": str(job.pipeline_id),
        "CI_PIPELINE_IID": "1",
        "CI_PIPELINE_SOURCE": "push",
        "CI_PIPELINE_URL": f"{url}/-/pipelines/{job.pipeline_id}",
        "CI_PROJECT_ID": str(project.id),
        "CI_PROJECT_NAME": "Hello.World",
        "CI_PROJECT_NAMESPACE": "Tools/Sub",
        "CI_PROJECT_PATH": "Tools/Sub/Hello.World",
        "CI_PROJECT_PATH_SLUG": "tools-sub-hello-world",
        "CI_PROJECT_ROOT_NAMESPACE": "Tools",
        "CI_PROJECT_URL": url,
        "CI_PROJECT_VISIBILITY": "private",
        "CI_REPOSITORY_URL": f"https://gitlab-ci-token:{TOKEN}@ci.example.com:8443/Tools/Sub/Hello.World.git",
        "CI_RUNNER_DESCRIPTION": "the runner",
        "CI_RUNNER_TAGS": '["a", "b"]',
        "CI_SERVER_FQDN": "ci.example.com:8443",
        "CI_SERVER_HOST": "ci.example.com",
        "CI_SERVER_NAME": "GitLab",
        "CI_SERVER_PORT": "8443",
        "CI_SERVER_PROTOCOL": "https",
        "GITLAB_USER_EMAIL": "ada@example.com",
        "GITLAB_USER_LOGIN": "ada",
    }
    assert {key: found.get(key) for key in expected} == expected
    assert not {"CI_COMMIT_TAG", "CI_JOB_MANUAL", "CI_PIPELINE_TRIGGERED"} & found.keys()


def test_a_tag_is_no_branch_and_a_manual_triggered_job_knows_it(core: Core, project: Project) -> None:
    job = start(core, project, None, plan(when="manual", name="alone"), ref="v1", tag=True, source="trigger")
    found = values(all_of(core, job))
    assert (found["CI_COMMIT_TAG"], found["CI_COMMIT_TAG_MESSAGE"], found["CI_JOB_MANUAL"]) == ("v1", "", "true")
    assert (found["CI_NODE_TOTAL"], found["CI_PIPELINE_TRIGGERED"]) == ("1", "true")
    assert not {"CI_COMMIT_BRANCH", "CI_NODE_INDEX", "GITLAB_USER_LOGIN"} & found.keys()


@pytest.mark.parametrize("database", BOTH, indirect=True)
def test_the_later_group_of_variables_wins(core: Core, project: Project, owner: User) -> None:
    groups = [project.group.parent_id, project.group_id]
    keys = ["JOB", "INSTANCE", "GROUP", "SUBGROUP", "PROJECT", "DEFINITION", "PIPELINE", "MANUAL"]
    given = Variable("CI_PROJECT_NAME", "mine")
    job = start(core, project, owner, plan(given, *(Variable(key, "job") for key in keys)))
    levels: list[tuple[str, dict[str, Any]]] = [
        ("project", {"project": project}),
        ("subgroup", {"group_id": groups[1]}),
        ("group", {"group_id": groups[0]}),
        ("instance", {}),
    ]
    for level, place in levels:
        start_at = keys.index(level.upper())
        for key in keys[start_at:]:
            setting(core, key, level, **place)
    definition = core.session.query(PipelineDefinition).filter_by(project_id=project.id, is_default=True).one()
    for key in ("DEFINITION", "PIPELINE", "MANUAL"):
        add_variable(core, definition, key, "definition")
    job_id = job.id
    with write(core.session):
        row = core.session.get_one(Job, job_id)
        pipeline = [Variable(key, "pipeline", public=False) for key in ("PIPELINE", "MANUAL")]
        row.pipeline.variables_sealed = seal_variables(core, pipeline, row.pipeline.seal_context)
        row.variables_sealed = seal_variables(core, [Variable("MANUAL", "manual", public=False)], row.seal_context)
    found = values(all_of(core, job))
    assert {key: found[key] for key in keys} == {key: key.lower() for key in keys}
    assert found["CI_PROJECT_NAME"] == "mine"


def test_protected_variables_are_for_protected_refs_and_other_environments_for_none(
    core: Core, project: Project
) -> None:
    other = make_project(core)
    setting(core, "OPEN", "1", project=project)
    setting(core, "SECRET", "2", project=project, protected=True)
    setting(core, "STAGING", "3", project=project, environment_scope="staging")
    setting(core, "THEIRS", "4", project=other)
    setting(core, "THEIRS", "5", group_id=other.group_id)
    assert values(settings_variables(core, project, True)) == {"OPEN": "1", "SECRET": "2"}
    assert values(settings_variables(core, project, False)) == {"OPEN": "1"}


def test_what_must_not_be_shown_is_marked(core: Core, project: Project) -> None:
    setting(core, "MASKED", "hunter22", project=project, masked=True)
    setting(core, "FILE", "$CI_JOB_TOKEN", project=project, file=True, raw=True)
    found = last(all_of(core, start(core, project, None, plan(Variable("PLAIN", "1")))))
    flags = {key: (found[key].public, found[key].masked) for key in ("CI_JOB_TOKEN", "MASKED", "FILE", "PLAIN")}
    assert flags == {
        "CI_JOB_TOKEN": (False, True),
        "MASKED": (False, True),
        "FILE": (False, False),
        "PLAIN": (True, False),
    }
    assert (found["FILE"].file, found["FILE"].raw, found["FILE"].value) == (True, True, "$CI_JOB_TOKEN")
    assert not found["CI_REPOSITORY_URL"].public


def test_references_are_resolved_and_what_people_wrote_is_not(core: Core, project: Project, owner: User) -> None:
    setting(core, "KEY", "the secret", project=project)
    setting(core, "PATH_OF", "x", project=project, file=True)
    given = [
        Variable("A", "$B-${C}-%D%-$NOWHERE"),
        Variable("B", "b$C"),
        Variable("C", "c"),
        Variable("E", "$PATH_OF $KEY"),
    ]
    commit = {
        "message": "$KEY\n\n$KEY",
        "title": "$KEY",
        "author_name": "$KEY",
        "author_email": "",
        "committed_date": "",
    }
    found = last(all_of(core, start(core, project, owner, plan(*given), commit=commit, ref="$KEY")))
    assert (found["A"].value, found["E"].value) == ("bc-c-%D%-$NOWHERE", "$PATH_OF the secret")
    for key in (
        "CI_COMMIT_MESSAGE",
        "CI_COMMIT_TITLE",
        "CI_COMMIT_AUTHOR",
        "CI_COMMIT_REF_NAME",
        "CI_COMMIT_DESCRIPTION",
    ):
        assert "$KEY" in found[key].value
        assert "secret" not in found[key].value
    assert (found["GITLAB_USER_NAME"].value, found["CI_PROJECT_DESCRIPTION"].value) == ("Ada $HOME", "costs $5")


def test_settings_that_came_to_refer_to_each_other_do_not_stop_the_job(core: Core, project: Project) -> None:
    job = start(core, project, None, plan())
    setting(core, "A", "$B", project=project)
    setting(core, "B", "$A", project=project)
    found = values(all_of(core, job))
    assert (found["A"], found["B"]) == ("$B", "$A")


def test_sealed_variables_open_only_where_they_belong(core: Core, project: Project) -> None:
    create_project(core, full_path="other/one", creator=None)
    job = start(core, project, None, plan())
    pipeline_id = job.pipeline_id
    with write(core.session):
        pipeline = core.session.get_one(Pipeline, pipeline_id)
        pipeline.variables_sealed = seal_variables(core, [Variable("A", "hunter22")], pipeline.seal_context)
        assert "hunter22" not in str(pipeline.variables_sealed)
    assert values(all_of(core, job))["A"] == "hunter22"
