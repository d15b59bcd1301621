"""One job, from its wire form to its result (gitlab.md A.7).

`PHASES` is the whole story, in order. What a phase does is a function in `job_prepare`, `job_steps` or `job_files`
that gets the `JobRun`; which phases run is decided here, by what has gone wrong so far:

- preparing phases run while nothing is wrong;
- the steps run when all preparation went well, after_script when the steps were reached;
- caches and artifacts are collected when there was an environment, by success or by failure;
- then the environment is removed while the rest of the log and the result go to the server.
"""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field, replace

import structlog

from runner import job_files, job_prepare, job_steps
from runner.config import RunnerConfig
from runner.control import ABORTED, CANCELED, INTERRUPTED, TIMED_OUT, JobControl
from runner.executor.base import Build, Environment, Executor, ExecutorError
from runner.failure import Failure, reason_for
from runner.job_variables import Places
from runner.protocol.info import program_version
from runner.protocol.job_client import JobClient
from runner.protocol.wire import Job
from runner.sender import Result, Sender
from runner.state import JobFolder, JobRecord
from runner.steps import StepReport
from runner.trace import Trace
from runner.variables import Variables
from runner.workspace.base import Workspace, WorkspaceError, Workspaces

log = structlog.get_logger("runner.job")

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
    groups: list[job_steps.Group] = field(default_factory=list)

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


@dataclass(frozen=True, slots=True)
class Phase:
    """One part of a job. `section` "" leaves markers and heading to the action. `attempts` names a variable."""

    section: str
    heading: str
    action: Callable[[JobRun], None]
    due: Callable[[JobRun], bool]
    wanted: Callable[[JobRun], bool] = lambda run: True
    attempts: str = ""


def _preparing(run: JobRun) -> bool:
    return run.failure is None and not run.control.script.is_set()


def _script_was_reached(run: JobRun) -> bool:
    return run.script_reached and not run.control.everything.is_set()


def _has_environment(run: JobRun) -> bool:
    return run.environment is not None and not run.control.everything.is_set()


def _on_success(run: JobRun) -> bool:
    return _has_environment(run) and run.verdict == "success"


def _on_failure(run: JobRun) -> bool:
    return _has_environment(run) and run.verdict != "success"


PHASES = (
    Phase("prepare_executor", 'Preparing the "{executor}" executor', job_prepare.prepare_executor, _preparing),
    Phase("prepare_script", "Preparing environment", job_prepare.prepare_environment, _preparing),
    Phase(
        "get_sources",
        "Getting source from Git repository",
        job_prepare.get_sources,
        _preparing,
        attempts="GET_SOURCES_ATTEMPTS",
    ),
    Phase(
        "restore_cache",
        "Restoring cache",
        job_files.restore_caches,
        _preparing,
        wanted=job_files.has_cache_to_restore,
        attempts="RESTORE_CACHE_ATTEMPTS",
    ),
    Phase(
        "download_artifacts",
        "Downloading artifacts",
        job_files.download_artifacts,
        _preparing,
        wanted=lambda run: bool(run.job.dependencies),
        attempts="ARTIFACT_DOWNLOAD_ATTEMPTS",
    ),
    Phase("", "", job_steps.run_steps, _preparing),
    Phase(
        "after_script",
        "Running after_script",
        job_steps.run_after_script,
        _script_was_reached,
        wanted=job_steps.has_after_script,
    ),
    Phase("", "", job_prepare.stop_environment, _has_environment),
    Phase(
        "archive_cache", "Saving cache for successful job", job_files.save_caches, _on_success, job_files.saves_cache
    ),
    Phase(
        "archive_cache_on_failure",
        "Saving cache for failed job",
        job_files.save_caches,
        _on_failure,
        job_files.saves_cache,
    ),
    Phase(
        "upload_artifacts_on_success",
        "Uploading artifacts for successful job",
        job_files.upload_artifacts,
        _on_success,
        job_files.uploads_artifacts,
    ),
    Phase(
        "upload_artifacts_on_failure",
        "Uploading artifacts for failed job",
        job_files.upload_artifacts,
        _on_failure,
        job_files.uploads_artifacts,
    ),
    Phase(
        "cleanup_file_variables",
        "Cleaning up project directory and file based variables",
        lambda run: None,
        _has_environment,
    ),
)


def run_job(run: JobRun) -> Result | None:
    """Walk the phases and bring the result to the server. None when the server gave the job up, or could not
    be told.
    """
    sender = Sender(
        run.client,
        run.trace,
        on_cancel=run.control.cancel,
        on_abort=run.control.abort,
        steps=run.steps.as_json if run.job.features.skerry_steps else None,
    )
    run.steps.on_change = sender.report_steps
    run.control.on_kill = run.kill
    timer = threading.Timer(run.job.timeout, run.control.time_out)
    timer.daemon = True
    timer.start()
    sender.start()
    try:
        _introduce(run)
        _walk(run)
    finally:
        timer.cancel()
    run.steps.close()
    result = _conclude(run)
    return _deliver(run, sender, result)


def _introduce(run: JobRun) -> None:
    runner = run.host.runner
    run.say(f"Running with skerry-runner {program_version()}")
    run.say(f"  on {runner.name} {runner.short_token}, system ID: {run.host.system_id}")


def _walk(run: JobRun) -> None:
    for phase in PHASES:
        if phase.due(run) and phase.wanted(run):
            _phase(run, phase)


def _phase(run: JobRun, phase: Phase) -> None:
    tries = min(max(1, run.variables.number(phase.attempts, 1, 10)), 10) if phase.attempts else 1
    heading = phase.heading.format(executor=run.host.executor.name)
    with run.section(phase.section, heading) if phase.section else nullcontext():
        for attempt in range(tries):
            failure = _attempt(run, phase)
            if failure is None or run.control.script.is_set() or attempt + 1 == tries:
                break
            run.warn(f"{failure.message} (attempt {attempt + 1} of {tries})")
        if failure is not None:
            run.fail(failure)


def _attempt(run: JobRun, phase: Phase) -> Failure | None:
    """Do a phase's work. What it raises is the environment's fault, and an unexpected error is the runner's own."""
    try:
        phase.action(run)
    except (ExecutorError, WorkspaceError) as error:
        return Failure(error.failure_reason, str(error), system=True)
    except Exception as error:
        log.exception("phase failed unexpectedly", job=run.job.id, phase=phase.section or phase.action.__name__)
        return Failure("runner_system_failure", f"{type(error).__name__} in the runner", system=True)
    return None


def _conclude(run: JobRun) -> Result:
    """The verdict: what the control says goes before what the phases found; then the log's last line."""
    if run.trace.problem:
        run.fail(Failure("runner_system_failure", run.trace.problem, system=True))
    failure = {
        CANCELED: Failure("job_canceled", "canceled"),
        ABORTED: Failure("job_canceled", "canceled"),
        INTERRUPTED: Failure("runner_interrupted", "the runner was stopped", system=True),
        TIMED_OUT: Failure("job_execution_timeout", f"execution took longer than {run.job.timeout} seconds"),
    }.get(run.control.reason, run.failure)
    if failure is None:
        run.say(f"{GREEN}Job succeeded{RESET}")
        return Result("success")
    kind = " (system failure)" if failure.system else ""
    run.say(f"{RED}ERROR: Job failed{kind}: {failure.message}{RESET}")
    reason = reason_for(failure.reason, run.job.features.failure_reasons)
    return Result("failed", reason, failure.exit_code)


def _deliver(run: JobRun, sender: Sender, result: Result) -> Result | None:
    """Tell the server while the environment goes away; the folder goes when both are done."""
    cleaner = threading.Thread(target=_clean_up, args=(run,), name=f"clean-{run.job.id}")
    cleaner.start()
    delivered = aborted = run.control.reason == ABORTED
    if aborted:
        sender.stop()
    else:
        try:
            run.folder.write(replace(record_of(run), result=result))
        except OSError as error:
            # The server is told all the same; only a crash before that would now report another reason.
            log.error("result could not be kept", job=run.job.id, error=error.strerror)
        deadline = time.monotonic() + run.host.final_update_timeout
        delivered = sender.deliver(result, deadline, run.give_up)
    run.on_delivered()
    cleaner.join()
    run.trace.close()
    if delivered:
        run.folder.remove()
    log.info(
        "job ended",
        job=run.job.id,
        state="aborted" if aborted or sender.aborted else result.state,
        reason=result.failure_reason,
        exit_code=result.exit_code,
        delivered=delivered,
        seconds=round(time.monotonic() - run.started, 3),
    )
    return result if delivered and not sender.aborted and not aborted else None


def record_of(run: JobRun) -> JobRecord:
    """What has to survive a crash of the daemon."""
    return JobRecord(
        job_id=run.job.id,
        token=run.job.token,
        url=run.host.runner.url,
        runner=run.host.runner.short_token,
        reasons=run.job.features.failure_reasons,
    )


def _clean_up(run: JobRun) -> None:
    try:
        if run.environment is not None:
            run.environment.close()
    except Exception:
        log.exception("environment could not be removed", job=run.job.id)
    try:
        if run.workspace is not None:
            run.workspace.remove()
    except Exception:
        log.exception("workspace could not be removed", job=run.job.id)
