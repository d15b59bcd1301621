"""Looking into archives, removing all artifacts of a project, and artifacts of older pipelines."""

from tests.factories import make_pipeline
from tests.support.gitlab import Api
from tests.support.place import Place, zipped

FILES = {"public/index.html": b"<p>", "public/css/a.css": b"a{}", "README": b"read"}


def test_a_folder_of_an_archive_is_listed_level_by_level_or_whole(api: Api, place: Place) -> None:
    job = place.job(status="success")
    place.archive(job, zipped(FILES))
    address = f"/projects/1/jobs/{job.id}/artifacts/tree"
    top = api.get(address).json
    assert top == [
        {"name": "public", "path": "public", "type": "directory", "size": 0, "mode": "040755"},
        {"name": "README", "path": "README", "type": "file", "size": 4, "mode": "100644"},
    ]
    below = api.get(f"{address}?path=public&recursive=true").json
    assert [(row["path"], row["type"]) for row in below] == [
        ("public/css", "directory"),
        ("public/css/a.css", "file"),
        ("public/index.html", "file"),
    ]
    paged = api.get(f"{address}?recursive=true&per_page=2&page=2")
    assert ([row["path"] for row in paged.json], paged.headers["X-Total"]) == (["public/css", "public/css/a.css"], "5")
    assert api.get(f"{address}?path=nothing").status_code == 404
    assert api.get(f"/projects/1/jobs/{place.job().id}/artifacts/tree").status_code == 404


def test_very_deep_folders_are_not_all_listed(api: Api, place: Place) -> None:
    job = place.job(status="success")
    place.archive(job, zipped({"a/" * 10_000 + "b": b""}))
    address = f"/projects/1/jobs/{job.id}/artifacts/tree"
    refused = api.get(f"{address}?recursive=true")
    assert (refused.status_code, "too many folders" in refused.json["message"]) == (400, True)
    assert [row["path"] for row in api.get(address).json] == ["a"]


def test_all_artifacts_of_a_project_go_but_those_of_jobs_that_run(api: Api, place: Place) -> None:
    ended, running = place.job(status="success"), place.job(status="running")
    for job in (ended, running):
        place.log(job, b"log")
        place.archive(job, zipped(FILES))
    assert api.delete("/projects/1/artifacts", token=place.tokens["developer"]).status_code == 403
    done = api.delete("/projects/1/artifacts")
    assert (done.status_code, done.json) == (202, {"message": "202 Accepted"})
    assert api.get(f"/projects/1/jobs/{ended.id}/artifacts").status_code == 404
    assert api.get(f"/projects/1/jobs/{ended.id}/trace").data == b"log"
    assert api.get(f"/projects/1/jobs/{running.id}/artifacts").status_code == 200


def test_older_successful_pipelines_are_looked_at_when_asked(api: Api, place: Place) -> None:
    place.set(place.pipeline, status="success")
    place.archive(place.job(name="build", status="success"), zipped({"a": b"old"}))
    place.pipeline = make_pipeline(place.core, place.project, status="success")
    place.job(name="build", status="success")
    address = "/projects/1/jobs/artifacts/main/raw/a?job=build"
    assert api.get(address).status_code == 404
    assert api.get(f"{address}&search_recent_successful_pipelines=true").data == b"old"


def test_a_job_is_told_that_there_are_no_agents(api: Api, place: Place) -> None:
    job = place.job(status="running", user_id=place.users["developer"].id)
    shown = api.get("/job/allowed_agents", token=None, headers={"JOB-TOKEN": place.job_token(job)}).json
    assert shown == {
        "allowed_agents": [],
        "job": {"id": job.id},
        "pipeline": {"id": place.pipeline.id},
        "project": {"id": 1, "groups": [{"id": place.project.group_id}]},
        "user": {"id": place.users["developer"].id, "username": "developer"},
    }


def test_a_job_is_run_again_with_variables(api: Api, place: Place) -> None:
    job = place.job(status="failed")
    given = {"job_variables_attributes": [{"key": "DEPTH", "value": "deep"}]}
    again = api.post(f"/projects/1/jobs/{job.id}/retry", json=given)
    assert again.status_code == 201
    fresh = place.core.session.get_one(type(job), again.json["id"])
    assert "DEPTH" in place.core.box.open(fresh.variables_sealed, fresh.seal_context)
    wrong = {"job_variables_attributes": [{"key": "not a key", "value": ""}]}
    refused = api.post(f"/projects/1/jobs/{fresh.id}/retry", json=wrong)
    assert refused.json == {"error": "job_variables_attributes[0][key] is invalid"}
    place.set(place.project, variables_role="owner")
    place.set(fresh, status="failed")
    assert api.post(f"/projects/1/jobs/{fresh.id}/retry", json=given).status_code == 403
