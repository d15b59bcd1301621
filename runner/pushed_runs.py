"""Runs that are pushed to this runner: each goes through the same phases and the same executor as a job that is
pulled, only that its log stays here and its result is the answer to who pushed it.
"""

import itertools
import queue
import shutil
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import structlog

from runner.archives import ArchiveError, Archives
from runner.control import JobControl
from runner.failure import Failure
from runner.job.end import clean_up
from runner.job.phases import walk_phases
from runner.job.run import Host, JobRun
from runner.plan import PlanStage, RunPlan
from runner.plan_log import PlanLog, PlanSteps, open_log
from runner.protocol.job_client import JobClient
from runner.protocol.wire import Image, Job, Step, Variable
from runner.state import JobFolder

log = structlog.get_logger("runner.pushed_runs")

WORKSPACE = "/home/work"
#: A run has no time limit of its own: its stages may have.
FOREVER = 365 * 86_400
LOG_LIMIT = 256 * 1024 * 1024


class AlreadyRunsError(Exception):
    """A run of that id has not ended yet."""


class _NoServer:
    """Stands where a pulled job has the way to its server: nobody is told anything, and nothing is fetched."""

    def __init__(self) -> None:
        self.debug_trace = False
        self.stop = threading.Event()


class PushedRuns:
    """All runs of one process. `stage_timeout` is in seconds, 0 for none; `concurrent` run at once, others wait.
    `archives` keeps the files that plans name; None: nobody does.
    """

    def __init__(
        self,
        host: Host,
        logs: Path,
        scratch: Path,
        concurrent: int = 4,
        stage_timeout: int = 0,
        archives: Archives | None = None,
    ) -> None:
        self._host = host
        self._logs = logs
        self._scratch = scratch
        self._stage_timeout = stage_timeout
        self._archives = archives
        self._slots: queue.SimpleQueue[int] = queue.SimpleQueue()
        for slot in range(concurrent):
            self._slots.put(slot)
        self._numbers = itertools.count(1)
        self._running: dict[str, JobControl] = {}
        self._lock = threading.Lock()
        self._stopping = False
        for folder in (logs, scratch):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)

    def log_of(self, run_id: str) -> Path:
        """Where the log of a run is, which `plan.is_run_id` has accepted."""
        return self._logs / f"{run_id}.log"

    def run(self, run_id: str, plan: RunPlan) -> dict[str, Any]:
        """Run `plan` to its end and return the result (candor.md A.7). Raises AlreadyRunsError."""
        control = JobControl()
        with self._lock:
            if run_id in self._running:
                raise AlreadyRunsError(run_id)
            self._running[run_id] = control
            if self._stopping:
                control.interrupt()
        slot = self._slots.get()
        try:
            return self._run(run_id, plan, control, slot)
        finally:
            self._slots.put(slot)
            with self._lock:
                del self._running[run_id]

    def stop(self) -> None:
        """End all runs, and those that still come; each gets its result."""
        with self._lock:
            self._stopping = True
            controls = list(self._running.values())
        for control in controls:
            control.interrupt()

    def wait(self, seconds: float, pause: Callable[[float], object]) -> bool:
        """Wait until nothing runs; False when `seconds` were too few."""
        for _ in range(int(seconds / 0.1)):
            with self._lock:
                if not self._running:
                    return True
            pause(0.1)
        return False

    def _run(self, run_id: str, plan: RunPlan, control: JobControl, slot: int) -> dict[str, Any]:
        number = next(self._numbers)
        folder = JobFolder(Path(tempfile.mkdtemp(prefix=f"{number}-", dir=self._scratch)))
        trace = open_log(self.log_of(run_id), LOG_LIMIT)
        log.info("run begins", run=run_id, stages=len(plan.stages))
        try:
            run = self._job_run(self._job(number, run_id, plan), folder, trace, control, slot)
            steps = PlanSteps([stage.name for stage in plan.stages], trace)
            run.steps = steps
            control.on_kill = run.kill
            try:
                if not control.everything.is_set():
                    walk_phases(run)
                archived = self._archive(run, run_id, plan, steps)
            finally:
                clean_up(run)
            steps.close()
            broken = run.failure is not None or control.everything.is_set()
            result = steps.outcome(broken, archived)
            if run.failure is not None:
                log.info("run failed", run=run_id, reason=run.failure.reason, detail=run.failure.message)
            log.info("run ended", run=run_id, status=result["status"])
            return result
        finally:
            trace.close()
            shutil.rmtree(folder.path, ignore_errors=True)

    def _archive(self, run: JobRun, run_id: str, plan: RunPlan, steps: PlanSteps) -> list[str]:
        """Keep the files of a run whose stages have all passed; the run fails where that cannot be."""
        fine = run.failure is None and not run.control.everything.is_set() and steps.all_passed
        if self._archives is None or run.workspace is None or not fine:
            return []
        try:
            return self._archives.keep(run_id, plan.archive, run.workspace, run.control.everything)
        except ArchiveError as error:
            run.fail(Failure("runner_system_failure", str(error), system=True))
        return []

    def _job_run(self, job: Job, folder: JobFolder, trace: PlanLog, control: JobControl, slot: int) -> JobRun:
        return JobRun(
            host=self._host,
            job=job,
            slot=slot,
            client=cast(JobClient, _NoServer()),
            folder=folder,
            trace=trace,
            control=control,
            give_up=threading.Event(),
        )

    def _job(self, number: int, run_id: str, plan: RunPlan) -> Job:
        return Job(
            id=number,
            token="",
            name=run_id,
            stage="plan",
            project_path=f"runs/{run_id}",
            timeout=FOREVER,
            variables=(Variable("GIT_STRATEGY", "empty", public=True),),
            steps=tuple(self._step(stage) for stage in plan.stages),
            workspace=WORKSPACE,
        )

    def _step(self, stage: PlanStage) -> Step:
        return Step(
            name=stage.name,
            script=stage.script,
            timeout=self._stage_timeout,
            image=Image(stage.image.replace("$", "$$"), entrypoint=()),
            errexit=False,
            pipefail=False,
            verbatim=True,
            runtime=stage.runtime,
            environment=tuple(Variable(key, value, raw=True) for key, value in stage.environment),
        )
