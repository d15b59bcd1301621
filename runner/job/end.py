"""The end of a job: the verdict, the way of log and result to the server, and the cleaning up beside it."""

import threading
import time
from dataclasses import replace

import structlog

from runner.control import ABORTED, CANCELED, INTERRUPTED, TIMED_OUT
from runner.failure import Failure, reason_for
from runner.job.run import GREEN, RED, RESET, JobRun
from runner.sender import Result, Sender
from runner.state import JobRecord

log = structlog.get_logger("runner.job")


def conclude(run: JobRun) -> Result:
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


def deliver(run: JobRun, sender: Sender, result: Result) -> Result | None:
    """Tell the server while the environment goes away; the folder goes when both are done."""
    cleaner = threading.Thread(target=clean_up, args=(run,), name=f"clean-{run.job.id}")
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


def clean_up(run: JobRun) -> None:
    """Remove the job's environment and workspace. Never raises."""
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
