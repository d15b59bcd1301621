"""Lists of jobs, one job, its log."""

from itertools import count

import pytest

from app.domain.status import AVAILABLE
from app.models import CiVariable, write
from tests.factories import make_manager, make_pipeline, make_project, make_runner
from tests.support.gitlab import Api
from tests.support.place import Place, zipped


def ids(response) -> list[int]:
    return [row["id"] for row in response.json]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", {"pending", "running", "failed"}),
        ("?scope=pending", {"pending"}),
        ("?scope[]=pending&scope[]=running", {"pending", "running"}),
        ("?scope%5B%5D=failed", {"failed"}),
        ("?scope[0]=failed&scope[1]=pending", {"failed", "pending"}),
        ("?scope=pending,failed", {"pending", "failed"}),
        ("?scope[]=success", set()),
        ("?scope=", {"pending", "running", "failed"}),
    ],
)
@pytest.mark.parametrize("path", ["/projects/1/jobs", "/projects/1/pipeline/1/jobs"])
def test_scope_is_taken_in_every_spelling(api: Api, place: Place, path: str, query: str, expected: set[str]) -> None:
    for status in ("pending", "running", "failed"):
        place.job(status=status)
    assert {row["status"] for row in api.get(path + query).json} == expected


def test_scope_is_taken_from_json(api: Api, place: Place) -> None:
    place.job(status="pending")
    failed = place.job(status="failed")
    assert ids(api.get("/projects/1/jobs", json={"scope": ["failed"]})) == [failed.id]
    assert ids(api.get("/projects/1/jobs", json={"scope": "failed"})) == [failed.id]


@pytest.mark.parametrize("status", AVAILABLE)
def test_every_status_is_a_scope(api: Api, place: Place, status: str) -> None:
    job = place.job(status=status)
    assert ids(api.get(f"/projects/1/jobs?scope[]={status}")) == [job.id]


@pytest.mark.parametrize("query", ["scope=started", "scope[]=pending&scope[]=x", "scope[0]=X"])
def test_an_unknown_scope_is_refused(api: Api, query: str) -> None:
    response = api.get(f"/projects/1/jobs?{query}")
    assert (response.status_code, response.json) == (400, {"error": "scope does not have a valid value"})


def test_jobs_come_newest_first_and_stay_in_their_project(api: Api, place: Place) -> None:
    jobs = [place.job() for _ in range(3)]
    elsewhere = make_pipeline(place.core, make_project(place.core, creator=place.users["maintainer"]))
    place.pipeline = elsewhere
    other = place.job()
    assert ids(api.get("/projects/1/jobs")) == [job.id for job in reversed(jobs)]
    assert ids(api.get("/projects/2/jobs")) == [other.id]
    assert api.get(f"/projects/1/jobs/{other.id}").status_code == 404
    assert api.get(f"/projects/1/pipelines/{elsewhere.id}/jobs").status_code == 404


def test_retried_jobs_are_in_the_projects_list_and_on_request_in_the_pipelines(api: Api, place: Place) -> None:
    old, new = place.job(name="a", retried=True, status="failed"), place.job(name="a")
    assert ids(api.get("/projects/1/jobs")) == [new.id, old.id]
    assert ids(api.get("/projects/1/pipelines/1/jobs")) == [new.id]
    assert ids(api.get("/projects/1/pipelines/1/jobs?include_retried=true")) == [new.id, old.id]


def test_a_project_is_found_by_its_path_in_any_case(api: Api, place: Place) -> None:
    job = place.job()
    for path in ("acme%2Frocket", "ACME%2fRocket"):
        assert ids(api.get(f"/projects/{path}/jobs")) == [job.id]


@pytest.mark.parametrize("name", ["bridges", "trigger_jobs"])
def test_there_are_no_trigger_jobs(api: Api, place: Place, name: str) -> None:
    place.job()
    assert api.get(f"/projects/1/pipelines/1/{name}").json == []
    assert api.get(f"/projects/1/pipelines/99/{name}").status_code == 404


def test_a_list_needs_few_queries_however_many_jobs_it_has(api: Api, place: Place, queries) -> None:
    numbers = count()

    def fill(number: int) -> None:
        for _ in range(number):
            user = place.user(f"user{next(numbers)}")
            runner, _ = make_runner(place.core, creator=user)
            manager = make_manager(place.core, runner)
            pipeline = make_pipeline(place.core, place.project, user=user)
            place.pipeline = pipeline
            job = place.job(runner_id=runner.id, runner_manager_id=manager.id, tags=[f"t{user.id}"], user_id=user.id)
            place.archive(job, zipped({"a": b"1"}))

    fill(1)
    api.get("/user")  # the first use of a token is written down
    few = queries(lambda: api.get("/projects/1/jobs"))
    fill(6)
    assert queries(lambda: api.get("/projects/1/jobs")) == few
    assert few <= 12


def test_a_log_comes_byte_for_byte(api: Api, place: Place) -> None:
    data = b"\x1b[0Ksection_start:1:a\r\x1b[0K caf\xc3\xa9 \xff\xfe\x00\r\nend"
    job = place.job(status="running")
    place.log(job, data)
    response = api.get(f"/projects/1/jobs/{job.id}/trace")
    assert response.status_code == 200
    assert response.data == data
    assert response.mimetype == "text/plain"
    assert response.headers["Content-Disposition"] == f'infile; filename="{job.id}.log"'
    assert response.headers["X-Content-Type-Options"] == "nosniff"


def test_a_log_is_sent_as_far_as_its_row_counts(api: Api, place: Place) -> None:
    job = place.job()
    place.log(job, b"counted")
    with place.core.traces.path(job.id).open("ab") as log:
        log.write(b" and not yet")
    response = api.get(f"/projects/1/jobs/{job.id}/trace")
    assert (response.data, response.content_length) == (b"counted", 7)


def test_a_job_without_a_log_has_an_empty_one(api: Api, place: Place) -> None:
    response = api.get(f"/projects/1/jobs/{place.job().id}/trace")
    assert (response.status_code, response.data) == (200, b"")


def test_a_job_that_is_not_there(api: Api) -> None:
    for path in ("/projects/1/jobs/99", "/projects/1/jobs/99/trace"):
        response = api.get(path)
        assert (response.status_code, response.json["message"].lower()) == (404, "404 not found")


def debug_by_project(place: Place) -> None:
    with write(place.core.session):
        variable = CiVariable(project_id=1, key="CI_DEBUG_TRACE", created_at=place.core.now(), value_sealed="")
        variable.value_sealed = place.core.box.seal("true", "ci_variable:1:0:CI_DEBUG_TRACE")
        place.core.session.add(variable)


def debug_by_plan(place: Place) -> None:
    job = place.core.session.get_one(type(place.job()), 1)
    place.set(job, plan=job.plan | {"variables": [{"key": "CI_DEBUG_SERVICES", "value": "true"}]})


def debug_by_hand(place: Place) -> None:
    pipeline = place.pipeline
    sealed = place.core.box.seal('[{"key": "CI_DEBUG_TRACE", "value": "1"}]', pipeline.seal_context)
    place.set(pipeline, variables_sealed=sealed)


@pytest.mark.parametrize("how", [debug_by_project, debug_by_plan, debug_by_hand])
def test_a_debug_log_needs_a_developer(api: Api, place: Place, how) -> None:
    job = place.job()
    place.log(job, b"secret")
    reporter, developer = place.tokens["reporter"], place.tokens["developer"]
    assert api.get(f"/projects/1/jobs/{job.id}/trace", token=reporter).status_code == 200
    how(place)
    assert api.get(f"/projects/1/jobs/{job.id}/trace", token=reporter).status_code == 403
    assert api.get(f"/projects/1/jobs/{job.id}/trace", token=developer).status_code == 200


def test_a_jobs_token_names_its_job(api: Api, place: Place) -> None:
    job = place.job(status="running")
    token = place.job_token(job)
    for headers in ({"JOB-TOKEN": token}, {"Authorization": f"Bearer {token}"}):
        response = api.get("/job", token=None, headers=headers)
        assert (response.status_code, response.json["id"]) == (200, job.id)
    assert api.get(f"/job?job_token={token}", token=None).json["id"] == job.id
    place.set(job, status="success")
    assert api.get("/job", token=None, headers={"JOB-TOKEN": token}).status_code == 401


def test_own_job_without_a_jobs_token(api: Api) -> None:
    response = api.get("/job")
    assert (response.status_code, response.json) == (404, {"message": "404 Job Not Found"})
    response = api.get("/job", token=None)
    assert (response.status_code, response.json) == (401, {"message": "401 Unauthorized"})


def test_a_log_is_served_in_ranges(api: Api, place: Place) -> None:
    """Whoever follows a log asks for what came since; there may be nothing yet."""
    job = place.job(status="running")
    address = f"/projects/1/jobs/{job.id}/trace"
    empty = api.get(address, headers={"Range": "bytes=0-"})
    assert (empty.status_code, empty.data) == (200, b"")
    place.log(job, b"0123456789")
    part = api.get(address, headers={"Range": "bytes=4-"})
    assert (part.status_code, part.data, part.headers["Content-Range"]) == (206, b"456789", "bytes 4-9/10")
    assert api.get(address).data == b"0123456789"
    assert api.get(address, headers={"Range": "bytes=10-"}).status_code == 416
