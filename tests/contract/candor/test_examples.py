"""Every example of the seed and the reference (`examples.json`), JSON for JSON: the same keys, the same types, the same
formats; values aside.
"""

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from werkzeug.test import Client, TestResponse

from runner.archives import Archives, read_store
from runner.config import Config, RunnerConfig
from runner.daemon import make_host
from runner.pushed_runs import PushedRuns
from runner.serve import RunnerApi
from tests.contract.candor.conftest import Site
from tests.factories import PASSWORD
from tests.support.object_store import object_store

EXAMPLES = json.loads(Path(__file__).with_name("examples.json").read_text())
STATUSES = {"Passed", "Failed", "Skipped", "Error"}
FORMATS = {"8 hex digits": r"[0-9a-f]{8}", "32 hex digits": r"[0-9a-f]{32}"}


class Runner:
    """The runner's API, without a container."""

    def __init__(self, runs: PushedRuns) -> None:
        self._client = Client(RunnerApi(runs, "t"))

    def run(self, **body: Any) -> TestResponse:
        return self._client.post("/run", json=body, headers={"Authorization": "Bearer t"})

    def plan(self, *stages: dict[str, Any], **plan: Any) -> Any:
        return self.run(runId="12345", plan={"stages": list(stages), **plan}).json


@pytest.fixture
def runner(tmp_path: Path) -> Iterator[Runner]:
    config = Config(path=tmp_path / "config.toml", data_dir=tmp_path / "work", concurrent=4)
    config.data_dir.mkdir()
    host = make_host(config, RunnerConfig(name="serve", url="", token="pushed", executor="fake"), "s_test", "boot")
    with object_store() as store:
        store.make_bucket("candor")
        found = read_store(store.environment())
        assert found
        yield Runner(PushedRuns(host, tmp_path / "logs", tmp_path / "scratch", archives=Archives(found)))
    host.executor.close()


def shape(value: Any) -> Any:
    """`value` with types and formats in the place of values; of a list the different shapes of its entries."""
    if isinstance(value, dict):
        return {key: shape(one) for key, one in value.items()}
    if isinstance(value, list):
        return sorted({json.dumps(shape(one), sort_keys=True) for one in value})
    if isinstance(value, str):
        found = [name for name, pattern in FORMATS.items() if re.fullmatch(pattern, value)]
        return found or ("a status" if value in STATUSES else "a text")
    if isinstance(value, int) and not isinstance(value, bool):
        return "milliseconds since 1970" if value >= 10**12 else "an integer"
    return type(value).__name__


def me(site: Site, runner: Runner, example: Any) -> Any:
    return site.client("demouser").get("/me").json


def listed(site: Site, runner: Runner, example: Any) -> Any:
    site.trigger()
    site.finish()
    site.trigger()
    site.finish("failed", (("failed", 1, b""), ("skipped", None, b"")), "script_failure")
    return site.client("demouser").get("/api/pipelines").json[0]


def shown(site: Site, runner: Runner, example: Any) -> Any:
    site.trigger()
    site.finish(files={"dist/app.tgz": b"1"})
    return site.client("demouser").get(f"/api/pipelines/{site.id}").json


def without_runner(site: Site, runner: Runner, example: Any) -> Any:
    site.trigger()
    site.finish("failed", (("skipped", None, b""),) * 2, "no_matching_runner")
    (run,) = site.client("demouser").get(f"/api/pipelines/{site.id}").json["lastRuns"]
    return {key: run[key] for key in ("status", "stages")}


def saved(site: Site, runner: Runner, example: Any) -> Any:
    return site.client("demouser").post(f"/api/pipelines/{site.id}/config", json={"stages": []}).json


def configuration(site: Site, runner: Runner, example: Any) -> Any:
    client, path = site.client("demouser"), f"/api/pipelines/{site.id}/config"
    client.post(path, json=example)
    assert client.get(path).json == example
    return client.get(path).json


def result(site: Site, runner: Runner, example: Any) -> Any:
    stage = {"name": "Clone", "image": "alpine/git", "script": ["echo 1 >a.jar"]}
    return runner.plan(stage, archive=["a.jar"])


def nothing(site: Site, runner: Runner, example: Any) -> Any:
    return runner.plan()


def no_file(site: Site, runner: Runner, example: Any) -> Any:
    return runner.plan({"name": "a", "image": "b", "script": ["true"]}, archive=["missing"])


ANSWERS: dict[str, Callable[[Site, Runner, Any], Any]] = {
    "GET /me": me,
    "GET /api/pipelines": listed,
    "GET /api/pipelines/:pipelineId": shown,
    "GET /api/pipelines/:pipelineId, no runner": without_runner,
    "POST /api/pipelines/:pipelineId/config": saved,
    "GET /api/pipelines/:pipelineId/config": configuration,
    "POST /run": result,
    "POST /run, no stages": nothing,
    "POST /run, no file": no_file,
}


def send(call: str, example: Any, site: Site, runner: Runner) -> None:
    """A documented request is understood. Values that stand for others are replaced, keys are not."""
    if call == "POST /login":
        assert site.client().post("/login", json=example | {"password": PASSWORD}).status_code == 200
        assert site.client().post("/login", json=example).status_code == 401
    else:
        assert runner.run(**example).status_code == 400  # `stages` is not nullable
        assert runner.run(**example | {"plan": {"stages": []}}).status_code == 200


def try_table(call: str, rows: list[list[str]], runner: Runner) -> None:
    """Each field takes its type, null where the table says so, and nothing else."""
    stage = {"name": "a", "image": "b", "script": ["true"]}
    good = {"stage[]": [stage], "string[]": ["A"], "string": "fake"}
    for field, kind, nullable in rows:
        for value, fine in ((good[kind], True), (None, nullable == "Yes"), (5, False)):
            given = {field: value}
            plan = {"stages": [stage | given]} if call.endswith("a stage") else {"stages": [stage]} | given
            assert runner.run(plan=plan).status_code == (200 if fine else 400), given


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: f"{example['call']} ({example['source']})")
def test_an_example_is_as_its_document_says(example: dict[str, Any], site: Site, runner: Runner) -> None:
    call, document = example["call"], example["json"]
    if example["is"] == "request":
        send(call, document, site, runner)
    elif example["is"] == "table":
        try_table(call, document, runner)
    else:
        assert shape(ANSWERS[call](site, runner, document)) == shape(document)
