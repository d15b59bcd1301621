"""Asks one server for jobs, as often as it should, and not after the daemon was told to stop."""

import threading
import time
from collections.abc import Callable

import structlog

from runner.config import RunnerConfig
from runner.protocol.client import Poll, RunnerClient
from runner.protocol.outcomes import PollState
from runner.protocol.wire import Job, WireError
from runner.slots import Slots

log = structlog.get_logger("runner.poller")

# How long a stopping poller waits for the answer to its last question. A server that takes jobs back (it says so in
# `X-Skerry-Features`) gives none to a half closed connection, and takes back what nobody was heard of: there only an
# answer on its way is waited for. From any other server a job could come as long as it parks the question.
HAND_BACK = "skerry_hand_back"
LAST_ANSWER = 60.0
LAST_ANSWER_HALF_CLOSED = 2.0


class Poller:
    """One thread, one question at a time. `accept` gets a job together with its permit, `refuse` one that may not run.

    `refuse(job_id, token, hand_back, reason)`: `hand_back` says whether the server takes jobs back unrun.
    """

    def __init__(
        self,
        runner: RunnerConfig,
        client: RunnerClient,
        slots: Slots,
        check_interval: float,
        accept: Callable[[Job], None],
        refuse: Callable[[int, str, bool, str], None],
    ) -> None:
        self._runner = runner
        self._client = client
        self._slots = slots
        self._check_interval = check_interval
        self._accept = accept
        self._refuse = refuse
        self._stop = threading.Event()
        self._unhealthy = 0
        self._thread = threading.Thread(target=self._run, name=f"poll-{runner.name}", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Ask for no more jobs. Returns at once; `join` waits."""
        self._stop.set()
        if HAND_BACK in self._client.extensions:
            self._client.half_close()

    def join(self, hurry: threading.Event) -> bool:
        """Wait until no job can come any more, or `hurry` is set. True when the thread has ended."""
        patience = LAST_ANSWER_HALF_CLOSED if HAND_BACK in self._client.extensions else LAST_ANSWER
        deadline = time.monotonic() + patience
        while self._thread.is_alive() and time.monotonic() < deadline and not hurry.is_set():
            self._thread.join(0.05)
        return not self._thread.is_alive()

    def _run(self) -> None:
        while self._slots.take(self._key, self._runner.limit, self._stop):
            started = time.monotonic()
            try:
                poll = self._ask()
                taken = self._handle(poll)
            except Exception:
                log.exception("poll failed unexpectedly", runner=self._runner.name)
                poll, taken = Poll(PollState.ERROR), False
            if not taken:
                self._slots.give(self._key)
            self._stop.wait(self._pause(poll, time.monotonic() - started))
        self._client.close()

    def _ask(self) -> Poll:
        return Poll(PollState.NONE) if self._stop.is_set() else self._client.request_job(self._stop)

    @property
    def _key(self) -> str:
        return f"{self._runner.url} {self._runner.short_token}"

    def _handle(self, poll: Poll) -> bool:
        """True when the job has taken the permit over."""
        if poll.broken is not None:
            self._refuse_broken(poll.broken)
        if poll.job is None:
            return False
        if self._stop.is_set():
            job = poll.job
            self._refuse(job.id, job.token, job.features.skerry_hand_back, "the runner is stopping")
            return False
        self._accept(poll.job)
        return True

    def _refuse_broken(self, error: WireError) -> None:
        if error.job_id is not None:
            self._refuse(error.job_id, error.token, False, str(error))

    def _pause(self, poll: Poll, elapsed: float) -> float:
        """Seconds until the next question. A server that parks questions has done the waiting itself."""
        if poll.state is PollState.UNHEALTHY:
            self._unhealthy += 1
            if self._unhealthy >= self._runner.unhealthy_requests_limit:
                self._unhealthy = 0
                log.error(
                    "runner is not welcome, resting", runner=self._runner.name, seconds=self._runner.unhealthy_interval
                )
                return self._runner.unhealthy_interval
        else:
            self._unhealthy = 0
        if poll.state is PollState.JOB:
            return 0.0
        if poll.detail and not self._stop.is_set():
            log.warning("no job", runner=self._runner.name, detail=poll.detail)
        return max(0.0, self._check_interval - elapsed)
