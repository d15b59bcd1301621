"""Clients that know nothing of us, over real HTTP: curl with the documentation's calls, and a build lamp."""

import json
import os
import shutil
import subprocess
import sys
from importlib.util import find_spec
from typing import Any

import pytest
import requests

from tests.conftest import LiveServer
from tests.git_client import Checkout
from tests.support.place import Place
from tests.support.wercker import Api, Ids

pytestmark = pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")


@pytest.fixture
def curl(server: LiveServer, place: Place) -> Any:
    """curl as the documentation has it: host and token are ours."""

    def call(*arguments: str) -> Any:
        *options, path = arguments
        headers = ["-H", "Content-Type: application/json", "-H", f"Authorization: Bearer {place.tokens['developer']}"]
        command = ["curl", "--silent", "--fail-with-body", *headers, *options, f"{server.url}{path}"]
        done = subprocess.run(command, capture_output=True, check=True, timeout=30)
        return json.loads(done.stdout)

    return call


def test_the_calls_of_the_documentation(api: Api, place: Place, ids: Ids, pushed: Checkout, curl: Any) -> None:
    place.core.session.rollback()
    branch = {"protected": False, "ref": "topic"}
    place.set(place.pipeline, **branch)
    assert pushed.push("main:topic").ok
    body = {
        "pipelineId": ids.pipeline,
        "branch": "topic",
        "commitHash": pushed.git("rev-parse", "HEAD"),
        "message": "My custom message!",
        "envVars": [{"key": "SOME_VAR", "value": "SOME VALUE"}],
    }
    run = curl("-X", "POST", "-d", json.dumps(body), "/api/v3/runs/")
    assert (run["status"], run["result"], run["progress"]) == ("notstarted", "unknown", 0)
    assert curl("-X", "GET", f"/api/v3/runs/{run['id']}")["message"] == "My custom message!"
    listed = curl(
        f"/api/v3/runs?applicationId={ids.application}&limit=1&branch=topic&status=notstarted&author=developer"
    )
    assert [one["id"] for one in listed] == [run["id"]]
    steps = curl(f"/api/v3/runs/{run['id']}/steps")
    assert [(step["order"], step["status"]) for step in steps] == [(1, "notstarted")]
    aborted = curl("-X", "PUT", f"/api/v3/runs/{run['id']}/abort")
    assert (aborted["status"], aborted["result"]) == ("finished", "aborted")
    follow = {"pipelineId": ids.pipeline, "sourceRunId": run["id"]}
    assert curl("-X", "POST", "-d", json.dumps(follow), "/api/v3/runs")["commitHash"] == body["commitHash"]


#: chroma-feedback's own producer, given its arguments; what it made of the answers, as JSON.
LAMP = """
import argparse, json
from chroma_feedback.producer.wercker import core
core.init(argparse.ArgumentParser())
print(json.dumps(core.run()))
"""


@pytest.mark.skipif(
    os.environ.get("CI") != "true" and find_spec("chroma_feedback") is None, reason="chroma-feedback is not installed"
)
@pytest.mark.parametrize(
    ("status", "shown"), [("success", "passed"), ("failed", "failed"), ("canceled", "errored"), ("running", "started")]
)
def test_a_build_lamp_lives_on_anonymous_reads(place: Place, server: LiveServer, status: str, shown: str) -> None:
    """The Wercker producer of chroma-feedback 8.0.0, which sends its token in a header of its own."""
    place.set(place.project, visibility="public")
    place.job(status="running", heard_at=place.core.now())
    place.set(place.pipeline, status=status)
    arguments = ["--wercker-host", server.url, "--wercker-slug", "acme/rocket", "--wercker-token", "whatever"]
    done = subprocess.run([sys.executable, "-c", LAMP, *arguments], capture_output=True, check=True, timeout=60)
    assert json.loads(done.stdout) == [{"producer": "wercker", "slug": "acme/rocket", "active": True, "status": shown}]


def test_addresses_in_answers_can_be_followed(place: Place, ids: Ids, server: LiveServer) -> None:
    headers = {"Authorization": f"Bearer {place.tokens['maintainer']}"}
    place.job()

    def get(address: str) -> Any:
        response = requests.get(address, headers=headers, timeout=30, allow_redirects=False)
        assert response.status_code == 200, (address, response.text)
        return response.json() if response.headers["Content-Type"].startswith("application/json") else response.text

    application = get(f"{server.url}/api/v3/applications/acme/rocket")
    for key in ("url", "builds", "deploys"):
        get(application[key])
    run = get(f"{server.url}/api/v3/runs/{ids.run}")
    assert get(run["url"]) == run
    assert get(run["pipeline"]["url"]) == run["pipeline"]
    (step,) = get(f"{run['url']}/steps")
    assert get(step["url"]) == step
    assert get(step["logUrl"]) == ""
    (workflow,) = get(f"{server.url}/api/v3/workflows?applicationId={application['id']}")
    assert get(workflow["url"])["id"] == workflow["id"]
