"""A whole installation for tests: the real server, the real runner, real git, in processes of their own.

The server keeps its data in a temporary folder; the runner and Podman (`runner_daemon`) work as an ordinary user.
"""

import json
import os
import socket
import subprocess
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest.mock import patch

from click.testing import CliRunner
from flask import Flask

from app import create_app
from app.cli import commands, opening
from app.config import read_config
from app.extensions import db
from tests.support.programs import Program, start_program

ROOT = Path(__file__).parents[2]
ENDED = ("success", "failed", "canceled", "skipped")


class TimedOut(AssertionError):
    """What a test waited for did not happen."""


def wait_until(what: str, look: Callable[[], Any], seconds: float = 30, every: float = 0.05) -> Any:
    """The first true value of `look`; TimedOut after `seconds`."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if found := look():
            return found
        time.sleep(every)
    raise TimedOut(f"{what}: not within {seconds} s")


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


@dataclass
class Answer:
    """An HTTP answer. `json` parses the body."""

    status: int
    headers: Any
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class Server:
    """`skerry serve` in its own process; `restart` after `kill` keeps data and port."""

    data: Path
    port: int = field(default_factory=free_port)
    settings: dict[str, str] = field(default_factory=dict)
    process: Program | None = None
    token: str = ""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def environment(self) -> dict[str, str]:
        return {
            **os.environ,
            "SKERRY_DATA_DIR": str(self.data),
            "SKERRY_BIND": f"127.0.0.1:{self.port}",
            "PYTHONPATH": str(ROOT),
            **self.settings,
        }

    def cli(self, *words: str) -> str:
        """The output of `skerry WORDS`, run in this process; fails when it fails."""
        made: list[Flask] = []

        def remembered() -> Flask:
            made.append(create_app(read_config(self.environment)))
            return made[-1]

        with patch.object(commands, "application", remembered), patch.object(opening, "application", remembered):
            done = CliRunner().invoke(commands.cli, words, env=self.environment)
        for app in made:
            app.extensions["skerry"].bus.stop()
            with app.app_context():
                db.engine.dispose()
        assert done.exit_code == 0, f"{done.stderr}{done.exception}"
        return done.stdout.strip()

    def prepare(self) -> None:
        """A new installation with an administrator called admin, whose token is `token`."""
        self.cli("init")
        self.cli("user", "create", "admin", "--admin")
        self.token = self.cli("token", "create", "--user", "admin", "--scopes", "api")

    def start(self) -> None:
        log = self.data / "server.log"
        self.process = start_program("serve", environment=self.environment, log=log, folder=ROOT)
        wait_until("the server is ready", self._ready)

    def _ready(self) -> bool:
        assert self.process is not None
        assert self.process.poll() is None, (self.data / "server.log").read_text()[-2000:]
        try:
            return self.call("GET", "/-/ready").status == 200
        except OSError:
            return False

    def stop(self) -> None:
        if self.process:
            self.process.terminate()
            self.process.wait(timeout=20)
            self.process = None

    def kill(self) -> None:
        """What a power cut does to it: SIGKILL for the server and its workers."""
        assert self.process is not None
        children = _children(self.process.pid)
        for pid in (self.process.pid, *children):
            with suppress(ProcessLookupError):
                os.kill(pid, 9)
        self.process.wait(timeout=10)
        self.process = None

    def call(self, method: str, path: str, data: Any = None, token: str | None = "", **headers: str) -> Answer:
        """One request. `token` "" is the administrator's, None sends none; `data` goes as JSON."""
        token = self.token if token == "" else token
        request = urllib.request.Request(self.url + path, method=method)
        if token:
            request.add_header("PRIVATE-TOKEN", token)
        for name, value in headers.items():
            request.add_header(name.replace("_", "-"), value)
        if data is not None:
            request.add_header("Content-Type", "application/json")
            request.data = json.dumps(data).encode()
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return Answer(answer.status, answer.headers, answer.read())
        except urllib.error.HTTPError as error:
            return Answer(error.code, error.headers, error.read())

    def api(self, method: str, path: str, data: Any = None) -> Any:
        """The JSON of a REST call that must succeed."""
        answer = self.call(method, "/api/v4" + path, data)
        assert answer.status < 300, (path, answer.status, answer.body)
        return answer.json if answer.body else None


def _children(pid: int) -> list[int]:
    found = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    direct = [int(word) for word in found]
    return direct + [grandchild for child in direct for grandchild in _children(child)]


@dataclass
class Repository:
    """A working copy that pushes to one project of a server."""

    server: Server
    path: str
    folder: Path

    @property
    def api_path(self) -> str:
        return "/projects/" + urllib.parse.quote(self.path, safe="")

    @property
    def push_url(self) -> str:
        return f"http://admin:{self.server.token}@127.0.0.1:{self.server.port}/{self.path}.git"

    def git(self, *words: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        environment = {
            **os.environ,
            "GIT_CONFIG_GLOBAL": os.devnull,
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_TERMINAL_PROMPT": "0",
            "GIT_AUTHOR_NAME": "Ada",
            "GIT_AUTHOR_EMAIL": "ada@example.com",
            "GIT_COMMITTER_NAME": "Ada",
            "GIT_COMMITTER_EMAIL": "ada@example.com",
        }
        done = subprocess.run(
            ["git", *words], cwd=self.folder, env=environment, capture_output=True, text=True, check=False, timeout=120
        )
        assert not check or done.returncode == 0, done.stderr
        return done

    def commit(self, files: dict[str, str], message: str = "change") -> str:
        """Write `files`, commit them, and return the commit's id."""
        for name, content in files.items():
            target = self.folder / name
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(content)
        self.git("add", "-A")
        self.git("commit", "-q", "--allow-empty", "-m", message)
        return self.git("rev-parse", "HEAD").stdout.strip()

    def push(self, *refs: str, options: tuple[str, ...] = (), check: bool = True) -> subprocess.CompletedProcess[str]:
        extra = [word for option in options for word in ("-o", option)]
        return self.git("push", "-q", *extra, self.push_url, *(refs or ("HEAD:refs/heads/main",)), check=check)

    def run(self, configuration: str, files: dict[str, str] | None = None, seconds: float = 90) -> dict[str, Any]:
        """Push `configuration` and return its pipeline, ended."""
        pipeline = self.start(configuration, files)
        return self.wait(pipeline["id"], seconds)

    def start(self, configuration: str, files: dict[str, str] | None = None, ref: str = "main") -> dict[str, Any]:
        """Push `configuration` to `ref` and return the pipeline that this made."""
        sha = self.commit({".gitlab-ci.yml": configuration, **(files or {})})
        self.push(f"HEAD:refs/heads/{ref}")
        return self.server.api("GET", f"{self.api_path}/pipelines?sha={sha}&ref={ref}")[0]

    def wait(self, pipeline_id: int, seconds: float = 90) -> dict[str, Any]:
        def look() -> dict[str, Any] | None:
            pipeline = self.server.api("GET", f"{self.api_path}/pipelines/{pipeline_id}")
            return pipeline if pipeline["status"] in ENDED else None

        try:
            return wait_until(f"pipeline {pipeline_id} ends", look, seconds, every=0.1)
        except TimedOut as error:
            jobs = [(job["name"], job["status"]) for job in self.jobs(pipeline_id).values()]
            raise TimedOut(f"{error}: {jobs}") from None

    def must_pass(self, pipeline: dict[str, Any]) -> None:
        """Fail with the logs of what failed unless `pipeline` has passed."""
        if pipeline["status"] != "success":
            failed = [job for job in self.jobs(pipeline["id"]).values() if job["status"] == "failed"]
            logs = {job["name"]: self.trace(job)[-1500:].decode("utf-8", "replace") for job in failed}
            raise AssertionError(f"{pipeline['status']} {pipeline['yaml_errors']} {logs}")

    def jobs(self, pipeline_id: int) -> dict[str, Any]:
        """The pipeline's jobs by name."""
        listed = self.server.api("GET", f"{self.api_path}/pipelines/{pipeline_id}/jobs?per_page=100")
        return {job["name"]: job for job in listed}

    def wait_for_job(self, pipeline_id: int, name: str, *statuses: str, seconds: float = 60) -> dict[str, Any]:
        def look() -> dict[str, Any] | None:
            job = self.jobs(pipeline_id).get(name)
            return job if job and job["status"] in statuses else None

        return wait_until(f"{name} becomes {' or '.join(statuses)}", look, seconds)

    def trace(self, job: dict[str, Any]) -> bytes:
        return self.server.call("GET", f"/api/v4{self.api_path}/jobs/{job['id']}/trace").body

    def wait_for_trace(self, job: dict[str, Any], text: bytes, seconds: float = 60) -> bytes:
        def look() -> bytes | None:
            trace = self.trace(job)
            return trace if text in trace else None

        return wait_until(f"the trace of {job['name']} shows {text!r}", look, seconds)


def make_repository(server: Server, path: str, folder: Path, *options: str) -> Repository:
    """A new project and an empty working copy for it."""
    server.cli("project", "create", path, *options)
    return working_copy(server, path, folder)


def working_copy(server: Server, path: str, folder: Path) -> Repository:
    """An empty working copy for a project that is there."""
    folder.mkdir(parents=True)
    repository = Repository(server, path, folder)
    repository.git("init", "-q", "-b", "main")
    return repository


def script_output(trace: bytes, section: str = "step_script") -> bytes:
    """What the script printed: the bytes between the section's heading and its end, without echoes of commands."""
    start = trace.index(b"section_start:", trace.index(section.encode()) - 30)
    end = trace.index(b"section_end:", start)
    body = trace[trace.index(b"\n", start) + 1 : end]
    lines = body.splitlines(keepends=True)
    return b"".join(line for line in lines if not line.startswith((b"\x1b[32;1m$ ", b"\x1b[36;1m")))
