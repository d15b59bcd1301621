"""`skerry-runner run`: pollers, jobs, signals, and what an earlier run left behind.

The first SIGTERM, SIGQUIT or SIGINT: no new job is taken, one that is already on its way is handed back, running jobs
get `shutdown_timeout` to finish. When that is over, or at the second signal: they are killed and reported as
interrupted. What could not be delivered stays in its folder and is delivered by the next run.
"""

import fcntl
import os
import secrets
import signal
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

import structlog

from runner import identity
from runner.config import Config, RunnerConfig
from runner.control import JobControl
from runner.executor.base import Executor
from runner.job.end import record_of
from runner.job.phases import run_job
from runner.job.run import Host, JobRun
from runner.job.sources import split_credentials
from runner.masking import TOKEN_PREFIXES, Masker, secrets_of
from runner.places import make_executor, make_workspaces
from runner.poller import Poller
from runner.protocol.client import RunnerClient
from runner.protocol.info import program_version, runner_info
from runner.protocol.job_client import JobClient
from runner.protocol.outcomes import VerifyState
from runner.protocol.transport import Transport
from runner.protocol.wire import Job
from runner.recovery import report_lost
from runner.slots import Slots
from runner.state import JobFolders
from runner.trace import Trace

log = structlog.get_logger("runner.daemon")

_LAST_WORDS = 5.0  # after a kill, the time to tell the server


class AlreadyRunningError(Exception):
    """Another daemon uses the same data folder."""


@dataclass(slots=True)
class _Running:
    control: JobControl
    thread: threading.Thread


@dataclass(frozen=True, slots=True)
class _Served:
    """One `[[runners]]` table at work."""

    host: Host
    transport: Transport
    info: dict[str, object]
    extensions: frozenset[str]


class Daemon:
    """All runners of one configuration. `hosts` makes a runner's executor and workspaces; tests bring their own."""

    def __init__(self, config: Config, hosts: Callable[[Config, RunnerConfig, str, str], Host] | None = None) -> None:
        self._config = config
        self._hosts = hosts or make_host
        self._slots = Slots(config.concurrent)
        self._stop = threading.Event()
        self._hurry = threading.Event()
        self._give_up = threading.Event()
        self._jobs: dict[int, _Running] = {}
        self._recoveries: list[threading.Thread] = []
        self._lock = threading.Lock()
        self._count = 0

    def run(self) -> None:
        """Serve until a signal. Raises OSError, ExecutorError, AlreadyRunningError when it cannot begin."""
        self._config.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = lock_folder(self._config.data_dir)
        try:
            for number in (signal.SIGTERM, signal.SIGQUIT, signal.SIGINT):
                signal.signal(number, self._on_signal)
            # A terminal that closes is no reason to stop, and a wish for new settings needs a restart.
            signal.signal(signal.SIGHUP, signal.SIG_IGN)
            self._serve()
        finally:
            os.close(lock)

    def stop(self) -> None:
        """What the first signal does; the second time, what the second does."""
        (self._hurry if self._stop.is_set() else self._stop).set()

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        self.stop()

    def _serve(self) -> None:
        system_id = identity.system_id(self._config.data_dir)
        boot = secrets.token_hex(8)
        self._folders = JobFolders(self._config.data_dir / "jobs")
        self._recover()
        served = [self._begin(runner, system_id, boot) for runner in self._config.runners]
        for one in served:
            one.host.workspaces.remove_orphans()
        pollers = [poller for one in served for poller in self._pollers(one)]
        if self._config.concurrent < len(served):
            # Each question takes a permit while the server holds it, so one runner can keep another from asking.
            log.warning("`concurrent` is less than the number of [[runners]]: they will wait for each other")
        log.info("runner started", version=program_version(), system_id=system_id, concurrent=self._config.concurrent)
        try:
            for poller in pollers:
                poller.start()
            self._wait(self._stop)
        finally:
            self._shut_down(pollers)
            for one in served:
                one.host.workspaces.close()
                one.host.executor.close()
                one.transport.close()

    def _begin(self, runner: RunnerConfig, system_id: str, boot: str) -> _Served:
        host = self._hosts(self._config, runner, system_id, boot)
        orphans = host.executor.remove_orphans(system_id, boot)
        if orphans:
            log.warning("containers of an earlier run removed", runner=runner.name, jobs=orphans)
        info = dict(runner_info(host.executor.name, host.executor.features()))
        transport = Transport(runner.url, runner.tls_ca_file)
        client = RunnerClient(transport, runner.token, system_id, info)
        verification = client.verify()
        level = log.info if verification.state is VerifyState.VALID else log.error
        level("runner verified", runner=runner.name, state=verification.state.value, detail=verification.detail)
        return _Served(host, transport, info, client.extensions)

    def _pollers(self, served: _Served) -> list[Poller]:
        runner = served.host.runner
        return [
            Poller(
                runner=runner,
                client=self._poll_client(served),
                slots=self._slots,
                check_interval=self._config.check_interval,
                accept=lambda job: self._accept(served, job),
                refuse=lambda job_id, token, hand_back, reason: self._refuse(served, job_id, token, hand_back, reason),
            )
            for _ in range(runner.request_concurrency)
        ]

    def _poll_client(self, served: _Served) -> RunnerClient:
        """A client with connections of its own, so that half closing them disturbs no job."""
        runner = served.host.runner
        transport = Transport(runner.url, runner.tls_ca_file)
        return RunnerClient(transport, runner.token, served.host.system_id, served.info, served.extensions)

    def _accept(self, served: _Served, job: Job) -> None:
        """Start a job's thread. The permit is the job's from here on, whatever happens."""
        runner = served.host.runner
        log.info("job received", job=job.id, runner=runner.name, project=job.project_id)
        with self._lock:
            self._count += 1
            key = self._count
            control = JobControl()
            thread = threading.Thread(target=self._run_job, args=(key, served, job, control), name=f"job-{job.id}")
            self._jobs[key] = _Running(control, thread)
        thread.start()

    def _run_job(self, key: int, served: _Served, job: Job, control: JobControl) -> None:
        runner = served.host.runner
        slot = self._slots.take_number()
        given = threading.Event()

        def give_permit() -> None:
            if not given.is_set():
                given.set()
                self._slots.give(f"{runner.url} {runner.short_token}")

        try:
            run_job(self._job_run(served, job, control, slot, give_permit))
        except Exception:
            log.exception("job failed unexpectedly", job=job.id)
            self._refuse(served, job.id, job.token, False, "an error in the runner")
        finally:
            give_permit()
            self._slots.give_number(slot)
            with self._lock:
                self._jobs.pop(key)

    def _job_run(
        self, served: _Served, job: Job, control: JobControl, slot: int, on_delivered: Callable[[], None]
    ) -> JobRun:
        folder = self._folders.create(served.host.runner.short_token, job.id)
        hidden = [job.token, *(one.value for one in job.variables if one.masked)]
        hidden += [one.password for one in job.credentials]
        hidden.append(split_credentials(job.git.repo_url, job.token)[2])
        masker = Masker(secrets_of(hidden), (*TOKEN_PREFIXES, *job.features.token_mask_prefixes))
        run = JobRun(
            host=served.host,
            job=job,
            slot=slot,
            client=JobClient(served.transport, job.id, job.token, served.info),
            folder=folder,
            trace=Trace(folder.trace, masker, served.host.runner.output_limit * 1024),
            control=control,
            give_up=self._give_up,
            on_delivered=on_delivered,
        )
        folder.write(record_of(run))
        return run

    def _refuse(self, served: _Served, job_id: int, token: str, hand_back: bool, reason: str) -> None:
        """Give a job back unrun, or fail it so that the server may try it again."""
        client = JobClient(served.transport, job_id, token, served.info)
        if hand_back:
            answer = client.update("pending")
        else:
            answer = client.update("failed", failure_reason="runner_system_failure")
        log.warning("job not run", job=job_id, reason=reason, handed_back=hand_back, answer=answer.outcome.value)

    def _recover(self) -> None:
        """Bring to an end what an earlier run had begun, each job in a thread of its own."""
        for folder, record in self._folders.left_over():
            thread = threading.Thread(
                target=report_lost, args=(self._config, folder, record, self._give_up), name="recover"
            )
            self._recoveries.append(thread)
            thread.start()

    def _shut_down(self, pollers: list[Poller]) -> None:
        self._stop.set()
        deadline = time.monotonic() + self._config.shutdown_timeout
        for poller in pollers:
            poller.stop()
        self._slots.wake()
        log.info("runner stopping", running=len(self._jobs))
        # Jobs and the last answers are waited for together: neither takes time from the other.
        waiter = threading.Thread(target=lambda: [p.join(self._hurry) for p in pollers], name="last-answers")
        waiter.start()
        self._wait_for_jobs(deadline)
        if self._running():
            self._interrupt()
            self._wait_for_jobs(time.monotonic() + _LAST_WORDS, heed_hurry=False)
        waiter.join()
        self._give_up.set()
        self._wait_for_jobs(time.monotonic() + _LAST_WORDS, heed_hurry=False)
        log.info("runner stopped", running=len(self._running()))

    def _interrupt(self) -> None:
        with self._lock:
            running = list(self._jobs.values())
        for one in running:
            one.control.interrupt()

    def _running(self) -> list[threading.Thread]:
        with self._lock:
            threads = [one.thread for one in self._jobs.values()]
        return [thread for thread in (*threads, *self._recoveries) if thread.is_alive()]

    def _wait_for_jobs(self, deadline: float, heed_hurry: bool = True) -> None:
        while self._running() and time.monotonic() < deadline and not (heed_hurry and self._hurry.is_set()):
            self._running_join()

    def _running_join(self) -> None:
        for thread in self._running()[:1]:
            thread.join(0.05)

    @staticmethod
    def _wait(event: threading.Event) -> None:
        # In short turns, so that signals are seen by every version of Python on every platform.
        while not event.wait(1.0):
            pass


def make_host(config: Config, runner: RunnerConfig, system_id: str, boot: str) -> Host:
    """The executor and workspaces that the configuration names."""
    executor: Executor = make_executor(config, runner)
    if executor.name == "fake":
        log.warning("the fake executor isolates nothing: jobs can do all that this user can", runner=runner.name)
    workspaces = make_workspaces(config, runner, executor)
    return Host(runner, executor, workspaces, system_id, boot, config.final_update_timeout)


def lock_folder(folder: Path) -> int:
    """Have `folder` for this process alone, until the descriptor is closed. Raises AlreadyRunningError, OSError."""
    descriptor = os.open(folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        raise AlreadyRunningError(f"another runner works in {folder}") from None
    return descriptor
