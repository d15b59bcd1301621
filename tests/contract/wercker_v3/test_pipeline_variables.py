"""Variables of one pipeline: its jobs have them, those of other pipelines do not, and secrets are never shown."""

from typing import Any

import pytest

from app.models import DefinitionVariable, PipelineDefinition, write
from app.services.runners.create_runner import create_runner
from tests.conftest import LiveServer
from tests.contract.runner_protocol.stock import StockRunner
from tests.databases import BOTH
from tests.git_client import Checkout
from tests.support.place import Place
from tests.support.wercker import Api, Ids

SECRET = "a-long-secret"
CONFIGURATION = """
build:
  script: [make]
  rules: [{if: '$ONLY_HERE == "one"'}]
other:
  script: [make]
"""


def given(job: dict[str, Any]) -> dict[str, tuple[str, bool]]:
    """Value and whether it is masked, of the variables that matter here."""
    names = {"ONLY_HERE", "SECRET", "SHARED", "OWN"}
    return {each["key"]: (each["value"], each["masked"]) for each in job["variables"] if each["key"] in names}


@pytest.mark.parametrize("database", BOTH, indirect=True)
def test_jobs_have_the_variables_of_their_own_pipeline(
    api: Api, place: Place, ids: Ids, pushed: Checkout, server: LiveServer
) -> None:
    pushed.commit({".gitlab-ci.yml": CONFIGURATION})
    assert pushed.push("main").ok
    runner = StockRunner(server.url, create_runner(place.core)[1])
    second = api.post("/pipelines", json={"application": ids.application, "name": "deploy"}).json["id"]

    def add(scope: str, target: str, **variable: Any) -> None:
        assert api.post("/envvars", json={"scope": scope, "target": target} | variable).status_code == 200

    add("application", ids.application, key="SHARED", value="application")
    add("application", ids.application, key="OWN", value="application")
    add("pipeline", ids.pipeline, key="SHARED", value="pipeline")
    add("pipeline", ids.pipeline, key="OWN", value="pipeline")
    add("pipeline", ids.pipeline, key="ONLY_HERE", value="one")
    add("pipeline", ids.pipeline, key="SECRET", value=SECRET, protected=True)
    add("pipeline", second, key="ONLY_HERE", value="two")

    variables = [{"key": "OWN", "value": "run"}]
    first = api.post("/runs", json={"pipelineId": ids.pipeline, "envVars": variables}).json
    assert first["envVars"] == variables
    jobs = {job["job_info"]["name"]: job for job in (runner.take().payload, runner.take().payload)}
    assert set(jobs) == {"build", "other"}
    expected = {"SHARED": ("pipeline", False), "OWN": ("run", False), "ONLY_HERE": ("one", False)}
    assert given(jobs["build"]) == expected | {"SECRET": (SECRET, True)}

    api.post("/runs", json={"pipelineId": second})
    job = runner.take().payload
    assert job["job_info"]["name"] == "other"
    expected = {"SHARED": ("application", False), "OWN": ("application", False), "ONLY_HERE": ("two", False)}
    assert given(job) == expected
    assert SECRET not in api.get(f"/envvars?scope=pipeline&target={ids.pipeline}").text


@pytest.mark.parametrize("database", BOTH, indirect=True)
def test_they_are_sealed_and_go_with_their_pipeline(api: Api, place: Place, ids: Ids) -> None:
    second = api.post("/pipelines", json={"application": ids.application, "name": "deploy"}).json["id"]
    body = {"scope": "pipeline", "target": second, "key": "A", "value": SECRET}
    assert api.post("/envvars", json=body).status_code == 200
    row = place.core.session.query(DefinitionVariable).one()
    assert SECRET not in row.value_sealed
    definition_id = row.definition_id
    with write(place.core.session):
        place.core.session.delete(place.core.session.get_one(PipelineDefinition, definition_id))
    assert place.core.session.query(DefinitionVariable).count() == 0


def test_who_may_see_and_change_them(api: Api, place: Place, ids: Ids) -> None:
    body = {"scope": "pipeline", "target": ids.pipeline, "key": "A", "value": "b"}
    made = api.post("/envvars", json=body).json["id"]
    expected = {"stranger": 404, "guest": 403, "developer": 403, "maintainer": 200, "admin": 200}
    for role, status in expected.items():
        token = place.tokens[role]
        answers = [
            api.get(f"/envvars?scope=pipeline&target={ids.pipeline}", token=token),
            api.patch(f"/envvars/{made}", json={"value": "c"}, token=token),
        ]
        assert (role, {answer.status_code for answer in answers}) == (role, {status})
    wrong = made[:-1] + ("0" if made[-1] != "0" else "1")
    assert api.get(f"/envvars?scope=pipeline&target={ids.application}").status_code == 404
    assert api.delete(f"/envvars/{wrong}").status_code == 404
    assert api.delete(f"/envvars/{made}", token=place.tokens["guest"]).status_code == 403
    assert api.delete(f"/envvars/{made}").status_code == 204


def test_a_log_that_shows_every_variable_is_kept_from_those_who_may_not_see_them(
    api: Api, place: Place, ids: Ids
) -> None:
    job = place.job(status="success")
    place.log(job, b"hello")
    (step,) = api.get(f"/runs/{ids.run}/steps").json
    assert api.get(f"/runsteps/{step['id']}/log", token=place.tokens["reporter"]).status_code == 200
    body = {"scope": "pipeline", "target": ids.pipeline, "key": "CI_DEBUG_TRACE", "value": "true"}
    assert api.post("/envvars", json=body).status_code == 200
    assert api.get(f"/runsteps/{step['id']}/log", token=place.tokens["reporter"]).status_code == 403
    assert api.get(f"/runsteps/{step['id']}/log", token=place.tokens["developer"]).status_code == 200
