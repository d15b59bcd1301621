"""Who is assigned to a pipeline: rows of its own, beside the roles in its project (candor.md A.2, "Permissions")."""

import json

import pytest

from app.domain.permissions import Role
from app.models import Job, PipelineAssignee, PipelineDefinition, User, write
from app.services.access import role_of
from app.services.runs import assignees, definitions
from tests.contract.candor.conftest import PLAN, Site
from tests.databases import BOTH
from tests.factories import make_member, make_user


def user_of(site: Site, username: str) -> User:
    return site.core.session.query(User).filter_by(username=username).one()


def other_pipeline(site: Site) -> PipelineDefinition:
    return definitions.create_definition(
        site.core, site.definition.project, "Other", config_path="candor.json", stored_text=json.dumps(PLAN)
    )[0]


@pytest.mark.parametrize("database", BOTH, indirect=True)
def test_an_assignee_sees_and_changes_that_pipeline_and_gets_no_role(site: Site) -> None:
    other = other_pipeline(site)
    client = site.client("demouser")
    assert [one["id"] for one in client.get("/api/pipelines").json] == [site.id]
    assert client.get(f"/api/pipelines/{site.id}").json["trigger"] == site.token
    assert client.post(f"/api/pipelines/{site.id}/config", json={"stages": []}).json == {"valid": True}
    assert client.get(f"/api/pipelines/{other.id}").status_code == 403
    assert client.get(f"/api/pipelines/{other.id}/config").status_code == 403
    assert role_of(site.core, user_of(site, "demouser"), site.definition.project) == Role.NONE
    assert client.get("/api/v4/projects/ci%2Frocket").status_code == 404


@pytest.mark.parametrize(("role", "may"), [(Role.REPORTER, False), (Role.DEVELOPER, True), (Role.OWNER, True)])
def test_who_may_start_the_projects_pipelines_counts_as_assigned(site: Site, role: Role, may: bool) -> None:
    make_member(site.core, make_user(site.core, "member"), site.definition.project, role)
    client = site.client("member")
    shown = client.get(f"/api/pipelines/{site.id}").json
    assert shown["assigned"] is may
    assert ("member" in shown["assignees"]) is may
    assert client.get(f"/api/pipelines/{site.id}/config").status_code == (200 if may else 403)


def test_an_assignment_can_be_taken_back_and_made_twice(site: Site) -> None:
    demo = user_of(site, "demouser")
    client = site.client("demouser")
    assignees.assign(site.core, site.definition, [demo, demo])
    assert assignees.assignees(site.core, site.definition) == ["demouser"]
    assignees.unassign(site.core, site.definition, [demo])
    assert client.get(f"/api/pipelines/{site.id}").status_code == 403
    assert client.get("/api/pipelines").json == []
    assert assignees.assignees(site.core, site.definition) == []


def test_a_blocked_assignee_is_none(site: Site) -> None:
    demo = user_of(site, "demouser")
    with write(site.core.session):
        site.core.session.get_one(User, demo.id).blocked = True
    assert assignees.assignees(site.core, site.definition) == []
    assert not assignees.may_use(site.core, site.definition, demo)
    assert not assignees.may_see(site.core, site.definition, demo)
    assert assignees.visible_definitions(site.core, demo) == []


@pytest.mark.parametrize("database", BOTH, indirect=True)
@pytest.mark.parametrize("gone", ["definition", "user"])
def test_assignments_go_with_the_pipeline_and_with_the_user(site: Site, gone: str) -> None:
    demo_id = user_of(site, "demouser").id
    with write(site.core.session):
        row = site.core.session.get_one(*((User, demo_id) if gone == "user" else (PipelineDefinition, site.id)))
        site.core.session.delete(row)
    assert site.core.session.query(PipelineAssignee).count() == 0


def test_every_variable_in_a_log_is_for_assignees_only_where_the_plan_is_theirs_to_change(site: Site) -> None:
    site.trigger()
    with write(site.core.session):
        job = site.core.session.get_one(Job, site.job().id)
        job.plan = {**job.plan, "variables": [{"key": "CI_DEBUG_TRACE", "value": "true"}]}
    path = f"/api/runs/{site.id}/last/log"
    assert site.client("demouser").get(path).status_code == 200
    with write(site.core.session):
        site.core.session.get_one(PipelineDefinition, site.id).stored_text = None
    assert site.client("demouser").get(path).status_code == 404
    assert site.client(site.developer()).get(path).status_code == 200
