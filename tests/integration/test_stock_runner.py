"""A real gitlab-runner, where SKERRY_TEST_GITLAB_RUNNER names one: `SKERRY_TEST_GITLAB_RUNNER=/usr/bin/gitlab-runner`.

It is a Go program that no package registry of ours has, so these tests are skipped without it, in CI too. They run its
shell executor, whose jobs run on this host as whoever runs the tests, in temporary folders. Written by gitlab.md A for
14 and later (15.10 and later for tokens of created runners).
"""

import io
import os
import re
import signal
import subprocess
import zipfile
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.integration.stack import Repository, Server, make_repository, wait_until

BINARY = os.environ.get("SKERRY_TEST_GITLAB_RUNNER", "")
pytestmark = pytest.mark.skipif(not BINARY, reason="SKERRY_TEST_GITLAB_RUNNER names no gitlab-runner")

PIPELINE = """
stages: [build, test]
make:
  stage: build
  script: ["mkdir out", "echo built >out/a.txt", "echo by $CI_RUNNER_VERSION", "echo $SECRET", "echo größe"]
  variables: {SECRET: "a value"}
  artifacts:
    paths: [out/]
    name: $CI_JOB_NAME-files
    expire_in: 1 week
    reports: {dotenv: made.env}
  after_script: [echo after $CI_JOB_STATUS]
  before_script: ["echo WORD=handed-on >made.env"]
use:
  stage: test
  script: ["cat out/a.txt", "echo $WORD", "exit 3"]
"""
LONG = """
long:
  script: ["for i in 1 2 3 4 5 6 7 8 9; do echo started; sleep 1; done", "sleep 300"]
  after_script: [echo cleaned up]
"""


@dataclass
class StockRunner:
    """The binary with a configuration and a home of its own."""

    folder: Path
    process: "subprocess.Popen[bytes] | None" = field(default=None)

    @property
    def config(self) -> Path:
        return self.folder / "config.toml"

    @property
    def environment(self) -> dict[str, str]:
        return {"PATH": os.environ["PATH"], "HOME": str(self.folder), "LC_ALL": "C.UTF-8", "GIT_CONFIG_NOSYSTEM": "1"}

    def command(self, word: str, *options: str) -> list[str]:
        return [BINARY, word, "--config", str(self.config), *options]

    def call(self, word: str, *options: str) -> str:
        """What a command of it prints; it must succeed."""
        done = subprocess.run(
            self.command(word, *options),
            env=self.environment,
            cwd=self.folder,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout + done.stderr

    def start(self) -> None:
        text = self.config.read_text()
        text = re.sub(r"(?m)^(concurrent|check_interval) *=.*\n", "", text)
        self.config.write_text("concurrent = 2\ncheck_interval = 1\n" + text)
        with (self.folder / "runner.log").open("wb") as log:
            self.process = subprocess.Popen(
                self.command("run", "--working-directory", str(self.folder)),
                env=self.environment,
                cwd=self.folder,
                stdout=log,
                stderr=subprocess.STDOUT,
            )

    def stop(self) -> None:
        """SIGQUIT: no more jobs, and the end when those at work have ended."""
        if self.process is None:
            return
        self.process.send_signal(signal.SIGQUIT)
        try:
            self.process.wait(30)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait(10)
        self.process = None

    @property
    def log(self) -> str:
        with suppress(FileNotFoundError):
            return (self.folder / "runner.log").read_text(errors="replace")
        return ""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    server = Server(tmp_path_factory.mktemp("stock") / "data")
    server.prepare()
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="module")
def runner(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[StockRunner]:
    """Registered with the token of a created runner, and at work."""
    made = StockRunner(tmp_path_factory.mktemp("gitlab-runner"))
    token = server.cli("runner", "create", "--description", "stock")
    made.call(
        "register",
        "--non-interactive",
        *("--url", server.url, "--token", token, "--name", "stock"),
        *("--executor", "shell", "--shell", "bash"),
        *("--builds-dir", str(made.folder / "builds"), "--cache-dir", str(made.folder / "cache")),
    )
    made.start()
    yield made
    made.stop()


@pytest.fixture
def repository(server: Server, runner: StockRunner, tmp_path: Path, request: pytest.FixtureRequest) -> Repository:
    name = re.sub(r"\W+", "-", request.node.name)[:50].strip("-")
    return make_repository(server, f"stock/{name}", tmp_path / "work")


def managers(server: Server) -> list[dict[str, object]]:
    """The daemons of the only runner, none when it is gone."""
    runners = server.api("GET", "/runners/all")
    return server.api("GET", f"/runners/{runners[0]['id']}/managers") if runners else []


def test_it_is_known_after_its_registration(server: Server, runner: StockRunner) -> None:
    [manager] = wait_until("the runner has asked for a job", lambda: managers(server))
    assert re.match(r"\d+\.\d+", str(manager["version"])), runner.log
    assert manager["platform"] == "linux"
    assert "stock" in runner.call("list")
    assert "is alive" in runner.call("verify") or "is valid" in runner.call("verify")


def test_jobs_run_with_log_artifacts_variables_and_exit_code(server: Server, repository: Repository) -> None:
    pipeline = repository.run(PIPELINE, seconds=180)
    jobs = repository.jobs(pipeline["id"])
    log = repository.trace(jobs["make"]).decode()
    assert jobs["make"]["status"] == "success", log
    for text in ("Running with gitlab-runner", "section_start:", "größe", "after success", "Job succeeded"):
        assert text in log, log
    listed = {(file["file_type"], file["filename"]) for file in jobs["make"]["artifacts"]}
    assert ("archive", "make-files.zip") in listed
    path = f"/api/v4{repository.api_path}/jobs/{jobs['make']['id']}/artifacts"
    with zipfile.ZipFile(io.BytesIO(server.call("GET", path).body)) as archive:
        assert archive.read("out/a.txt") == b"built\n"
    log = repository.trace(jobs["use"]).decode()
    assert (jobs["use"]["status"], jobs["use"]["failure_reason"]) == ("failed", "script_failure"), log
    assert re.search(r"built\n(.|\n)*handed-on\n(.|\n)*ERROR: Job failed: exit status 3", log), log


def test_a_cancel_ends_the_script(server: Server, repository: Repository, runner: StockRunner) -> None:
    pipeline = repository.start(LONG)
    job = repository.wait_for_job(pipeline["id"], "long", "running", seconds=60)
    repository.wait_for_trace(job, b"started")
    server.api("POST", f"{repository.api_path}/jobs/{job['id']}/cancel")
    # Nobody watches the log, so the runner may be silent for a minute before it hears of it.
    ended = repository.wait_for_job(pipeline["id"], "long", "canceled", seconds=150)
    assert ended["finished_at"], runner.log
    graceful = managers(server) and "cleaned up" in repository.trace(job).decode()
    major = int(str(managers(server)[0]["version"]).partition(".")[0])
    assert graceful or major < 17, runner.log


def test_it_leaves(server: Server, runner: StockRunner) -> None:
    """The last of these tests. Of a created runner only the manager goes; old versions remove the runner."""
    runner.stop()
    runner.call("unregister", "--name", "stock")
    assert managers(server) == []
