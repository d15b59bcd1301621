"""A plan of three stages with different images, in rootless Podman: through the server, and pushed to a runner."""

import hashlib
import json
import os

import pytest
import requests

from tests.integration.candor.conftest import BASE, PLAN, TWO
from tests.integration.stack import wait_until

pytestmark = pytest.mark.podman


def session_of(server, password: str) -> requests.Session:
    session = requests.Session()
    answer = session.post(f"{server.url}/login", json={"username": "demouser", "password": password}, timeout=30)
    assert answer.status_code == 200
    return session


def test_a_stored_plan_runs_by_its_trigger_and_shows_its_stages(server, tmp_path):
    plan = tmp_path / "plan.json"
    plan.write_text(json.dumps(PLAN))
    password = server.cli("user", "create", "demouser")
    words = ("--file", str(plan), "--assign", "demouser")
    trigger = server.cli("pipeline", "create", "ci/three", "Three stages", *words)
    assert requests.post(trigger, json={"word": "hello"}, timeout=30).status_code == 200

    with session_of(server, password) as session:
        (pipeline,) = [one for one in session.get(f"{server.url}/api/pipelines").json() if "stages" in one["name"]]
        address = f"{server.url}/api/pipelines/{pipeline['id']}"
        shown = wait_until("the run ends", lambda: session.get(address).json()["lastRuns"], 90, every=0.3)
        log = session.get(f"{server.url}/api/runs/{pipeline['id']}/last/log").text
        made = session.get(f"{server.url}/api/runs/{pipeline['id']}/last/archive?file=made.txt")
    (run,) = shown
    assert (run["status"], run["archived"]) == ("Passed", ["made.txt"]), log
    assert [(stage["name"], stage["exitCode"]) for stage in run["stages"]] == [("Make", 0), ("Sign", 0), ("Read", 0)]
    assert made.content == b"hello\none=1 BARE sh\n"
    assert log == (
        "**************** [1/3] ****************\n/home/work\nProcess exited with status code 0\n"
        "\n**************** [2/3] ****************\ncandor-one\nProcess exited with status code 0\n"
        "\n**************** [3/3] ****************\ncandor-two\nhello\none=1 BARE sh\n1000\n"
        "Process exited with status code 0\n"
    )


def test_a_file_that_was_not_made_is_an_error_of_the_run(server, tmp_path):
    plan = tmp_path / "plan.yml"
    plan.write_text(f"stages: [{{name: a, image: {BASE}, script: ['true']}}]\narchive: [missing.txt]\n")
    trigger = server.cli("pipeline", "create", "ci/missing", "Missing file", "--file", str(plan), "--public")
    assert requests.post(trigger, timeout=30).status_code == 200
    (pipeline,) = requests.get(f"{server.url}/api/pipelines", timeout=30).json()
    address = f"{server.url}/api/pipelines/{pipeline['id']}"
    (run,) = wait_until("the run ends", lambda: requests.get(address, timeout=30).json()["lastRuns"], 90, every=0.3)
    assert (run["status"], run["stages"]) == ("Error", [])


def test_a_pushed_plan_runs_its_stages_keeps_its_file_and_answers_with_the_result(serving, store):
    plan = json.loads(json.dumps(PLAN).replace("%word%", "hello"))
    result = serving.run("12345", plan)
    log = serving.log("12345")
    assert result == {
        "status": "Passed",
        "stages": [{"name": name, "status": "Passed", "exitCode": 0} for name in ("Make", "Sign", "Read")],
        "archived": ["made.txt"],
    }, log
    assert store.objects()["12345/made.txt"] == b"hello\none=1 BARE sh\n"
    assert log == (
        "**************** [1/3] ****************\n/home/work\nProcess exited with status code 0\n"
        "\n**************** [2/3] ****************\ncandor-one\nProcess exited with status code 0\n"
        "\n**************** [3/3] ****************\ncandor-two\nhello\none=1 BARE sh\n1000\n"
        "Process exited with status code 0\n"
    )


def test_a_file_that_belongs_to_another_user_is_kept_and_one_that_is_missing_is_an_error(serving, store):
    make = {"name": "a", "image": TWO, "script": ["umask 077", "id -u >mine", "ln -s /etc/passwd link"]}
    assert serving.run("mine", {"stages": [make], "archive": ["mine"]})["archived"] == ["mine"]
    for path in ("missing", "link"):
        assert serving.run("none", {"stages": [make], "archive": ["mine", path]}) == {"status": "Error"}
    kept = {key: data for key, data in store.objects().items() if key.startswith(("mine/", "none/"))}
    assert kept == {"mine/mine": b"1000\n"}


def test_a_stage_without_a_script_runs_the_images_own_command(serving):
    result = serving.run("own", {"stages": [{"name": "own", "image": TWO}]})
    assert result["status"] == "Passed", serving.log("own")
    assert "own command in /home/work\n" in serving.log("own")


def test_an_image_that_is_not_to_be_had_fails_the_run_before_its_first_stage(serving):
    stages = [{"name": "a", "image": BASE, "script": ["echo begun"]}, {"name": "b", "image": "localhost/not/there"}]
    assert serving.run("bad", {"stages": stages}) == {"status": "Error"}
    assert serving.log("bad") == ""


@pytest.mark.parametrize("runtime", ["sysbox-that-is-not-here", "/bin/sh", "../runc"])
def test_a_runtime_that_is_not_there_ends_its_stage(serving, runtime):
    stages = [
        {"name": "a", "image": BASE, "script": ["true"]},
        {"name": "b", "image": BASE, "runtime": runtime, "script": ["true"]},
        {"name": "c", "image": BASE, "script": ["true"]},
    ]
    result = serving.run("runtime", {"stages": stages})
    assert result["status"] == "Error"
    ends = [(stage["status"], stage["exitCode"]) for stage in result["stages"]]
    assert ends == [("Passed", 0), ("Error", -2), ("Skipped", -1)], serving.log("runtime")
    assert "Runtime unavailable\n" in serving.log("runtime")


def test_a_runtime_that_is_there_runs_its_stage(serving, runner_user):
    name = runner_user.run(["podman", "info", "--format", "{{.Host.OCIRuntime.Name}}"]).stdout.strip()
    result = serving.run("named", {"stages": [{"name": "a", "image": BASE, "runtime": name, "script": ["exit 4"]}]})
    assert result == {"status": "Failed", "stages": [{"name": "a", "status": "Failed", "exitCode": 4}]}


def test_nothing_but_logs_is_left_of_pushed_runs(serving, runner_user):
    serving.run("clean", {"stages": [{"name": "a", "image": BASE, "script": ["touch file"]}]})
    label = hashlib.sha256(os.fsencode(serving.folder)).hexdigest()[:12]
    left = ["find", str(serving.folder / "runs"), "-mindepth", "1"]
    assert runner_user.run(left).stdout == ""

    def containers() -> str:
        listed = runner_user.run(["podman", "ps", "-a", "--format", "{{.Labels}}"]).stdout
        return "".join(line for line in listed.splitlines() if label in line)

    wait_until("the containers are gone", lambda: not containers(), 20, every=0.3)
