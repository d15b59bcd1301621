"""The lines of curl in GitLab's documentation of its jobs API of 2017, as they stand there, by the real curl.

Only the address of the server and the token are ours: `seed_curl.txt` has the lines, the numbers in them included.
"""

import json
import shlex
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import LiveServer
from tests.contract.gitlab_v4.test_job_entity import SEED
from tests.factories import make_pipeline
from tests.support.place import Place, zipped

HERE = Path(__file__).parent
HOST, TOKEN = "https://gitlab.example.com", "9koXpg98eAheJpvBs5tK"
LINES = (HERE / "seed_curl.txt").read_text().splitlines()


class Site:
    """Project 1 with pipelines to 6 and jobs to 8. Job 8 passed with log and artifacts; job 1 is as a line needs it."""

    def __init__(self, server: LiveServer, place: Place, folder: Path) -> None:
        self.server, self.place, self.body = server, place, folder / "body"
        for _ in range(5):
            place.pipeline = make_pipeline(place.core, place.project, status="success", ref="master")
        self.jobs = [place.job(name="test", status="pending") for _ in range(8)]
        place.set(self.jobs[7], status="success")
        place.log(self.jobs[7], b"the log\n")
        self.data = zipped({"a": b"1"})
        place.archive(self.jobs[7], self.data)

    def call(self, line: str) -> tuple[str, bytes]:
        """The status and the body that the line of curl gets."""
        _, *arguments = shlex.split(line.replace(HOST, self.server.url).replace(TOKEN, self.place.tokens["maintainer"]))
        command = ["curl", "--silent", "--output", str(self.body), "--write-out", "%{http_code}"]
        done = subprocess.run([*command, *arguments], capture_output=True, text=True, timeout=30, check=True)
        return done.stdout, self.body.read_bytes()

    def prepare(self, verb: str) -> None:
        """Make job 1 one that `verb` can be done to."""
        job, place = self.jobs[0], self.place
        states: dict[str, dict[str, Any]] = {
            "retry": {"status": "failed"},
            "play": {"status": "manual", "when": "manual"},
            "keep": {"status": "success"},
            "erase": {"status": "success"},
        }
        place.set(job, retried=False, **states.get(verb, {"status": "pending"}))
        if verb == "erase":
            place.log(job, b"log")
        if verb == "keep":
            place.archive(job, self.data, expire_at=place.core.now().replace(year=9000))


@pytest.mark.skipif(not shutil.which("curl"), reason="curl is not installed")
def test_every_line_of_curl_does_what_its_text_says(server: LiveServer, place: Place, tmp_path: Path) -> None:
    site, seen = Site(server, place, tmp_path), []
    for line in LINES:
        path = shlex.split(line)[-1].removeprefix(f"{HOST}/api/v4/projects/1/").partition("?")[0]
        verb = path.rpartition("/")[2] if "--request POST" in line else ""
        site.prepare(verb)
        status, body = site.call(line)
        seen.append((path, status))
        if path.endswith(("artifacts", "download")):
            assert body == site.data
        elif path.endswith("trace"):
            assert body == b"the log\n"
        else:
            answer = json.loads(body)
            for job in answer if isinstance(answer, list) else [answer]:
                assert SEED.keys() <= job.keys(), path
            assert isinstance(answer, list) is path.endswith("jobs")
    assert seen == [
        ("jobs", "200"),
        ("pipelines/6/jobs", "200"),
        ("jobs/8", "200"),
        ("jobs/8/artifacts", "200"),
        ("jobs/artifacts/master/download", "200"),
        ("jobs/8/trace", "200"),
        ("jobs/1/cancel", "201"),
        ("jobs/1/retry", "201"),
        ("jobs/1/erase", "201"),
        ("jobs/1/artifacts/keep", "200"),
        ("jobs/1/play", "200"),
    ]
