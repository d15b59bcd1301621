"""Spinnaker's Igor: applications with their pipelines, and what they ran since a moment."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from werkzeug.test import TestResponse

from app.api.wercker_v3.entities.common import id_of
from tests.databases import BOTH
from tests.factories import make_pipeline, make_project
from tests.support.place import Place
from tests.support.wercker import Api, Ids

V1 = "/api/spinnaker/v1"


def run_ids(answer: TestResponse) -> list[str]:
    assert answer.status_code == 200, answer.text
    return [run["id"] for run in answer.json]


@pytest.mark.parametrize("database", BOTH, indirect=True)
def test_applications_come_with_their_pipelines(api: Api, place: Place, ids: Ids) -> None:
    deploy = api.post("/pipelines", json={"application": ids.application, "name": "deploy"}).json
    make_project(place.core, "acme/hidden", creator=place.users["owner"])
    (shown,) = api.get(f"{V1}/applications?limit=300").json
    assert [pipeline["name"] for pipeline in shown["pipelines"]] == ["default", "deploy"]
    assert shown["pipelines"][1] == deploy
    assert shown == api.get("/applications/acme").json[0] | {"pipelines": shown["pipelines"]}
    assert api.get(f"{V1}/applications", token=None).json == []
    place.set(place.project, visibility="public")
    assert [each["id"] for each in api.get(f"{V1}/applications", token=None).json] == [ids.application]
    assert api.get(f"{V1}/applications", token=place.tokens["stranger"]).json == []


@pytest.mark.parametrize("database", BOTH, indirect=True)
def test_runs_of_several_pipelines_since_a_moment(api: Api, place: Place, ids: Ids) -> None:
    other = make_project(place.core, "zoo/other", creator=place.users["maintainer"])
    second = make_pipeline(place.core, other, ref="topic")
    applications = api.get(f"{V1}/applications").json
    pipelines = {each["name"]: each["pipelines"][0]["id"] for each in applications}
    first, second_id = ids.run, id_of(second)
    both = f"pipelineIds={pipelines['rocket']}&pipelineIds={pipelines['other']}"
    assert run_ids(api.get(f"{V1}/runs?{both}")) == [second_id, first]
    assert run_ids(api.get(f"{V1}/runs?pipelineIds={','.join(pipelines.values())}&limit=1")) == [second_id]
    assert run_ids(api.get(f"{V1}/runs?{both}&branch=topic")) == [second_id]
    assert run_ids(api.get(f"{V1}/runs?pipelineIds={pipelines['rocket']}")) == [first]
    place.set(place.pipeline, created_at=place.core.now() - timedelta(hours=1))
    since = int((place.core.now() - timedelta(minutes=5)).timestamp() * 1000)
    assert run_ids(api.get(f"{V1}/runs?{both}&since={since}")) == [second_id]
    (run, _) = api.get(f"{V1}/runs?{both}").json
    application = run.pop("application")
    assert run == api.get(f"/runs?pipelineId={pipelines['other']}").json[0]
    assert application == {key: applications[0][key] for key in ("id", "name", "owner")}


def test_what_makes_no_sense_is_refused(api: Api, place: Place, ids: Ids, error: Callable[..., Any]) -> None:
    assert error(api.get(f"{V1}/runs"))[:2] == (400, "Bad Request")
    assert error(api.get(f"{V1}/runs?pipelineIds={ids.pipeline}&limit=301"))[0] == 400
    assert error(api.get(f"{V1}/runs?pipelineIds={ids.pipeline}&since={10**15}"))[0] == 400
    assert error(api.get(f"{V1}/runs?pipelineIds={','.join([ids.pipeline] * 101)}"))[0] == 400
    assert error(api.get(f"{V1}/runs?pipelineIds={ids.pipeline},x"))[0] == 404
    assert error(api.get(f"{V1}/runs?pipelineIds={ids.pipeline}", token=place.tokens["stranger"]))[0] == 404
