"""Candor's runner API over real HTTP, with the executor that needs no containers."""

import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from runner.archives import Archives, read_store
from runner.config import Config, RunnerConfig
from runner.daemon import make_host
from runner.pushed_runs import PushedRuns
from runner.serve import RunServer, ServeError, Settings, read_settings
from tests.support.object_store import object_store

TOKEN = "secret-of-the-runner"


class Client:
    """Calls with the token, unless told otherwise."""

    def __init__(self, port: int) -> None:
        self.url = f"http://127.0.0.1:{port}"

    def call(self, method: str, path: str, token: str | None = f"Bearer {TOKEN}", **given: Any) -> requests.Response:
        headers = {"Authorization": token} if token is not None else {}
        return requests.request(
            method, self.url + path, headers=headers | given.pop("headers", {}), timeout=30, **given
        )

    def run(self, *scripts: list[str], run_id: str | None = "12345", **plan: Any) -> requests.Response:
        stages = [{"name": f"s{n}", "image": "any", "script": script} for n, script in enumerate(scripts, 1)]
        body: dict[str, Any] = {"plan": {"stages": stages, **plan}}
        return self.call("POST", "/run", json=body | ({"runId": run_id} if run_id else {}))

    def log(self, run_id: str = "12345") -> str:
        return self.call("GET", f"/logs/{run_id}").text


@pytest.fixture
def runs(tmp_path: Path) -> PushedRuns:
    runner = RunnerConfig(name="serve", url="", token="pushed", executor="fake")
    config = Config(path=tmp_path / "config.toml", data_dir=tmp_path / "work", concurrent=4)
    config.data_dir.mkdir()
    host = make_host(config, runner, "s_test", "boot")
    return PushedRuns(host, tmp_path / "logs", tmp_path / "scratch", concurrent=2, stage_timeout=2)


@pytest.fixture
def client(runs: PushedRuns, tmp_path: Path) -> Iterator[Client]:
    server = RunServer(Settings(("127.0.0.1", 0), TOKEN, tmp_path / "logs"), runs._host, runs)
    server.start()
    yield Client(server.port)
    server.stop()


def test_the_root_answers_everybody_with_nothing(client: Client) -> None:
    answer = client.call("GET", "/", token=None)
    assert (answer.status_code, answer.content) == (200, b"")


@pytest.mark.parametrize("path", ["/run", "/logs/1", "/other"])
@pytest.mark.parametrize(("token", "status"), [(None, 400), ("Bearer wrong", 401), (TOKEN, 401), ("", 401)])
def test_everything_else_wants_the_token(client: Client, path: str, token: str | None, status: int) -> None:
    assert client.call("POST", path, token=token).status_code == status


def test_a_run_answers_with_its_result(client: Client) -> None:
    answer = client.run(["echo hello", "echo kept >file"], ["cat file"], archive=["file"])
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "application/json")
    assert answer.json() == {
        "status": "Passed",
        "stages": [
            {"name": "s1", "status": "Passed", "exitCode": 0},
            {"name": "s2", "status": "Passed", "exitCode": 0},
        ],
        "archived": [],
    }
    assert client.log() == (
        "**************** [1/2] ****************\nhello\nProcess exited with status code 0\n"
        "\n**************** [2/2] ****************\nkept\nProcess exited with status code 0\n"
    )


def test_the_first_stage_that_fails_skips_the_rest(client: Client) -> None:
    result = client.run(["printf no-newline; exit 7"], ["echo never"]).json()
    assert result == {
        "status": "Failed",
        "stages": [
            {"name": "s1", "status": "Failed", "exitCode": 7},
            {"name": "s2", "status": "Skipped", "exitCode": -1},
        ],
    }
    assert client.log() == (
        "**************** [1/2] ****************\nno-newline\nProcess exited with status code 7\n"
        "\n**************** [2/2] ****************\nSkipped\n"
    )


@pytest.mark.parametrize(
    ("script", "code"),
    [(["false", "true"], 0), (["true", "false"], 1), (["false", "exit $?"], 1), (["if true", "then exit 3", "fi"], 3),
     (["cat <<EOF", "exit 1", "EOF"], 0), (["false | true"], 0), (["x=1", "exit $x"], 1)],
)  # fmt: skip
def test_the_last_command_of_the_joined_lines_decides(client: Client, script: list[str], code: int) -> None:
    assert client.run(script).json()["stages"][0]["exitCode"] == code


def test_stages_share_files_and_no_variables(client: Client) -> None:
    stages = [
        {"name": "a", "image": "i", "environment": ["A=1=2", "BAZ"], "script": ["echo $A $BAZ; export B=3"]},
        {"name": "b", "image": "i", "script": ["echo [$A$B]"]},
    ]
    client.call("POST", "/run", json={"runId": "env", "plan": {"stages": stages}})
    assert [line for line in client.log("env").splitlines() if line[:1] in ("1", "[")] == ["1=2 BAZ", "[]"]


def test_a_stage_that_takes_too_long_has_failed(client: Client) -> None:
    result = client.run(["sleep 30"]).json()
    assert result == {"status": "Failed", "stages": [{"name": "s1", "status": "Failed", "exitCode": -3}]}
    assert client.log().endswith("Process exceeded stage execution time limit\n")


def test_a_runtime_that_is_not_there_is_an_error(client: Client) -> None:
    stages = [{"name": "a", "image": "i", "runtime": "sysbox", "script": ["true"]}, {"name": "b", "image": "i"}]
    result = client.call("POST", "/run", json={"runId": "r", "plan": {"stages": stages}}).json()
    assert result["status"] == "Error"
    assert [(stage["status"], stage["exitCode"]) for stage in result["stages"]] == [("Error", -2), ("Skipped", -1)]
    assert "Runtime unavailable\n" in client.log("r")


def test_a_plan_without_stages_passes(client: Client) -> None:
    assert client.run().json() == {"status": "Passed", "stages": []}


def test_a_run_that_passed_keeps_its_files_in_the_store(runs: PushedRuns, client: Client) -> None:
    with object_store() as store:
        store.make_bucket("candor")
        found = read_store(store.environment())
        assert found
        runs._archives = Archives(found)
        make = ["mkdir dist empty", "echo kept >dist/app.jar"]
        passed = client.run(make, run_id="kept", archive=["dist/app.jar", "empty"]).json()
        failed = client.run([*make, "exit 3"], run_id="failed", archive=["dist/app.jar"]).json()
        nothing = client.run(["true"], run_id="nothing").json()
        missing = client.run(["true"], run_id="missing", archive=["dist/app.jar"]).json()
        assert store.objects() == {"kept/app.jar": b"kept\n"}
    assert (passed["status"], passed["archived"]) == ("Passed", ["app.jar"])
    assert (failed["status"], set(failed)) == ("Failed", {"status", "stages"})
    assert (nothing["status"], nothing["archived"]) == ("Passed", [])
    assert missing == {"status": "Error"}


def test_a_run_without_an_id_gets_one(client: Client, tmp_path: Path) -> None:
    assert client.run(["true"], run_id=None).status_code == 200
    (log,) = (tmp_path / "logs").iterdir()
    assert len(log.stem) == 12
    assert int(log.stem, 16) >= 0


def test_a_log_is_continued_when_an_id_comes_again(client: Client) -> None:
    client.run(["echo one"])
    client.run(["echo two"])
    assert [line for line in client.log().splitlines() if line in ("one", "two")] == ["one", "two"]


def test_a_log_can_be_read_while_the_run_goes_on_and_by_post(client: Client, tmp_path: Path, wait_for: Any) -> None:
    go = tmp_path / "go"
    thread = threading.Thread(target=client.run, args=([f"echo begun; until [ -e {go} ]; do sleep 0.05; done"],))
    thread.start()
    wait_for(lambda: "begun" in client.call("POST", "/logs/12345").text)
    assert client.run(["true"]).status_code == 400  # one run of an id at a time
    go.touch()
    thread.join()
    assert client.call("GET", "/logs/12345").headers["Content-Type"].startswith("text/plain")


def test_runs_go_on_side_by_side(client: Client, tmp_path: Path) -> None:
    meet = [f"touch {tmp_path}/$ME; until [ -e {tmp_path}/$OTHER ]; do sleep 0.05; done"]
    results = []

    def run(me: str, other: str) -> None:
        stage = {"name": me, "image": "i", "environment": [f"ME={me}", f"OTHER={other}"], "script": meet}
        answer = client.call("POST", "/run", json={"runId": me, "plan": {"stages": [stage]}})
        results.append(answer.json()["status"])

    threads = [threading.Thread(target=run, args=pair) for pair in (("one", "two"), ("two", "one"))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == ["Passed", "Passed"]


@pytest.mark.parametrize("run_id", ["../x", "..%2F..%2Fetc%2Fpasswd", "%2e%2e", "a/b", ".", "a%00b", "%2Fetc", "a.log"])
def test_a_log_is_no_way_to_other_files(client: Client, tmp_path: Path, run_id: str) -> None:
    (tmp_path / "x.log").write_text("secret")
    prepared = requests.Request("GET", client.url, headers={"Authorization": f"Bearer {TOKEN}"}).prepare()
    prepared.url = f"{client.url}/logs/{run_id}"
    with requests.Session() as session:
        assert session.send(prepared, timeout=10).status_code == 400


def test_an_unknown_log_is_404(client: Client) -> None:
    assert client.call("GET", "/logs/999").status_code == 404


@pytest.mark.parametrize("run_id", ["../x", "", 5, ["a"], "a/b"])
def test_an_id_that_names_no_file_starts_nothing(client: Client, tmp_path: Path, run_id: Any) -> None:
    body = {"runId": run_id, "plan": {"stages": []}}
    assert client.call("POST", "/run", json=body).status_code == 400
    assert list((tmp_path / "logs").iterdir()) == []


@pytest.mark.parametrize(
    ("given", "status"),
    [
        ({"data": "{}"}, 415),
        ({"data": "{}", "headers": {"Content-Type": "text/plain"}}, 415),
        ({"data": "{", "headers": {"Content-Type": "application/json"}}, 400),
        ({"json": []}, 400),
        ({"json": {}}, 400),
        ({"json": {"plan": None}}, 400),
        ({"json": {"plan": {"stages": [{"name": "a"}]}}}, 400),
        ({"data": b" " * (5 << 20), "headers": {"Content-Type": "application/json"}}, 413),
    ],
)
def test_what_is_no_run_is_refused_before_anything_starts(client: Client, tmp_path: Path, given, status) -> None:
    assert client.call("POST", "/run", **given).status_code == status
    assert list((tmp_path / "logs").iterdir()) == []


@pytest.mark.parametrize(("method", "path"), [("GET", "/run"), ("DELETE", "/logs/1"), ("POST", "/")])
def test_other_methods_are_405(client: Client, method: str, path: str) -> None:
    assert client.call(method, path).status_code == 405


def test_a_runner_that_stops_answers_who_waits(client: Client, runs: PushedRuns, wait_for: Any) -> None:
    results: list[Any] = []
    thread = threading.Thread(target=lambda: results.append(client.run(["echo begun; sleep 1.9"]).json()))
    thread.start()
    wait_for(lambda: "begun" in client.log())
    started = time.monotonic()
    runs.stop()
    thread.join()
    assert results[0]["status"] == "Error"
    assert time.monotonic() - started < 1.5


def test_nothing_is_left_of_a_run_but_its_log(client: Client, tmp_path: Path, wait_for: Any) -> None:
    client.run(["echo x >file"])
    assert list((tmp_path / "scratch").iterdir()) == []
    # `os.walk` passes over folders that go while it looks: they are removed in the background.
    wait_for(lambda: not any("file" in names for _, _, names in os.walk(tmp_path / "work")))


@pytest.mark.parametrize(
    ("environment", "says"),
    [
        ({}, "RUNNER_TOKEN"),
        ({"RUNNER_TOKEN": "t", "S3_ACCESS": "only"}, "S3_SECRET"),
        ({"RUNNER_TOKEN": "t", "RUNNER_SHARED": "/srv"}, "RUNNER_SHARED"),
        ({"RUNNER_TOKEN": "t", "RUNNER_CONTAINER_TIMEOUT": "soon"}, "RUNNER_CONTAINER_TIMEOUT"),
        ({"RUNNER_TOKEN_FILE": "/does/not/exist"}, "RUNNER_TOKEN_FILE"),
    ],
)
def test_settings_that_cannot_be_are_refused(environment: dict[str, str], says: str, tmp_path: Path) -> None:
    with pytest.raises(ServeError, match=says):
        read_settings("127.0.0.1:3001", environment, tmp_path)


def test_settings_are_read(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("from a file\n")
    given = {"RUNNER_TOKEN_FILE": str(tmp_path / "token"), "RUNNER_CONTAINER_TIMEOUT": "-5", "S3_BUCKET": ""}
    settings = read_settings("127.0.0.1:3001", given, tmp_path)
    assert settings == Settings(("127.0.0.1", 3001), "from a file", tmp_path / "logs", 0)
    with pytest.raises(ServeError):
        read_settings("3001", given, tmp_path)
