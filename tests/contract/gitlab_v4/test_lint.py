"""Checking a configuration that is not committed yet."""

from tests.support.gitlab import Api
from tests.support.place import Place

PATH = "/projects/1/ci/lint"


def test_a_configuration_that_is_fine(api: Api) -> None:
    content = "build: {script: [make], after_script: [clean], tags: [linux]}"
    response = api.post(PATH, json={"content": content, "include_jobs": True})
    assert response.status_code == 200
    assert (response.json["valid"], response.json["errors"], response.json["warnings"]) == (True, [], [])
    assert "make" in response.json["merged_yaml"]
    (job,) = response.json["jobs"]
    assert (job["name"], job["stage"], job["script"], job["after_script"]) == ("build", "test", ["make"], ["clean"])
    assert (job["tag_list"], job["when"], job["allow_failure"]) == (["linux"], "on_success", False)
    assert "jobs" not in api.post(PATH, json={"content": content}).json


def test_what_is_wrong_is_said_with_its_line(api: Api) -> None:
    response = api.post(PATH, json={"content": "build:\n  script: [make]\n  scrpt: [make]\n"})
    assert (response.status_code, response.json["valid"]) == (200, False)
    assert response.json["errors"][0].startswith(".gitlab-ci.yml:3:")


def test_any_content_is_an_answer(api: Api) -> None:
    for content in ("", "[", "a: &a [*a]", "\t", "x" * 10_000):
        response = api.post(PATH, json={"content": content})
        assert (response.status_code, response.json["valid"]) == (200, False)


def test_content_is_needed(api: Api, place: Place) -> None:
    assert api.post(PATH, json={}).json == {"error": "content is missing"}
    place.set(place.project, config_path="build.candor")
    assert api.post(PATH, json={"content": "build: {script: make}"}).json["valid"] is True
