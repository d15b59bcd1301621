"""Tests in this folder run as the ordinary user of `runner_user`, whoever started pytest.

Started by root, pytest runs them in a second pytest as that user and shows its reports as its own (`nested.py`): the
code under test then lives in a process just like the runner's.
"""

import itertools
import os
import shutil
import subprocess
import tempfile
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from runner.executor.base import Build, Stage, StageResult
from runner.executor.podman import PodmanExecutor
from runner.executor.podman_environment import PodmanEnvironment
from runner.executor.podman_settings import PodmanSettings
from tests.integration.podman import nested

RUNNER = f"test-{os.getpid()}"
NUMBERS = itertools.count(1)


def pytest_configure(config: pytest.Config) -> None:
    nested.report_to_parent(config)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item, nextitem: pytest.Item | None) -> bool | None:
    return nested.run_as_ordinary_user(item, nextitem)


@pytest.fixture(autouse=True)
def _ordinary_user(base_image: str) -> None:
    """Everything here needs the user and the base image."""


@pytest.fixture(scope="session")
def executor(base_image: str) -> Iterator[PodmanExecutor]:
    """An executor with its own Podman service."""
    made = PodmanExecutor(PodmanSettings(grace=1.0))
    yield made
    made.close()
    left = subprocess.run(
        ["podman", "ps", "--all", "--quiet", "--filter", f"label=skerry.runner={RUNNER}"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert left.stdout == "", "containers are left"


@pytest.fixture
def another(executor: PodmanExecutor) -> Iterator[Callable[..., PodmanExecutor]]:
    """Executors with other settings, on the same service and helper."""
    made: list[PodmanExecutor] = []

    def make(**settings: Any) -> PodmanExecutor:
        made.append(PodmanExecutor(PodmanSettings(socket=executor.socket, **settings), executor.helper))
        return made[-1]

    yield make
    for one in made:
        one.close()


@dataclass
class Job:
    """A prepared environment and what it printed: while it was `prepared`, and what the last stage `printed`."""

    executor: PodmanExecutor
    build: Build
    environment: PodmanEnvironment
    prepared: bytearray
    printed: bytearray = field(default_factory=bytearray)
    cancelled: threading.Event = field(default_factory=threading.Event)

    def run(self, script: str, timeout: float = 60, **options: Any) -> StageResult:
        """Run a stage; `printed` is what this stage printed."""
        self.printed.clear()
        return self.environment.run(
            Stage("step_script", script, timeout, **options), self.printed.extend, self.cancelled
        )

    @property
    def text(self) -> str:
        return self.printed.decode()


@pytest.fixture
def make_build(tmp_path: Path) -> Iterator[Callable[..., Build]]:
    """Builds with fresh folders; keyword arguments replace fields."""
    folder = Path(tempfile.mkdtemp(prefix="skerry-job-", dir=Path.home()))

    def make(**fields: Any) -> Build:
        number = next(NUMBERS)
        workspace, control = folder / f"{number}" / "tree", folder / f"{number}" / "control"
        workspace.mkdir(parents=True)
        control.mkdir()
        values: dict[str, Any] = {
            "job_id": number, "name": "test", "image": None, "services": (), "environment": {}, "workspace": workspace,
            "project_dir": "/builds/group/project", "control": control, "control_dir": "/builds/group/project.tmp",
            "read_only_mounts": {}, "timeout": 300.0,
            "labels": {"skerry.runner": RUNNER, "skerry.job": str(number), "skerry.boot": "boot"},
        }  # fmt: skip
        return Build(**values | fields)

    yield make
    remove_tree(folder)


def remove_tree(folder: Path) -> None:
    """Also what belongs to sub-uids."""
    subprocess.run(["podman", "unshare", "rm", "-rf", "--", str(folder)], check=True)
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def start(executor: PodmanExecutor, make_build: Callable[..., Build]) -> Iterator[Callable[..., Job]]:
    """Prepare a job on `executor`; it is closed after the test."""
    jobs: list[Job] = []

    def prepare(on: PodmanExecutor | None = None, **fields: Any) -> Job:
        build = make_build(**fields)
        prepared = bytearray()
        chosen = on or executor
        environment = chosen.prepare(build, prepared.extend, threading.Event())
        jobs.append(Job(chosen, build, environment, prepared))
        return jobs[-1]

    yield prepare
    for job in jobs:
        job.environment.close()


@pytest.fixture
def job(start: Callable[..., Job]) -> Job:
    """A job in the base image."""
    return start()
