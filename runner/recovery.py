"""Brings to an end what an earlier run of the daemon had begun."""

import threading
import time
from dataclasses import replace

import structlog

from runner.config import Config, RunnerConfig
from runner.failure import reason_for
from runner.masking import Masker
from runner.protocol.info import runner_info
from runner.protocol.job_client import JobClient
from runner.protocol.transport import Transport
from runner.sender import Result, Sender
from runner.state import JobFolder, JobRecord
from runner.trace import Trace

log = structlog.get_logger("runner.recovery")

_LOST = "\n\x1b[31;1mERROR: Job failed (system failure): the runner was stopped while it ran\x1b[0;m\n"


def report_lost(config: Config, folder: JobFolder, record: JobRecord, give_up: threading.Event) -> None:
    """Send what is missing of a job's log, then its result: the one it had, or that its runner was lost.

    The folder goes once the server knows. `give_up` ends the attempts; the next run of the daemon goes on with them.
    """
    fallback = RunnerConfig(name="", url=record.url, token="")
    runner = next((one for one in config.runners if one.url == record.url), fallback)
    transport = Transport(record.url, runner.tls_ca_file)
    client = JobClient(transport, record.job_id, record.token, runner_info(runner.executor, {}))
    trace = Trace(folder.trace, Masker(), runner.output_limit * 1024)
    result = record.result
    if result is None:
        trace.say(_LOST)
        result = Result("failed", reason_for("runner_system_failure", record.reasons))
        folder.write(replace(record, result=result))
    delivered = Sender(client, trace).deliver(result, time.monotonic() + config.final_update_timeout, give_up)
    log.warning("job of an earlier run reported", job=record.job_id, state=result.state, delivered=delivered)
    trace.close()
    transport.close()
    if delivered:
        folder.remove()
