"""A runner asks for a job: who gets which, and what it is told (gitlab.md A.3)."""

import socket
import threading
import time

import pytest

from app.domain.job_inputs import JobInput
from app.domain.plan import (
    ArtifactSpec,
    CacheSpec,
    Image,
    Service,
    Step,
)
from app.models import Job, Runner, write
from app.services.runners.create_runner import create_runner
from tests.contract.runner_protocol.stock import StockRunner
from tests.factories import make_project, make_token, make_user
from tests.support.world import plan


def test_without_a_job_the_answer_is_204_with_the_queues_value(stock):
    answer = stock.request_job()
    assert (answer.status_code, answer.content) == (204, b"")
    assert answer.headers["X-GitLab-Last-Update"]


def test_the_queues_value_changes_when_a_job_becomes_pending(stock, world):
    before = stock.request_job().headers["X-GitLab-Last-Update"]
    assert stock.request_job(last_update=before).headers["X-GitLab-Last-Update"] == before
    world.job(tags=("other",))
    time.sleep(0.6)  # the value is shared by all polls for half a second
    assert stock.request_job(last_update=before).headers["X-GitLab-Last-Update"] != before


def test_a_job_runs_once_it_is_handed_out(stock, world):
    job = world.job()
    answer = stock.request_job()
    assert (answer.status_code, answer.headers["Content-Type"]) == (201, "application/json")
    assert answer.json()["id"] == job.id
    held = world.read(job)
    assert (held.status, held.pipeline.status, held.waiting_reason) == ("running", "running", None)
    assert held.token_hash
    assert stock.token not in (held.token_hash, answer.json()["token"])
    assert stock.request_job().status_code == 204


def test_a_paused_runner_gets_nothing(core, stock, world):
    world.job()
    with write(core.session):
        core.session.query(Runner).one().paused = True
    assert stock.request_job().status_code == 204


@pytest.mark.parametrize(
    ("runner", "job", "fits"),
    [
        ({"tags": ["a", "b"]}, {"tags": ("a",)}, True),
        ({"tags": ["a"]}, {"tags": ("a", "b")}, False),
        ({"tags": ["a"], "run_untagged": False}, {}, False),
        ({"tags": ["a"], "run_untagged": True}, {}, True),
        ({"tags": []}, {"tags": ("a",)}, False),
    ],
)
def test_tags_decide(make_stock, world, runner, job, fits):
    world.job(**job)
    assert make_stock(**runner).request_job().status_code == (201 if fits else 204)


def test_a_runner_for_protected_refs_takes_only_those(make_stock, world):
    careful = make_stock(access_level="ref_protected")
    world.pipeline(jobs=[plan("a")])
    assert careful.request_job().status_code == 204
    world.pipeline(jobs=[plan("b")], protected=True)
    assert careful.take().payload["job_info"]["name"] == "b"


def test_scope_decides(core, make_stock, world):
    top = world.group()
    inner = world.project(group=world.group(parent=top))
    other = world.project(instance_runners=False)
    elsewhere, inside = world.job(other), world.job(inner)
    assert make_stock(runner_type="project_type", project=other).take().id == elsewhere.id
    assert make_stock(runner_type="group_type", group=top).take().id == inside.id
    world.job(other)
    assert make_stock().request_job().status_code == 204


def test_instance_runners_serve_the_project_with_fewest_jobs_first(make_stock, world):
    busy, quiet = world.project(), world.project()
    first, second = world.job(busy), world.job(busy)
    third = world.job(quiet)
    stock = make_stock()
    assert [stock.take().id for _ in range(3)] == [first.id, third.id, second.id]


def test_other_runners_serve_by_age(make_stock, world, project):
    ids = [world.job(project).id for _ in range(3)]
    stock = make_stock(runner_type="project_type", project=project)
    assert [stock.take().id for _ in range(3)] == ids


def test_a_job_that_asks_for_more_waits_for_a_runner_that_can(core, make_stock, world, project):
    steps = (Step("one", ("true",), image=Image("alpine")),)
    demanding = world.job(project, steps=steps)
    plain = world.job(project)
    stock = make_stock(runner_type="project_type", project=project)
    assert stock.take().id == plain.id
    assert stock.request_job().status_code == 204
    able = make_stock(features={"skerry_steps": True}, runner_type="project_type", project=project)
    job = able.take()
    assert (job.id, job.payload["steps"][0]["image"]["name"]) == (demanding.id, "alpine")


def test_a_job_whose_dependency_has_expired_fails_with_that_reason(core, stock, world, project):
    pipeline = world.pipeline(project, [plan("a"), plan("b", "test", dependencies=("a",))])
    first = stock.take()
    assert first.upload(b"x", expire_in="1 sec").status_code == 201
    first.finish()
    with write(core.session):
        world.jobs(pipeline)
        core.session.query(Job).filter_by(name="a").one().artifacts_expire_at = world.now
    assert stock.request_job().status_code == 204
    failed = world.jobs(pipeline)["b"]
    assert (failed.status, failed.failure_reason) == ("failed", "missing_dependency_failure")


def test_the_whole_payload(core, stock, world, project, server):
    job_plan = plan(
        "build",
        steps=(
            Step("script", ("echo before", "echo script")),
            Step("after_script", ("echo after",), phase="after_script", when="always", allow_failure=True),
        ),
        image=Image("alpine:3", entrypoint=("",), pull_policy=("if-not-present",), user="1000"),
        services=(Service(Image("postgres"), aliases=("db", "sql"), command=("-x",)),),
        artifacts=(ArtifactSpec(paths=("out/",), exclude=("*.o",), name="n", expire_in=604800),),
        cache=(CacheSpec(key="k", paths=("c/",), fallback_keys=("f",)),),
        timeout=1200,
    )
    pipeline = world.pipeline(project, [job_plan], ref="feature/x", user=world.user(project))
    body = stock.take().payload
    assert body["job_info"] == body["job_info"] | {
        "id": body["id"],
        "name": "build",
        "stage": "build",
        "project_id": project.id,
        "project_name": project.name,
        "project_full_path": project.full_path,
        "pipeline_id": pipeline.id,
        "user_id": pipeline.user_id,
        "project_jobs_running_on_instance_runners_count": "0",
    }
    host = server.url.removeprefix("http://")
    assert body["git_info"] == {
        "repo_url": f"http://gitlab-ci-token:{body['token']}@{host}/{project.full_path}.git",
        "ref": "feature/x",
        "sha": "a" * 40,
        "before_sha": "0" * 40,
        "ref_type": "branch",
        "refspecs": [
            f"+refs/pipelines/{pipeline.id}:refs/pipelines/{pipeline.id}",
            "+refs/heads/feature/x:refs/remotes/origin/feature/x",
        ],
        "depth": 20,
        "repo_object_format": "sha1",
        "protected": False,
    }
    assert body["runner_info"]["timeout"] == 1200
    assert body["steps"] == [
        {
            "name": "script",
            "script": ["echo before", "echo script"],
            "timeout": 1200,
            "when": "on_success",
            "allow_failure": False,
        },
        {
            "name": "after_script",
            "script": ["echo after"],
            "timeout": 1200,
            "when": "always",
            "allow_failure": True,
        },
    ]
    assert body["image"]["name"] == "alpine:3"
    assert body["image"]["executor_opts"] == {"docker": {"user": "1000"}}
    assert (body["services"][0]["alias"], body["services"][0]["command"]) == ("db sql", ["-x"])
    assert body["artifacts"] == [
        {
            "name": "n",
            "untracked": False,
            "paths": ["out/"],
            "exclude": ["*.o"],
            "when": "on_success",
            "expire_in": "604800 seconds",
            "artifact_type": "archive",
            "artifact_format": "zip",
        }
    ]
    assert (body["cache"][0]["key"], body["cache"][0]["fallback_keys"]) == ("k-non_protected", ["f-non_protected"])
    assert body["features"]["trace_sections"] is True
    assert "image_pull_failure" in body["features"]["failure_reasons"]
    assert not {"skerry_steps", "skerry_hand_back"} & set(body["features"])
    variables = {variable["key"]: variable for variable in body["variables"]}
    assert variables["CI_JOB_TOKEN"]["value"] == body["token"]
    assert variables["CI_JOB_TOKEN"]["masked"] is True
    assert all("file" not in variable or variable["file"] for variable in body["variables"])


def test_a_tag_and_a_whole_history_change_the_refspecs(core, stock, world):
    project = make_project(core, git_depth=0)
    world.pipeline(project, [plan("a")], ref="v1", tag=True)
    git = stock.take().payload["git_info"]
    assert (git["ref_type"], git["depth"]) == ("tag", 0)
    assert git["refspecs"][1:] == ["+refs/heads/*:refs/remotes/origin/*", "+refs/tags/*:refs/tags/*"]


def test_the_runners_limit_shortens_the_timeout(make_stock, world):
    world.job(timeout=7200)
    assert make_stock(maximum_timeout=600).take().payload["runner_info"]["timeout"] == 600


def test_our_runner_gets_each_step_as_planned(make_stock, world):
    steps = (Step("a", ("x",)), Step("b", ("y",), own_shell=False))
    world.job(steps=steps, workspace="/w")
    world.job(steps=steps)
    ours = make_stock(features={"skerry_steps": True, "skerry_hand_back": True})
    body = ours.take().payload
    assert [(step["name"], step["own_shell"]) for step in body["steps"]] == [("a", True), ("b", False)]
    assert (body["workspace"], body["features"]["skerry_steps"], body["features"]["skerry_hand_back"]) == (
        "/w",
        True,
        True,
    )
    assert make_stock().take().payload["steps"][0]["script"] == ["x", "y"]


def test_inputs_are_filled_in_for_any_runner(stock, world):
    world.job(
        steps=(Step("script", ("fly ${{ job.inputs.target }} ${{job.inputs.count}}",)),),
        image=Image("app:${{ job.inputs.target }}"),
        inputs=(JobInput("target", '"moon"'), JobInput("count", "2", kind="number")),
    )
    told = stock.request_job().json()
    assert told["steps"][0]["script"] == ["fly moon 2"]
    assert (told["image"]["name"], told["inputs"]) == ("app:moon", [])


def test_a_job_gets_the_archives_of_the_jobs_before_it(stock, world, project):
    world.pipeline(project, [plan("a"), plan("none"), plan("t", "test")])
    first, second = stock.take(), stock.take()
    first.upload(b"bytes", name="out.zip")
    first.finish()
    second.finish()
    third = stock.take()
    with_file, without = third.payload["dependencies"]
    assert with_file == {
        "id": first.id,
        "name": "a",
        "token": third.token,
        "artifacts_file": {"filename": "out.zip", "size": 5},
    }
    assert "artifacts_file" not in without


class TestWaiting:
    """Long polling."""

    @pytest.fixture
    def settings(self):
        return {"max_waiting": 3, "threads": 16}

    @pytest.fixture(autouse=True)
    def _held(self, core):
        object.__setattr__(core.config, "poll_wait", 20)

    def park(self, stock, answers):
        thread = threading.Thread(target=lambda: answers.append(stock.request_job()), daemon=True)
        thread.start()
        return thread

    def parked(self, core, number):
        until = time.monotonic() + 5
        while core.bus.waiting != number and time.monotonic() < until:
            time.sleep(0.01)
        assert core.bus.waiting == number

    def test_a_waiting_runner_gets_a_job_as_soon_as_there_is_one(self, core, stock, world):
        answers = []
        thread = self.park(stock, answers)
        self.parked(core, 1)
        time.sleep(0.1)
        started = time.monotonic()
        job = world.job()
        thread.join(5)
        assert (answers[0].status_code, answers[0].json()["id"]) == (201, job.id)
        assert time.monotonic() - started < 1.9

    def test_beyond_the_cap_the_answer_comes_at_once(self, core, server, world):
        answers = []
        stocks = [StockRunner(server.url, create_runner(core, tags=["a"])[1], f"s_{n}") for n in range(4)]
        for stock in stocks[:3]:
            self.park(stock, answers)
        self.parked(core, 3)
        started = time.monotonic()
        assert stocks[3].request_job().status_code == 204
        assert time.monotonic() - started < 5
        job = world.job(tags=("nobody",))
        assert core.session.get(Job, job.id) is not None
        core.bus.stop()

    def test_a_stopping_server_answers_at_once(self, core, stock):
        answers = []
        thread = self.park(stock, answers)
        self.parked(core, 1)
        core.bus.stop()
        thread.join(3)
        assert answers[0].status_code == 204

    def test_no_job_is_claimed_for_a_runner_that_hung_up(self, core, stock, world, server):
        host, port = server.url.removeprefix("http://").split(":")
        body = b'{"token": "%s"}' % stock.token.encode()
        with socket.create_connection((host, int(port))) as connection:
            connection.sendall(
                b"POST /api/v4/jobs/request HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
                b"Content-Length: %d\r\n\r\n%s" % (len(body), body)
            )
            self.parked(core, 1)
        job = world.job()
        self.parked(core, 0)
        assert world.read(job).status == "pending"

    def test_waiting_holds_no_connection_to_the_database(self, core, stock, world):
        answers = []
        self.park(stock, answers)
        self.parked(core, 1)
        pool = core.session.get_bind().pool
        core.session.close()
        until = time.monotonic() + 5
        while pool.checkedout() and time.monotonic() < until:
            time.sleep(0.01)
        assert pool.checkedout() == 0
        core.bus.stop()


def test_a_runner_that_spins_is_slowed_down(stock, monkeypatch):
    from app.api.gitlab_v4.runner import poll, rate

    monkeypatch.setattr(poll, "_rate", rate.RateLimit(per_second=0.001, burst=2))
    answers = [stock.request_job() for _ in range(3)]
    assert [answer.status_code for answer in answers] == [204, 204, 429]
    assert answers[2].headers["Retry-After"] == "1"


def test_the_pipeline_shows_that_it_runs(stock, world):
    pipeline = world.pipeline(jobs=[plan("a"), plan("b", "test")])
    stock.take()
    held = world.read(pipeline)
    assert (held.status, held.started_at is not None) == ("running", True)


def test_jobs_and_clients_of_the_api_are_told_the_same_version(core, server, stock, world):
    world.job()
    _, token = make_token(core, make_user(core))
    told = stock.call("GET", "/version", PRIVATE_TOKEN=token).json()["version"]
    given = {each["key"]: each["value"] for each in stock.take().payload["variables"]}
    assert given["CI_SERVER_VERSION"] == told
    parts = [given[f"CI_SERVER_VERSION_{part}"] for part in ("MAJOR", "MINOR", "PATCH")]
    assert told.startswith(".".join(parts))
