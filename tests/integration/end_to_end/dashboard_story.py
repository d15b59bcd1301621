"""What the flows of the dashboard stand on: a hostile project, whose pipelines the real runner runs."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from tests.integration.end_to_end.hostile_sample import BRANCH, EVIL, FILES, GREEN, JOB, RED
from tests.integration.stack import Repository, Server, working_copy

#: The administrator whose name is an attack too.
USER, PASSWORD = "grace", "correct horse battery"


@dataclass
class Story:
    """The project, its green pipeline, and the red one, whose job `watch` runs until it is canceled."""

    server: Server
    repository: Repository
    green: dict[str, Any]
    red: dict[str, Any]
    schedule: int

    @property
    def path(self) -> str:
        return f"/{self.repository.path}/-"

    @property
    def pipeline(self) -> str:
        return f"{self.path}/pipelines/{self.red['id']}"

    def job(self, name: str) -> int:
        return int(self.repository.jobs(self.red["id"])[name]["id"])

    def address(self, name: str) -> str:
        """The page of a job of the red pipeline."""
        return f"{self.path}/jobs/{self.job(name)}"

    @cached_property
    def failed(self) -> str:
        """The page of the job that fails: of its first try, also when there are others."""
        return f"{self.path}/jobs/{self.wait_for(JOB)['id']}"

    def wait_for(self, name: str, *statuses: str) -> dict[str, Any]:
        return self.repository.wait_for_job(self.red["id"], name, *(statuses or ("success", "failed")))


@contextmanager
def told_story(server: Server, folder: Path) -> Iterator[Story]:
    """The project with its green pipeline; of the red one `watch` runs. Nothing of it runs afterwards."""
    made = server.api("POST", "/projects", {"path": "rocket"})
    account = {"username": USER, "email": "grace@example.com", "password": PASSWORD, "admin": True}
    server.api("POST", "/users", {"name": f"Grace {EVIL}", **account})
    repository = working_copy(server, made["path_with_namespace"], folder)
    payload = {"key": "PAYLOAD", "value": EVIL, "description": EVIL, "raw": True}
    server.api("POST", f"{repository.api_path}/variables", payload)
    green = repository.wait(_push(repository, GREEN, "Land on four legs")["id"])
    repository.must_pass(green)
    server.api("PUT", repository.api_path, {"default_branch": BRANCH})
    planned = {"description": EVIL * 3, "ref": f"{BRANCH}/{'long-' * 20}", "cron": "0 1 1 * *"}
    schedule = server.api("POST", f"{repository.api_path}/pipeline_schedules", planned)
    red = _push(repository, RED, f"Save a leg {EVIL}")
    repository.wait_for_job(red["id"], "watch", "running")
    yield Story(server, repository, green, red, schedule["id"])
    server.api("POST", f"{repository.api_path}/pipelines/{red['id']}/cancel")
    repository.wait(red["id"])


def _push(repository: Repository, configuration: str, message: str) -> dict[str, Any]:
    sha = repository.commit({".gitlab-ci.yml": configuration, **FILES}, message)
    repository.push(f"HEAD:refs/heads/{BRANCH}")
    return repository.server.api("GET", f"{repository.api_path}/pipelines?sha={sha}")[0]
