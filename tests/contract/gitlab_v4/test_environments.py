"""Environments and deployments by the API."""

import pytest

from app.domain import status
from app.domain.delivery import EnvironmentSpec
from app.domain.plan import JobPlan, Step
from app.models import Deployment, Job, write
from app.services.environments.deployments import add_deployments
from app.services.jobs.finish_job import finish
from app.services.locks import lock_job
from tests.factories import make_job
from tests.support.gitlab import Api
from tests.support.place import Place

PATH = "/projects/1/environments"
BASIC = {"id", "name", "slug", "external_url", "created_at", "updated_at"}


def deploy(place: Place, name: str = "production", **given: str) -> Deployment:
    """A job of the developer's deploys to `name`."""
    spec = EnvironmentSpec(name, **given)  # type: ignore[arg-type]
    plan = JobPlan("deploy", "deploy", (Step("script", ("x",)),), environment=spec)
    job_id = make_job(place.core, place.pipeline, plan=plan, status="running").id
    with write(place.core.session):
        held = place.core.session.get_one(Job, job_id)
        add_deployments(place.core, held.pipeline, [held])
    with write(place.core.session):
        finish(place.core, lock_job(place.core, job_id), status.SUCCESS)
    return place.core.session.query(Deployment).filter_by(job_id=job_id).one()


def test_an_environment_is_made_changed_stopped_and_removed(api: Api) -> None:
    made = api.post(PATH, json={"name": "review/One", "external_url": "https://one.example.com", "tier": "testing"})
    assert made.status_code == 201
    body = made.json
    assert (body["name"], body["slug"][:10], body["state"]) == ("review/One", "review-one", "available")
    assert (body["external_url"], body["tier"]) == ("https://one.example.com", "testing")
    assert (body["last_deployment"], body["project"]["id"]) == (None, 1)
    own = f"{PATH}/{body['id']}"
    assert api.get(own).json == body
    changed = api.put(own, json={"description": "d", "external_url": ""}).json
    assert (changed["description"], changed["external_url"], changed["tier"]) == ("d", None, "testing")
    refused = api.delete(own)
    assert (refused.status_code, "stopped first" in refused.json["message"]) == (403, True)
    assert api.post(f"{own}/stop").json["state"] == "stopped"
    assert api.delete(own).status_code == 204
    assert api.get(own).json == {"message": "404 Environment Not Found"}


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"name": "a:b"}, {"name": ["can contain only"]}),
        ({"name": ""}, {"name": ["can't be blank"]}),
        ({"name": "x" * 256}, {"name": ["is too long (maximum is 255 characters)"]}),
        ({"name": "a", "external_url": "javascript:alert(1)"}, {"external_url": ["is blocked"]}),
        ({"name": "taken"}, {"name": ["has already been taken"]}),
    ],
)
def test_what_no_environment_can_be(api: Api, body: dict[str, str], message: dict[str, list[str]]) -> None:
    assert api.post(PATH, json={"name": "taken"}).status_code == 201
    answer = api.post(PATH, json=body)
    ((field, (text,)),) = message.items()
    assert answer.status_code == 400
    assert answer.json["message"][field][0].startswith(text)


def test_environments_are_listed_by_name_search_and_state(api: Api, place: Place) -> None:
    for name in ("staging", "production", "review/a", "review/b"):
        api.post(PATH, json={"name": name})
    stopped = api.get(f"{PATH}?name=review/b").json[0]
    place.core.session.rollback()
    api.post(f"{PATH}/{stopped['id']}/stop")

    def names(query: str) -> list[str]:
        return [row["name"] for row in api.get(f"{PATH}?{query}").json]

    assert names("") == ["production", "review/a", "review/b", "staging"]
    assert names("search=REVIEW") == ["review/a", "review/b"]
    assert names("states=stopped") == ["review/b"]
    assert names("per_page=1&page=2") == ["review/a"]
    assert api.get(f"{PATH}?search=re").json == {"message": "400 Bad request - Search query is less than 3 characters"}
    assert api.get(f"{PATH}?states=gone").json == {"message": "400 Bad request - Requested states are invalid"}
    assert api.get(f"{PATH}?name=a&search=abc").json == {"error": "name, search are mutually exclusive"}


def test_a_deployment_shows_its_job_its_user_and_its_environment(api: Api, place: Place) -> None:
    made = deploy(place, url="https://$CI_ENVIRONMENT_SLUG.example.com")
    (body,) = api.get("/projects/1/deployments").json
    assert api.get(f"/projects/1/deployments/{made.id}").json == body
    assert (body["status"], body["ref"], body["sha"]) == ("success", "main", place.pipeline.sha)
    assert (body["user"]["username"], body["deployable"]["name"]) == ("developer", "deploy")
    assert set(body["environment"]) == BASIC
    environment = api.get(f"{PATH}/{body['environment']['id']}").json
    assert environment["external_url"] == "https://production.example.com"
    assert environment["last_deployment"] == body


def test_deployments_are_filtered_and_ordered(api: Api, place: Place) -> None:
    first, second = deploy(place, "staging"), deploy(place, "production")

    def ids(query: str) -> list[int]:
        return [row["id"] for row in api.get(f"/projects/1/deployments?{query}").json]

    assert ids("") == [first.id, second.id]
    assert ids("order_by=created_at&sort=desc") == [second.id, first.id]
    assert ids("environment=staging") == [first.id]
    assert ids("status=failed") == []
    assert ids("updated_after=2999-01-01T00:00:00Z") == []
    assert ids("finished_before=2999-01-01T00:00:00Z&order_by=iid") == [first.id, second.id]
    assert api.get("/projects/1/deployments?status=odd").json == {"error": "status does not have a valid value"}
    assert api.get("/projects/1/deployments/99").status_code == 404


def test_a_ref_that_no_row_holds_is_refused(api: Api) -> None:
    body = {"environment": "live", "sha": "a" * 40, "ref": "x" * 1025, "tag": False, "status": "success"}
    refused = api.post("/projects/1/deployments", json=body)
    assert (refused.status_code, list(refused.json["message"])) == (400, ["ref"])


def test_a_deployment_outlives_its_job(api: Api, place: Place) -> None:
    made = deploy(place)
    assert api.delete(f"/projects/1/pipelines/{place.pipeline.id}", token=place.tokens["owner"]).status_code == 204
    body = api.get(f"/projects/1/deployments/{made.id}").json
    assert (body["deployable"], body["status"]) == (None, "success")


def test_lists_take_as_many_queries_however_long_they_are(api: Api, place: Place, queries) -> None:
    deploy(place, "a1")
    api.get("/projects/1/deployments")  # the first call of a token notes that it was used
    few = queries(lambda: api.get("/projects/1/deployments"))
    for name in ("b1", "c1", "d1"):
        deploy(place, name)
    assert queries(lambda: api.get("/projects/1/deployments")) == few
