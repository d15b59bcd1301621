"""Checking a configuration, before and after it is committed."""

from pathlib import Path

import pytest
import yaml

from app.models import Project
from app.services.projects.create_project import create_project
from tests.git_client import Checkout, new_checkout
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


@pytest.fixture
def hosted(place: Place) -> Project:
    return create_project(place.core, full_path="acme/hosted", creator=place.users["owner"], visibility="public")


@pytest.fixture
def checkout(place: Place, hosted: Project, tmp_path: Path) -> Checkout:
    files: dict[str, str | bytes] = {
        ".gitlab-ci.yml": "include: [ci/one.yml, {template: Bash.gitlab-ci.yml}]\nown: {script: own}",
        "ci/one.yml": "one: {script: one}",
    }
    made = new_checkout(tmp_path / "checkout", str(place.core.repositories.path(hosted.id)), files)
    made.git("tag", "v1")
    made.commit({".gitlab-ci.yml": "own: {script: [own}"})
    assert made.push("main", "v1").ok
    return made


def test_what_is_committed_is_checked_with_all_that_it_includes(
    api: Api, place: Place, hosted: Project, checkout: Checkout
) -> None:
    api.token = place.tokens["owner"]
    path, commit = f"/projects/{hosted.id}/ci/lint", checkout.git("rev-parse", "v1")
    for query in (
        "content_ref=v1",
        f"content_ref={commit}",
        f"sha={commit}&dry_run_ref=main&dry_run=true",
        "sha=v1&ref=main",
    ):
        found = api.get(f"{path}?{query}&include_jobs=true").json
        assert (found["valid"], found["errors"]) == (True, [])
        assert {"own", "one", "lint"} <= {job["name"] for job in found["jobs"]}
        assert [(one["type"], one["location"]) for one in found["includes"]] == [
            ("local", "ci/one.yml"),
            ("template", "Bash.gitlab-ci.yml"),
        ]
        assert (found["includes"][0]["context_project"], found["includes"][0]["context_sha"]) == ("acme/hosted", commit)
        url = f"{place.core.config.external_url}/acme/hosted/-"
        assert [(one["blob"], one["raw"]) for one in found["includes"]] == [
            (f"{url}/blob/{commit}/ci/one.yml", f"{url}/raw/{commit}/ci/one.yml"),
            (None, None),
        ]
        assert yaml.safe_load(found["merged_yaml"])["one"] == {"script": "one"}
    broken = api.get(path).json
    assert (broken["valid"], broken["merged_yaml"]) == (False, None)
    assert api.get(f"{path}?content_ref=nowhere").json == {"message": "404 Commit Not Found"}
    checkout.git("rm", "--quiet", ".gitlab-ci.yml")
    checkout.commit()
    assert checkout.push("main").ok
    assert api.get(path).json["errors"] == [".gitlab-ci.yml:1:1: Please provide content of .gitlab-ci.yml"]


def test_content_includes_files_of_the_ref_and_of_projects_that_the_caller_may_read(
    api: Api, place: Place, hosted: Project, checkout: Checkout
) -> None:
    content = "include: {project: acme/hosted, ref: v1, file: ci/one.yml}"
    assert api.post(PATH, json={"content": content}).json["valid"] is True
    place.set(hosted, visibility="private")
    assert "not found or access denied" in api.post(PATH, json={"content": content}).json["errors"][0]
    api.token = place.tokens["owner"]
    local = {"content": "include: ci/one.yml", "ref": "v1"}
    assert api.post(f"/projects/{hosted.id}/ci/lint", json=local).json["valid"] is True


def test_no_variable_is_shown_that_the_caller_could_not_see_in_a_job(api: Api, place: Place) -> None:
    for key, given in {"OPEN": {}, "HIDDEN": {"masked": True}, "GUARDED": {"protected": True}}.items():
        made = api.post(
            "/projects/1/variables", token=place.tokens["owner"], json={"key": key, "value": f"{key}-value", **given}
        )
        assert made.status_code == 201
        error = api.post(PATH, json={"content": f"include: ${key}.yml"}).json["errors"][0]
        shown = {"OPEN": "OPEN-value.yml", "HIDDEN": "xxxxxxxxxxxx.yml", "GUARDED": "$GUARDED.yml"}[key]
        assert error.endswith(f"Local file `{shown}` does not exist!")
