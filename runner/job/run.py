"""A job on its way: what its phases share."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from runner.config import RunnerConfig
from runner.control import ABORTED, CANCELED, INTERRUPTED, TIMED_OUT, JobControl
from runner.executor.base import Build, Environment, Executor
from runner.failure import Failure
from runner.job.groups import Group
from runner.job.variables import Places
from runner.protocol.job_client import JobClient
from runner.protocol.wire import Job
from runner.state import JobFolder
from runner.steps import StepReport
from runner.trace import Trace
from runner.variables import Variables
from runner.workspace.base import Workspace, Workspaces

RED, GREEN, YELLOW, CYAN, RESET = "\x1b[31;1m", "\x1b[32;1m", "\x1b[33;1m", "\x1b[36;1m", "\x1b[0;m"


@dataclass(frozen=True, slots=True)
class Host:
    """What jobs of one runner share: its settings, its place to run, its files, and what identifies it."""

    runner: RunnerConfig
    executor: Executor
    workspaces: Workspaces
    system_id: str
    boot: str
    final_update_timeout: float = 24 * 3600.0


@dataclass(slots=True)
class JobRun:
    """A job on its way. Phases read and fill it; the first failure stays."""

    host: Host
    job: Job
    slot: int
    client: JobClient
    folder: JobFolder
    trace: Trace
    control: JobControl
    give_up: threading.Event
    on_delivered: Callable[[], None] = lambda: None
    places: Places | None = None
    variables: Variables = field(default_factory=lambda: Variables((), ""))
    build: Build | None = None
    workspace: Workspace | None = None
    environment: Environment | None = None
    failure: Failure | None = None
    script_reached: bool = False
    verdict: str = ""  # the outcome by which caches and artifacts are chosen
    started: float = field(default_factory=time.monotonic)
    steps: StepReport = field(init=False)
    groups: list[Group] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.steps = StepReport(len(self.job.steps))

    # What phases use

    def say(self, text: str) -> None:
        """A line of the runner in the job's log."""
        self.trace.say(text + "\n")

    def warn(self, text: str) -> None:
        self.say(f"{YELLOW}WARNING: {text}{RESET}")

    def fail(self, failure: Failure) -> None:
        """Note why the job fails; only the first reason counts."""
        self.failure = self.failure or failure

    def kill(self) -> None:
        """End transfers and whatever runs in the environment."""
        self.client.stop.set()
        if self.environment is not None:
            self.environment.stop()

    def remaining(self) -> float:
        """Seconds until the job's time is up."""
        return max(0.0, self.started + self.job.timeout - time.monotonic())

    @property
    def outcome(self) -> str:
        """What CI_JOB_STATUS says at this moment: success, failed, canceled or timedout."""
        if self.control.reason in (CANCELED, ABORTED, INTERRUPTED):
            return "canceled"
        if self.control.reason == TIMED_OUT or (self.failure and self.failure.reason == "job_execution_timeout"):
            return "timedout"
        return "failed" if self.failure else "success"

    @contextmanager
    def section(self, name: str, heading: str) -> Iterator[None]:
        """Markers around a part of the log, where the server reads them, and the heading in it."""
        self.open_section(name, heading)
        try:
            yield
        finally:
            self.close_section(name)

    def open_section(self, name: str, heading: str) -> None:
        marker = f"section_start:{int(time.time())}:{name}\r\x1b[0K" if self.job.features.trace_sections else ""
        self.trace.say(f"{marker}{CYAN}{heading}{RESET}\n")

    def close_section(self, name: str) -> None:
        if self.job.features.trace_sections:
            self.trace.say(f"section_end:{int(time.time())}:{name}\r\x1b[0K")
