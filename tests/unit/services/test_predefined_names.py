"""The predefined variables of gitlab.md A.8, name by name: each is sent, or docs say when or why not."""

import re
from pathlib import Path
from typing import Any

import pytest

from app.domain.plan import JobPlan, Step
from app.models import PipelineSchedule, ScheduleRun, write
from app.services.core import Core
from app.services.pipelines.variables import job_variables
from tests.factories import make_job, make_pipeline, make_project, make_runner, make_user

PAGE = (Path(__file__).parents[3] / "docs/reference/gitlab-ci-variables.md").read_text()
#: "Predefined set a server should send", and what stands beside it in the groups above.
_NAMES = """
    CI GITLAB_CI CI_API_V4_URL CI_API_GRAPHQL_URL CI_COMMIT_AUTHOR CI_COMMIT_BEFORE_SHA CI_COMMIT_BRANCH
    CI_COMMIT_DESCRIPTION CI_COMMIT_MESSAGE CI_COMMIT_REF_NAME CI_COMMIT_REF_PROTECTED CI_COMMIT_REF_SLUG
    CI_COMMIT_SHA CI_COMMIT_SHORT_SHA CI_COMMIT_TAG CI_COMMIT_TAG_MESSAGE CI_COMMIT_TIMESTAMP CI_COMMIT_TITLE
    CI_CONFIG_PATH CI_DEFAULT_BRANCH CI_DEFAULT_BRANCH_SLUG CI_DEPLOY_FREEZE CI_ENVIRONMENT_NAME
    CI_ENVIRONMENT_ACTION CI_ENVIRONMENT_TIER CI_ENVIRONMENT_SLUG CI_ENVIRONMENT_URL CI_JOB_ID CI_JOB_MANUAL
    CI_JOB_NAME CI_JOB_NAME_SLUG CI_JOB_STAGE CI_JOB_URL CI_JOB_STARTED_AT CI_JOB_GROUP_NAME CI_JOB_TOKEN
    CI_NODE_INDEX CI_NODE_TOTAL CI_PIPELINE_ID CI_PIPELINE_IID CI_PIPELINE_SOURCE CI_PIPELINE_URL
    CI_PIPELINE_CREATED_AT CI_PIPELINE_NAME CI_PIPELINE_SCHEDULE_DESCRIPTION CI_PIPELINE_TRIGGERED CI_PROJECT_ID
    CI_PROJECT_NAME CI_PROJECT_TITLE CI_PROJECT_DESCRIPTION CI_PROJECT_PATH CI_PROJECT_PATH_SLUG
    CI_PROJECT_NAMESPACE CI_PROJECT_NAMESPACE_ID CI_PROJECT_NAMESPACE_SLUG CI_PROJECT_ROOT_NAMESPACE
    CI_PROJECT_URL CI_PROJECT_VISIBILITY CI_PROJECT_REPOSITORY_LANGUAGES CI_PROJECT_CLASSIFICATION_LABEL
    CI_PROJECT_TOPICS CI_REGISTRY CI_REGISTRY_IMAGE CI_REGISTRY_USER CI_REGISTRY_PASSWORD CI_REPOSITORY_URL
    CI_DEPLOY_USER CI_DEPLOY_PASSWORD CI_DEPENDENCY_PROXY_USER CI_DEPENDENCY_PROXY_PASSWORD CI_RUNNER_ID
    CI_RUNNER_DESCRIPTION CI_RUNNER_TAGS CI_SERVER_FQDN CI_SERVER_HOST CI_SERVER_NAME CI_SERVER_PORT
    CI_SERVER_PROTOCOL CI_SERVER_REVISION CI_SERVER_SHELL_SSH_HOST CI_SERVER_SHELL_SSH_PORT CI_SERVER_URL
    CI_SERVER_VERSION CI_SERVER_VERSION_MAJOR CI_SERVER_VERSION_MINOR CI_SERVER_VERSION_PATCH
    CI_TEMPLATE_REGISTRY_HOST CI_TRIGGER_SHORT_TOKEN GITLAB_FEATURES GITLAB_USER_EMAIL GITLAB_USER_ID
    GITLAB_USER_LOGIN GITLAB_USER_NAME TRIGGER_PAYLOAD CI_OPEN_MERGE_REQUESTS CI_MERGE_REQUEST_ID
    CI_BUILD_REF CI_BUILD_BEFORE_SHA CI_BUILD_REF_NAME CI_BUILD_REF_SLUG CI_BUILD_TAG
"""
REFERENCE = frozenset(re.findall(r"\w+", _NAMES))


def documented(heading: str) -> set[str]:
    """The names in the first column of the table below `heading`."""
    section = PAGE.partition(f"## {heading}\n")[2].partition("\n## ")[0]
    cells = [row.split("|")[1] for row in section.splitlines() if row.startswith("| `")]
    names = [name for cell in cells for name in re.findall(r"`(\w+)`", cell)]
    assert len(names) == len(set(names))
    return set(names)


ALWAYS = documented("Always there")
SOMETIMES = documented("There when they mean something")
ABSENT = documented("Not there")


def sent(
    core: Core, user: bool = True, schedule: bool = False, plan: dict[str, Any] | None = None, **run: Any
) -> set[str]:
    """The names of what a job of such a pipeline gets."""
    owner = make_user(core)
    project = make_project(core, creator=owner)
    pipeline = make_pipeline(core, project, user=owner if user else None, **run)
    if schedule:
        pipeline_id, project_id, owner_id, now = pipeline.id, project.id, owner.id, core.now()
        with write(core.session):
            row = PipelineSchedule(project_id=project_id, owner_id=owner_id, description="nightly", ref="main")
            row.cron, row.inputs, row.next_run_at, row.created_at, row.updated_at = "0 1 * * *", [], now, now, now
            core.session.add(row)
            core.session.flush()
            core.session.add(ScheduleRun(pipeline_id=pipeline_id, schedule_id=row.id))
    values = {"name": "job", "stage": "test", "steps": (Step("script", ("true",)),), **(plan or {})}
    job = make_job(core, pipeline, plan=JobPlan(**values))
    return {variable.key for variable in job_variables(core, job, make_runner(core)[0], "glcbt-x")}


def test_every_name_of_the_reference_is_accounted_for_once() -> None:
    assert set() == REFERENCE - (ALWAYS | SOMETIMES | ABSENT)
    assert not ALWAYS & SOMETIMES
    assert not (ALWAYS | SOMETIMES) & ABSENT


@pytest.mark.parametrize(
    ("given", "more"),
    [
        ({"user": False}, {"CI_COMMIT_BRANCH"}),
        ({"user": False, "tag": True}, {"CI_BUILD_TAG", "CI_COMMIT_TAG", "CI_COMMIT_TAG_MESSAGE"}),
        (
            {"user": False, "source": "trigger", "trigger_short_token": "abcd"},
            {"CI_COMMIT_BRANCH", "CI_PIPELINE_TRIGGERED", "CI_TRIGGER_SHORT_TOKEN"},
        ),
        ({"user": False, "name": "Nightly"}, {"CI_COMMIT_BRANCH", "CI_PIPELINE_NAME"}),
        (
            {"user": False, "plan": {"instance": (1, 2), "when": "manual"}},
            {"CI_COMMIT_BRANCH", "CI_NODE_INDEX", "CI_JOB_MANUAL"},
        ),
        (
            {"user": True},
            {"CI_COMMIT_BRANCH"} | {f"GITLAB_USER_{word}" for word in ("EMAIL", "ID", "LOGIN", "NAME")},
        ),
        (
            {"user": False, "schedule": True, "source": "schedule"},
            {"CI_COMMIT_BRANCH", "CI_PIPELINE_SCHEDULE_DESCRIPTION"},
        ),
    ],
)
def test_a_job_gets_what_is_always_there_and_what_means_something(
    core: Core, given: dict[str, Any], more: set[str]
) -> None:
    assert sent(core, **given) == ALWAYS | more
    assert more <= SOMETIMES
