"""The daemon against a server that is only a GitLab, with real processes and no containers."""

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from runner.config import Config, RunnerConfig
from runner.daemon import Daemon
from runner.executor.fake import FakeExecutor
from runner.job.run import Host
from tests.contract.runner.fake_gitlab import RUNNER_TOKEN, FakeGitLab
from tests.unit.runner.plain_workspaces import PlainWorkspaces


@dataclass
class Running:
    """A daemon in a thread. `stop` is a signal, `join` waits for its end."""

    daemon: Daemon
    thread: threading.Thread
    workspaces: PlainWorkspaces
    config: Config

    def stop(self) -> None:
        self.daemon.stop()

    def join(self, seconds: float = 15) -> None:
        self.thread.join(seconds)
        assert not self.thread.is_alive(), f"the daemon still runs after {seconds} s"


@pytest.fixture
def gitlab() -> Iterator[FakeGitLab]:
    server = FakeGitLab()
    server.start()
    yield server
    server.wake.set()
    server.stop()


@pytest.fixture
def config(gitlab: FakeGitLab, tmp_path: Path) -> Config:
    runner = RunnerConfig(name="test", url=gitlab.url, token=RUNNER_TOKEN, executor="fake")
    return Config(
        path=tmp_path / "config.toml",
        data_dir=tmp_path / "data",
        concurrent=2,
        check_interval=0.05,
        shutdown_timeout=10,
        final_update_timeout=30,
        runners=(runner,),
    )


@pytest.fixture
def serve(config: Config, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Running]]:
    """Start a daemon; keywords change its configuration, those in `runner` its only runner's."""
    monkeypatch.setattr("runner.daemon.signal.signal", lambda number, handler: None)
    started: list[Running] = []

    def start(runner: dict[str, object] | None = None, **changes: object) -> Running:
        runners = tuple(replace(one, **(runner or {})) for one in config.runners)
        changed = replace(config, runners=runners, **changes)
        workspaces = PlainWorkspaces(tmp_path / "workspaces")

        def host(config: Config, runner: RunnerConfig, system_id: str, boot: str) -> Host:
            return Host(runner, FakeExecutor(grace=1), workspaces, system_id, boot, config.final_update_timeout)

        daemon = Daemon(changed, host)
        running = Running(daemon, threading.Thread(target=daemon.run), workspaces, changed)
        started.append(running)
        running.thread.start()
        return running

    yield start
    for running in started:
        running.daemon.stop()
        running.daemon.stop()
        running.join(40)
