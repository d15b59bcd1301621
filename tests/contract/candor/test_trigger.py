"""Triggers: constraints, parameters, what cannot be run (seed: POST /trigger/:token; candor.md A.5)."""

from typing import Any

import pytest

from app.domain import plan_json
from app.domain.plan import JobPlan
from app.models import PipelineDefinition, write
from tests.contract.candor.conftest import EVENT, PLAN, PUSH, Site


def plan_of(site: Site) -> JobPlan:
    return plan_json.from_json(JobPlan, site.job().plan)


def test_a_trigger_starts_a_run_without_any_repository(site: Site) -> None:
    answer = site.trigger()
    assert (answer.status_code, answer.text) == (200, "OK")
    (run,) = site.runs()
    assert (run.definition_id, run.status, run.source, run.protected) == (site.id, "pending", "trigger", False)
    plan = plan_of(site)
    assert plan.workspace == "/home/work"
    assert [(step.name, step.image.name if step.image else "") for step in plan.steps] == [
        ("Clone", "alpine/git"),
        ("Test", "node:18"),
    ]
    assert {variable.key: variable.value for variable in plan.steps[1].environment} == {"FOO": "BAR", "BAZ": "BAZ"}
    assert site.job().required_features == ["skerry_steps"]


def test_parameters_come_from_the_body_and_the_query_overrides_them(site: Site) -> None:
    site.trigger()
    assert plan_of(site).steps[0].script[1] == "git checkout 0a1b2c"
    site.trigger(query="?sha=fff&other=1")
    assert plan_of(site).steps[0].script[1] == "git checkout fff"


def test_a_parameter_that_finds_nothing_stays_as_it_is_written(site: Site) -> None:
    site.trigger({"ref": "refs/heads/main"})
    assert plan_of(site).steps[0].script[1] == "git checkout %sha%"


def test_values_of_parameters_are_not_looked_through_again(site: Site) -> None:
    site.trigger({**PUSH, "after": "%who%"}, query="?who=me")
    assert plan_of(site).steps[0].script[1] == "git checkout %who%"


@pytest.mark.parametrize(
    ("headers", "body", "status"),
    [
        (EVENT, PUSH, 200),
        ({"x-github-event": "ping"}, PUSH, 200),
        ({"X-GitHub-Event": "pull_request"}, PUSH, 204),
        ({"X-GitHub-Event": ""}, PUSH, 204),
        ({}, PUSH, 204),
        (EVENT, {"ref": "refs/heads/other"}, 204),
        (EVENT, {}, 204),
        (EVENT, [], 204),
    ],
)
def test_unmet_constraints_are_204_and_start_nothing(site: Site, headers: Any, body: Any, status: int) -> None:
    answer = site.trigger(body, headers)
    assert answer.status_code == status
    assert len(site.runs()) == (status == 200)


@pytest.mark.parametrize(
    ("expected", "met"),
    [
        ({".ref": ["refs/heads/main"]}, True),
        ({".ref": "refs/heads/main"}, False),
        ({".commits[0].id": ["a"]}, True),
        ({".commits[1]": {"id": "b", "n": 2}}, True),
        ({".commits.n": [1, 2.0]}, True),
        ({".missing": []}, True),
        ({".missing[0]": None}, False),
        ({"not a path": ["x"]}, False),
        ({".ref{": []}, False),
    ],
)
def test_an_expression_has_to_find_exactly_what_is_expected(site: Site, expected: Any, met: bool) -> None:
    site.save({"stages": [], "constrainBody": expected})
    body = {"ref": "refs/heads/main", "commits": [{"id": "a", "n": 1}, {"id": "b", "n": 2}]}
    assert site.trigger(body).status_code == (200 if met else 204)


def test_what_cannot_be_run_is_400(site: Site) -> None:
    assert site.app.test_client().post("/trigger/unknown", json={}).status_code == 400
    broken = {"data": "{", "content_type": "application/json", "headers": EVENT}
    assert site.app.test_client().post(f"/trigger/{site.token}", **broken).status_code == 400
    site.save({"stages": [{"name": "x"}]})
    assert site.trigger().text == "Bad Request"
    assert site.runs() == []


def test_a_parameter_cannot_make_an_image_of_nothing(site: Site) -> None:
    site.save({"stages": [{"name": "a", "image": "%what%"}], "parameters": {"what": ".what"}})
    assert site.trigger({"what": " "}).status_code == 400


def test_a_busy_pipeline_queues_its_runs(site: Site) -> None:
    assert [site.trigger().status_code for _ in range(2)] == [200, 200]
    assert len(site.runs()) == 2


def test_strictly_a_busy_pipeline_is_400(site: Site) -> None:
    object.__setattr__(site.core.config, "strict_triggers", True)
    assert [site.trigger().status_code for _ in range(2)] == [200, 400]
    site.finish()
    assert site.trigger().status_code == 200


def test_a_trigger_needs_no_session_and_takes_none_of_its_rights(site: Site) -> None:
    answer = site.client("demouser").post(
        f"/trigger/{site.token}", json=PUSH, headers=EVENT | {"Origin": "https://hooks.example"}
    )
    assert answer.status_code == 200
    assert site.runs()[0].user_id is None


def test_an_archived_project_runs_nothing(site: Site) -> None:
    with write(site.core.session):
        site.core.session.get_one(PipelineDefinition, site.id).project.archived = True
    assert site.trigger().status_code == 400


def test_nul_is_refused(site: Site) -> None:
    assert site.trigger({**PUSH, "after": "a\0b"}).status_code == 400
    assert site.trigger(query="?sha=%00").status_code == 400


def test_a_plan_without_stages_is_a_run(site: Site) -> None:
    site.save({**PLAN, "stages": [], "archive": None})
    assert site.trigger().status_code == 200
    assert plan_of(site).steps == ()
