"""One job, from its wire form to its result (gitlab.md A.7).

`PHASES` is the whole story, in order. What a phase does is a function in `prepare`, `sources`, `steps`,
`caches` or `artifacts` that gets the `JobRun`; which phases run is decided here, by what has gone wrong so far:

- preparing phases run while nothing is wrong;
- the steps run when all preparation went well, after_script when the steps were reached;
- caches and artifacts are collected when there was an environment, by success or by failure;
- then the environment is removed while the rest of the log and the result go to the server.
"""

import threading
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass

import structlog

from runner.executor.base import ExecutorError
from runner.failure import Failure
from runner.job import artifacts, caches, prepare, sources, steps
from runner.job.end import conclude, deliver
from runner.job.run import JobRun
from runner.protocol.info import program_version
from runner.sender import Result, Sender
from runner.workspace.base import WorkspaceError

log = structlog.get_logger("runner.job")


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
    Phase("prepare_executor", 'Preparing the "{executor}" executor', prepare.prepare_executor, _preparing),
    Phase("prepare_script", "Preparing environment", prepare.prepare_environment, _preparing),
    Phase(
        "get_sources",
        "Getting source from Git repository",
        sources.get_sources,
        _preparing,
        attempts="GET_SOURCES_ATTEMPTS",
    ),
    Phase(
        "restore_cache",
        "Restoring cache",
        caches.restore_caches,
        _preparing,
        wanted=caches.has_cache_to_restore,
        attempts="RESTORE_CACHE_ATTEMPTS",
    ),
    Phase(
        "download_artifacts",
        "Downloading artifacts",
        artifacts.download_artifacts,
        _preparing,
        wanted=lambda run: bool(run.job.dependencies),
        attempts="ARTIFACT_DOWNLOAD_ATTEMPTS",
    ),
    Phase("", "", steps.run_steps, _preparing),
    Phase(
        "after_script",
        "Running after_script",
        steps.run_after_script,
        _script_was_reached,
        wanted=steps.has_after_script,
    ),
    Phase("", "", prepare.stop_environment, _has_environment),
    Phase("archive_cache", "Saving cache for successful job", caches.save_caches, _on_success, caches.saves_cache),
    Phase(
        "archive_cache_on_failure",
        "Saving cache for failed job",
        caches.save_caches,
        _on_failure,
        caches.saves_cache,
    ),
    Phase(
        "upload_artifacts_on_success",
        "Uploading artifacts for successful job",
        artifacts.upload_artifacts,
        _on_success,
        artifacts.uploads_artifacts,
    ),
    Phase(
        "upload_artifacts_on_failure",
        "Uploading artifacts for failed job",
        artifacts.upload_artifacts,
        _on_failure,
        artifacts.uploads_artifacts,
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
        walk_phases(run)
    finally:
        timer.cancel()
    run.steps.close()
    result = conclude(run)
    return deliver(run, sender, result)


def _introduce(run: JobRun) -> None:
    runner = run.host.runner
    run.say(f"Running with skerry-runner {program_version()}")
    run.say(f"  on {runner.name} {runner.short_token}, system ID: {run.host.system_id}")


def walk_phases(run: JobRun) -> None:
    """Do each phase that is due and wanted, in their order."""
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
