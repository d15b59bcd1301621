"""The sample project: made, pushed with git over HTTP, and its pipeline watched until it ends."""

import re
import shutil
import tempfile
import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

from .api import Api, ApiError
from .server import ADMIN, Server
from .ui import SetupError, duration, note, step

PROJECT = "skerry/hello"
BRANCH = "main"
FINISHED = frozenset({"success", "failed", "canceled", "skipped", "manual"})
TIME_LIMIT = 900.0
IMPATIENCE = 30.0
ESCAPE = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")
SECTION = re.compile(r"section_(start|end):\d+:")


class Sample:
    """`server` runs already, `api` has the administrator's rights, `alive` raises when a program has died."""

    def __init__(self, server: Server, api: Api, alive: Callable[[], None]) -> None:
        self._server = server
        self._api = api
        self._alive = alive
        self._path = f"projects/{quote(PROJECT, safe='')}"

    def run(self) -> bool:
        """Starts a pipeline (a push the first time), shows its jobs as they go; True if it passed."""
        pipeline = self._start()
        step(f"Pipeline {pipeline['id']} of {PROJECT}: {pipeline['web_url']}")
        finished = self._watch(pipeline["id"])
        note(f"pipeline {finished['status']}{_taken(finished)}")
        return bool(finished["status"] == "success")

    def _start(self) -> Any:
        if not self._exists():
            self._server.command("project", "create", PROJECT)
        if not self._api.get(f"{self._path}/pipelines?per_page=1"):
            return self._push()
        return self._api.post(f"{self._path}/pipeline", {"ref": BRANCH})

    def _exists(self) -> bool:
        try:
            self._api.get(self._path)
        except ApiError as error:
            if error.status == 404:
                return False
            raise
        return True

    def _push(self) -> Any:
        step(f"Pushing the sample project to {self._api.url}/{PROJECT}.git")
        account = self._server.account
        with account.acting():
            work = Path(tempfile.mkdtemp(prefix="hello-", dir=self._server.notes_dir))
        try:
            sha = self._commit_and_push(work)
        finally:
            with account.acting():
                shutil.rmtree(work, ignore_errors=True)
        return self._pipeline_of(sha)

    def _commit_and_push(self, work: Path) -> str:
        contrib = self._server.environment.source / "contrib"
        with self._server.account.acting():
            shutil.copytree(contrib / "samples" / "hello", work, dirs_exist_ok=True)
        self._git(work, "init", "--quiet", f"--initial-branch={BRANCH}")
        self._git(work, "add", "--all")
        self._git(work, "commit", "--quiet", "--message=Say hello")
        url = self._api.url.replace("://", f"://{ADMIN}@", 1)
        self._git(work, "push", "--quiet", f"{url}/{PROJECT}.git", f"HEAD:refs/heads/{BRANCH}")
        return self._git(work, "rev-parse", "HEAD").strip()

    def _git(self, work: Path, *arguments: str) -> str:
        """Git as the server's user, deaf to the machine's configuration; the token goes by the environment alone."""
        account = self._server.account
        variables = account.environment(
            GIT_ASKPASS=str(self._server.environment.source / "contrib" / "setup" / "askpass.sh"),
            SKERRY_PUSH_TOKEN=self._server.token(),
            GIT_TERMINAL_PROMPT="0",
            GIT_CONFIG_NOSYSTEM="1",
            GIT_CONFIG_GLOBAL="/dev/null",
            GIT_AUTHOR_NAME="Skerry",
            GIT_AUTHOR_EMAIL="skerry@localhost",
            GIT_COMMITTER_NAME="Skerry",
            GIT_COMMITTER_EMAIL="skerry@localhost",
        )
        return account.must_run(["git", "-c", "http.proxy=", *arguments], variables, cwd=work, timeout=120)

    def _pipeline_of(self, sha: str) -> Any:
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            self._alive()
            found = self._api.get(f"{self._path}/pipelines?sha={sha}")
            if found:
                return found[0]
            time.sleep(0.2)
        raise SetupError("the push arrived, but made no pipeline within 30 seconds.", "The server's log may say why.")

    def _watch(self, pipeline_id: int) -> Any:
        started = time.monotonic()
        shown: dict[int, str] = {}
        complained = False
        while time.monotonic() - started < TIME_LIMIT:
            self._alive()
            pipeline = self._api.get(f"{self._path}/pipelines/{pipeline_id}")
            self._show_jobs(pipeline_id, shown)
            if pipeline["status"] in FINISHED:
                return pipeline
            if pipeline["status"] == "pending" and time.monotonic() - started > IMPATIENCE and not complained:
                note("No runner has taken a job yet; the runner's log may say why.")
                complained = True
            time.sleep(0.2)
        raise SetupError(f"pipeline {pipeline_id} did not end within {TIME_LIMIT / 60:.0f} minutes.")

    def _show_jobs(self, pipeline_id: int, shown: dict[int, str]) -> None:
        """Prints every job whose status changed since the last call; of a failed one also the end of its log."""
        for job in sorted(
            self._api.get(f"{self._path}/pipelines/{pipeline_id}/jobs?per_page=100"), key=lambda job: int(job["id"])
        ):
            if shown.get(job["id"]) == job["status"] or (job["status"] == "created" and job["id"] not in shown):
                continue
            shown[job["id"]] = job["status"]
            taken = duration(job["duration"]) if job["status"] in FINISHED and job.get("duration") is not None else ""
            note(f"{job['name']:<12} {job['status']:<9} {taken}".rstrip())
            if job["status"] == "failed":
                self._show_failure(job)

    def _show_failure(self, job: dict[str, Any]) -> None:
        note(f"{job['name']} failed ({job.get('failure_reason') or 'no reason given'}): {job.get('web_url', '')}")
        for line in _readable(self._api.text(f"{self._path}/jobs/{job['id']}/trace"))[-15:]:
            note(f"| {line}")


def _taken(pipeline: dict[str, Any]) -> str:
    """From its creation to its end: the pipeline's own `duration` is in whole seconds."""
    if not pipeline.get("finished_at"):
        return ""
    end, beginning = (datetime.fromisoformat(pipeline[name]) for name in ("finished_at", "created_at"))
    return f" in {duration((end - beginning).total_seconds())}"


def _readable(trace: str) -> list[str]:
    """A log's lines without section markers, colours and whatever else a terminal would obey."""
    lines = (ESCAPE.sub("", line) for line in trace.splitlines())
    printable = ("".join(sign for sign in line if sign.isprintable() or sign == "\t") for line in lines)
    return [line for line in printable if line.strip() and not SECTION.match(line)]
