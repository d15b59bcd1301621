"""Our runner with Podman at a server that is only a GitLab (`tests.contract.runner.fake_gitlab`)."""

import io
import zipfile
from pathlib import Path

import pytest

from tests.contract.runner.fake_gitlab import RUNNER_TOKEN, FakeGitLab
from tests.contract.runner.outcomes import finished, output_of
from tests.contract.runner.served_job import checksum
from tests.integration.runner_daemon import Daemon

pytestmark = pytest.mark.podman


@pytest.fixture
def gitlab():
    server = FakeGitLab()
    server.start()
    yield server
    server.stop()


@pytest.fixture
def daemon(runner_user, base_image, gitlab):
    made = runner_user.run(["mktemp", "-d", f"{runner_user.home}/plain-XXXXXX"]).stdout.strip()
    daemon = Daemon(runner_user, Path(made))
    words = daemon.program("register", "--url", gitlab.url, "--token", RUNNER_TOKEN, "--name", "plain")
    runner_user.run(words, cwd=runner_user.checkout)
    runner_user.run(["sed", "-i", "/^check_interval/d; 1i check_interval = 0.1", str(daemon.config)])
    daemon.start()
    yield daemon
    daemon.stop()
    runner_user.run(["podman", "unshare", "rm", "-rf", made])


def test_a_job_in_a_container_speaks_nothing_but_gitlabs_protocol(gitlab, daemon):
    gitlab.poll_status.extend([204, 409])
    after = {"name": "after_script", "script": ["echo after $CI_JOB_STATUS in $PWD"], "when": "always"}
    script = {"name": "script", "script": ["test -e /run/.containerenv", "echo made >out.txt", "exit 4"]}
    job = gitlab.add_job(
        [],
        steps=[script, after],
        image={"name": "localhost/skerry/base", "entrypoint": None, "ports": [], "executor_opts": {}},
        variables=[{"key": "GIT_STRATEGY", "value": "none", "public": True, "masked": False}],
        artifacts=[{"name": "made", "paths": ["*.txt"], "when": "always", "artifact_type": "archive"}],
    )
    job.pending_finals = 1
    final = finished(job, 60)
    assert (final["state"], final["failure_reason"], final["exit_code"]) == ("failed", "script_failure", 4)
    assert final["output"] == {"checksum": checksum(job.trace), "bytesize": len(job.trace)}
    assert b"after failed in /" in output_of(bytes(job.trace), "after_script")
    [(_, filename, content)] = job.uploads
    assert filename == "made.zip"
    assert zipfile.ZipFile(io.BytesIO(content)).read("out.txt") == b"made\n"
    assert [update["state"] for update in job.updates] == ["running", "failed", "failed"]
    assert not {"steps", "skerry"} & {key for update in job.updates for key in update}
