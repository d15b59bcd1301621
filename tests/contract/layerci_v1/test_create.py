"""Starting runs: branches, commits, buttons, bodies in every form, and what is refused."""

from typing import Any

import pytest
import requests

from app import crypto
from app.api.layerci_v1.body import LONGEST_EXTRA
from app.domain.permissions import Role
from app.models import ProtectedRef, write
from app.services.pipelines.kept_variables import open_variables
from app.services.runners.create_runner import create_runner
from tests.conftest import LiveServer
from tests.contract.runner_protocol.stock import StockRunner
from tests.factories import make_project, make_token
from tests.support.layerci import LayerCi

#: As the documents' curl sends it: within single quotes the shell leaves the backslashes where they are.
SEEDS_BODY = '{"branch": "master", \\\n"accept_buttons": "true", \\  \r\n"skip_no_further_than": "run-and-deploy"\n}'


def test_without_a_branch_it_is_master_and_without_that_the_default_branch(layerci: LayerCi) -> None:
    assert layerci.create()["branch"] == "master"
    layerci.commit({"a": "1"}, "main")
    assert layerci.create()["branch"] == "master"
    layerci.checkout.git("push", "--quiet", "origin", ":refs/heads/master")
    assert layerci.create()["branch"] == "main"


def test_a_commit_of_any_branch_can_be_named_in_each_way(layerci: LayerCi) -> None:
    first = layerci.checkout.git("rev-parse", "HEAD")
    second = layerci.commit({"a": "1"}, "feature/x")
    layerci.checkout.git("push", "--quiet", "origin", "HEAD:refs/tags/v1")
    assert layerci.create()["commit_sha"] == first
    job = layerci.create(branch="feature/x", ref=first)
    assert (job["branch"], job["merge_branch"], job["commit_sha"]) == ("feature/x", "feature/x", first)
    for ref in (second, second.upper(), "origin/feature/x", "feature/x", "v1", "refs/heads/feature/x"):
        assert layerci.create(ref=ref)["commit_sha"] == second, ref


@pytest.mark.parametrize("name", ["REPO_NAME", "layerdemo%2Frepo_name", "LayerDemo%2Frepo_name"])
def test_a_repository_goes_by_its_name_or_its_full_path(layerci: LayerCi, name: str) -> None:
    assert layerci.post(f"/run/{name}").json["job"]["repository_name"] == "repo_name"


def test_a_name_that_fits_several_repositories_is_refused_by_naming_them(layerci: LayerCi) -> None:
    make_project(layerci.core, "other/repo_name", visibility="public")
    assert layerci.post().status_code == 200  # one's own come before those of others
    make_project(layerci.core, "tools/repo_name", creator=layerci.owner)
    answer = layerci.post()
    assert (answer.status_code, answer.json["status"]) == (400, "error")
    assert "layerdemo/repo_name, tools/repo_name" in answer.json["error"]
    assert "other/" not in answer.json["error"]
    assert layerci.post("/run/tools%2Frepo_name").status_code == 400  # it has no branch yet
    assert layerci.post("/run/layerdemo%2Frepo_name").status_code == 200


@pytest.mark.parametrize(
    "given",
    [
        {"data": SEEDS_BODY, "content_type": "application/json"},
        {"data": SEEDS_BODY, "content_type": "application/x-www-form-urlencoded"},
        {"data": "\ufeff " + SEEDS_BODY, "content_type": "text/plain"},
        {"data": SEEDS_BODY.encode(), "content_type": ""},
        {"data": {"branch": "master", "accept_buttons": "true", "skip_no_further_than": "build"}},
        {"data": {"accept_buttons": "on"}, "content_type": "multipart/form-data"},
        {"json": {"branch": None, "ref": "", "accept_buttons": True, "unknown": [1]}},
        {"json": {"accept_buttons": 1}},
    ],
)
def test_a_body_is_read_whatever_it_is_called(layerci: LayerCi, given: dict[str, Any]) -> None:
    answer = layerci.post(**given)
    assert answer.status_code == 200, answer.text
    assert {job.when for job in layerci.run(1).jobs} == {"on_success"}


@pytest.mark.parametrize(
    "given", [{}, {"data": "", "content_type": "application/json"}, {"data": " \n"}, {"json": {}},
              {"json": {"accept_buttons": "false"}}, {"json": {"accept_buttons": None}}]
)  # fmt: skip
def test_an_empty_body_starts_a_run_whose_buttons_wait(layerci: LayerCi, given: dict[str, Any]) -> None:
    assert layerci.post(**given).status_code == 200
    assert {job.name: job.when for job in layerci.run(1).jobs} == {"build": "on_success", "run-and-deploy": "manual"}


def test_a_backslash_inside_of_a_string_stays(layerci: LayerCi) -> None:
    layerci.post(data='{"extra": "a\\\\\\nb \\" c", \\\n "branch": "master"}')
    run = layerci.run(1)
    (extra,) = open_variables(layerci.core, run.variables_sealed, run.seal_context)
    assert extra.value == 'a\\\nb " c'


@pytest.mark.parametrize(
    ("given", "status", "said"),
    [
        ({"data": "{"}, 400, "not valid JSON"),
        ({"data": "[1]", "content_type": "application/json"}, 400, "not a JSON object"),
        ({"data": "branch=x", "content_type": "text/plain"}, 400, "neither a JSON object nor a form"),
        ({"data": "[" * 100_000, "content_type": "application/json"}, 400, "not valid JSON"),
        ({"data": '{"a":' * 100_000}, 400, "not valid JSON"),
        ({"data": b'{"branch": "\xff"}'}, 400, "Branch"),
        ({"json": {"branch": 1}}, 400, "branch is not a text"),
        ({"json": {"branch": ["master"]}}, 400, "branch is not a text"),
        ({"json": {"ref": "a\0b"}}, 400, "ref is not a text"),
        ({"data": '{"branch": "\\ud800"}'}, 400, "branch is not a text"),
        ({"json": {"accept_buttons": "maybe"}}, 400, "accept_buttons is neither true nor false"),
        ({"json": {"accept_buttons": []}}, 400, "accept_buttons is neither true nor false"),
        ({"json": {"branch": "none"}}, 400, "Branch 'none' of layerdemo/repo_name"),
        ({"json": {"branch": "--upload-pack=x"}}, 400, "Branch"),
        ({"json": {"branch": "a\nb"}}, 400, "Branch"),
        ({"json": {"ref": "a" * 40}}, 400, "no such commit"),
        ({"json": {"ref": "HEAD~1"}}, 400, "no such commit"),
        ({"json": {"ref": "origin/none"}}, 400, "no such commit"),
        ({"json": {"skip_no_further_than": "nothing"}}, 400, "No job, stage or checkpoint is called 'nothing'"),
        ({"json": {"extra": "a\0b"}}, 400, "extra is not a text"),
        ({"json": {"extra": "x" * (LONGEST_EXTRA + 1)}}, 413, "extra is longer"),
    ],
)
def test_what_makes_no_sense_is_refused_and_makes_nothing(
    layerci: LayerCi, given: dict[str, Any], status: int, said: str
) -> None:
    answer = layerci.post(**given)
    assert (answer.status_code, answer.json["status"]) == (status, "error")
    assert said in answer.json["error"]
    assert layerci.get("/run/repo_name/search").status_code == 404


def test_a_button_accepted_starts_by_itself_and_its_failure_counts(layerci: LayerCi) -> None:
    layerci.create(accept_buttons=True)
    waiting = {job.name: (job.status, job.allow_failure) for job in layerci.run(1).jobs}
    assert waiting == {"build": ("pending", False), "run-and-deploy": ("created", False)}


@pytest.mark.parametrize("name", ["build", "deploy", "run-and-deploy"])
def test_after_the_place_named_nothing_comes_from_an_earlier_run(layerci: LayerCi, name: str) -> None:
    layerci.create(skip_no_further_than=name)
    policies = {job.name: [cache.get("policy") for cache in job.plan["cache"]] for job in layerci.run(1).jobs}
    assert policies == {"build": [None], "run-and-deploy": ["push"] if name == "build" else [None]}


@pytest.mark.parametrize(("extra", "value"), [("$HOME %x", "$HOME %x"), ("", ""), ({"a": [1, "é"]}, '{"a":[1,"é"]}')])
def test_jobs_see_the_extra_as_it_was_given(layerci: LayerCi, server: LiveServer, extra: Any, value: str) -> None:
    layerci.create(extra=extra)
    job = StockRunner(server.url, create_runner(layerci.core)[1]).take()
    (found,) = [variable for variable in job.payload["variables"] if variable["key"] == "API_EXTRA"]
    assert (found["value"], found["raw"], found["public"]) == (value, True, False)


def test_an_invalid_configuration_is_a_run_that_says_so(layerci: LayerCi) -> None:
    layerci.commit({".gitlab-ci.yml": "build: {scrpt: x}"})
    job = layerci.create(skip_no_further_than="build")
    assert (job["status"], job["calculated_status"]) == ("ERROR", "BAD_LAYERFILE")
    assert layerci.get("/run/repo_name/search", search="status:bad_layerfile failed done").json["job"] == job
    assert layerci.get("/runners/repo_name/1").json == {"status": "ok", "runners": []}


def test_a_configuration_that_asks_for_no_run_here_is_refused(layerci: LayerCi) -> None:
    layerci.commit({".gitlab-ci.yml": "build: {script: x, only: [tags]}"})
    assert layerci.post().status_code == 400


def test_the_url_is_a_page_that_opens(layerci: LayerCi, server: LiveServer) -> None:
    layerci.set(layerci.project, visibility="public")
    url = layerci.post().json["url"]
    assert url.startswith(server.url)
    page = requests.get(url, timeout=30)
    assert page.status_code == 200
    assert "run-and-deploy" in page.text


@pytest.mark.parametrize("name", ["token", "layertoken"])
def test_both_names_of_the_token_are_taken_and_nothing_else(layerci: LayerCi, name: str) -> None:
    assert layerci.post(name=name).status_code == 200
    for path, method in (("/run/repo_name", "POST"), ("/run/repo_name/search", "GET"), ("/runners/repo_name/1", "GET")):
        for query, headers in (
            ({}, {}),
            ({name: ""}, {}),
            ({name: "glpat-wrong"}, {}),
            ({name: crypto.new_token("glpat-")}, {}),
            ({}, {"PRIVATE-TOKEN": layerci.token}),
            ({}, {"Authorization": f"Bearer {layerci.token}"}),
        ):
            answer = layerci.client.open(f"/api/v1{path}", method=method, query_string=query, headers=headers)
            assert (answer.status_code, answer.json["status"]) == (401, "error")
            assert layerci.token not in answer.text


def test_each_role_may_do_what_it_may_elsewhere(layerci: LayerCi) -> None:
    layerci.create()
    layerci.set(layerci.project, public_jobs=False)
    allowed = {}
    for role in (Role.NONE, Role.GUEST, Role.REPORTER, Role.DEVELOPER):
        layerci.token = layerci.token_of(role)
        answers = (layerci.get("/run/repo_name/search"), layerci.get("/runners/repo_name/1"), layerci.post())
        allowed[role.name] = tuple(answer.status_code for answer in answers)
    assert allowed == {
        "NONE": (404, 404, 404),
        "GUEST": (403, 403, 403),
        "REPORTER": (200, 200, 403),
        "DEVELOPER": (200, 200, 200),
    }
    project_id = layerci.run(1).project_id
    with write(layerci.core.session):
        protected = {"kind": "branch", "pattern": "master", "push_role": int(Role.MAINTAINER)}
        layerci.core.session.add(ProtectedRef(project_id=project_id, **protected))
    refused = layerci.post()
    assert refused.status_code == 400
    assert "sufficient permission" in refused.json["error"]


def test_a_token_needs_the_scope(layerci: LayerCi) -> None:
    layerci.create()
    reads = make_token(layerci.core, layerci.owner, "read_api")[1]
    other = make_token(layerci.core, layerci.owner, "read_repository")[1]
    found = {}
    for layerci.token in (reads, other):
        found[layerci.token] = (layerci.get("/run/repo_name/search").status_code, layerci.post().status_code)
    assert found == {reads: (200, 403), other: (403, 403)}


def test_an_archived_project_starts_nothing(layerci: LayerCi) -> None:
    layerci.set(layerci.project, archived=True)
    assert layerci.post().status_code == 400
