"""Requests that nobody thought of, from everyone: nothing breaks, and no answer is other than the document says.

Short by default: the owner sends all of them, each other caller a share. `make test DEPTH=long` sends far more, all
from everyone.
"""

from typing import Any

import pytest
from flask import Flask

from app.models import Environment, write
from app.services.jobs.resources import group_ids
from app.services.projects.ci_variables import add_variable
from tests.factories import make_runner
from tests.git_client import new_checkout
from tests.support import fuzz
from tests.support.place import Place, zipped

ROLES = (
    "owner",
    "anonymous",
    "stranger",
    "guest",
    "reporter",
    "developer",
    "maintainer",
    "admin",
    "job",
    "runner",
)
#: There is no job router: the one answer from 500 on that is meant.
MEANT = {501}


@pytest.fixture
def settings() -> dict[str, Any]:
    return {"rate_limit_user": 0, "rate_limit_address": 0, "remote_includes": False}


@pytest.fixture(scope="module")
def requests() -> list[Any]:
    return list(fuzz.requests())


@pytest.fixture
def world(place: Place, tmp_path_factory: pytest.TempPathFactory) -> Place:
    """A project with a repository and with number 1 of most things."""
    core, project = place.core, place.project
    folder = tmp_path_factory.mktemp("checkout") / "rocket"
    checkout = new_checkout(folder, str(core.repositories.path(project.id)), {"a": "1"})
    assert checkout.push("main").ok
    job = place.job(name="build", status="success", user_id=place.users["developer"].id)
    place.archive(job, zipped({"a": b"1"}))
    place.log(job, b"log")
    for of in (project, project.group, None):
        add_variable(core, of, "KEY", "v", {})
    make_runner(core, runner_type="project_type", project=project)
    now = core.now()
    with write(core.session):
        group_ids(core, project.id, ["prod"])
        values = {"name": "review/1", "slug": "review-1", "tier": "other", "created_at": now, "updated_at": now}
        core.session.add(Environment(project_id=project.id, **values))
    return place


def headers_of(world: Place, role: str) -> dict[str, str]:
    if role == "anonymous":
        return {}
    if role == "runner":
        return {"Runner-Token": make_runner(world.core)[1]}
    if role == "job":
        token = world.job_token(world.job(status="running", user_id=world.users["developer"].id))
        return {"JOB-TOKEN": token}
    return {"PRIVATE-TOKEN": world.tokens[role]}


def is_about(role: str, path: str) -> bool:
    """Whether a runner or a job, of all callers, is meant by what lies at `path`."""
    return role in ("job", "runner") and path.startswith(("/job", "/runners"))


@pytest.mark.timeout(3600 if fuzz.LONG else 300)
@pytest.mark.parametrize("role", ROLES)
def test_whatever_is_asked_is_answered_as_the_document_says(
    app: Flask, world: Place, requests: list[Any], wrong_answers: list[str], role: str
) -> None:
    turn, client, broken = ROLES.index(role), app.test_client(), []
    headers = headers_of(world, role)
    for number, case in enumerate(requests):
        if not (fuzz.LONG or turn == 0 or number % (len(ROLES) - 1) == turn - 1 or is_about(role, case.operation.path)):
            continue
        seen = len(wrong_answers)
        answer = client.open(**fuzz.arguments(case, headers))
        if (answer.status_code >= 500 and answer.status_code not in MEANT) or len(wrong_answers) > seen:
            broken.append(f"{answer.status_code} {case.as_curl_command()} {wrong_answers[seen:]}")
    assert broken == []
