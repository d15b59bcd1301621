"""Brings a job's log and states to the server, and the server's wish to cancel to the job.

While the job runs, a thread sends what is new: the first bytes at once, then at a pace that the server's own speed
sets, or at the interval that it asks for where that is a slow one. A silent job is touched so that its lease lives on.
Each request costs a server more than what is in it, so steps that move in quick succession are told together, and not
at all when the result, which tells of them too, comes at once.
When the job is over, `deliver` sends the rest and the result, for as long as it takes or `deadline` allows.
"""

import random
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import structlog

from runner.protocol.job_client import JobClient
from runner.protocol.outcomes import JobAnswer, Outcome
from runner.trace import Trace

log = structlog.get_logger("runner.sender")

# A server takes a megabyte of log in less time than a quarter of four, which leave its processor's cache on the way.
CHUNK = 1024 * 1024
GATHER = 0.02  # the first byte waits so long for company
PACE = 0.1  # least time between two pieces of log
SLOW = 3.0  # a server that asks for more than this gets what it asks for
# A silent job is touched so often. A server that wants its news often gets them from a silent job too, and our own,
# whose cancel should not wait for the next line, every two seconds.
TOUCH, TOUCH_OURS = 30.0, 2.0
GATHER_STEPS = 0.1  # a step that moved waits so long for company
_RESENDS = 5
_REFUSALS = 10


@dataclass(frozen=True, slots=True)
class Result:
    """How a job ended, in the protocol's words. `state`: success or failed."""

    state: str
    failure_reason: str = ""
    exit_code: int = 0


class Sender:
    """One job's line to its server. `on_cancel` and `on_abort` are called once each, from the sender's thread."""

    def __init__(
        self,
        client: JobClient,
        trace: Trace,
        on_cancel: Callable[[], None] = lambda: None,
        on_abort: Callable[[], None] = lambda: None,
        steps: Callable[[], Sequence[Mapping[str, Any]]] | None = None,
    ) -> None:
        self._client = client
        self._trace = trace
        self._on_cancel = on_cancel
        self._on_abort = on_abort
        self._steps = steps
        self._touch_every = TOUCH if steps is None else TOUCH_OURS
        self._bell = threading.Condition()
        self._closing = False
        self._touch_at = float("inf")  # when the server is to be told something that is not in the log
        self._steps_moved = False
        self._pending_since: float | None = None
        self._sent = 0
        self._last = time.monotonic()  # when the server last heard of us
        self._log_sent = float("-inf")  # when the last piece of log left
        self._free_at = 0.0  # before this nothing is sent
        self._interval: float | None = None
        self._failures = 0
        self._cancelled = False
        self.aborted = False
        self._thread = threading.Thread(target=self._run, name="trace", daemon=True)

    def start(self) -> None:
        # The first thing a server hears is that its job has begun. To ours, the first piece of log says that as well.
        self._touch_at = time.monotonic() + (0.0 if self._steps is None else PACE)
        self._trace.on_growth = self._grown
        self._thread.start()
        self._grown()

    def report_steps(self) -> None:
        """The steps moved: tell the server soon."""
        if self._steps is not None:
            with self._bell:
                self._steps_moved = True
                self._touch_at = min(self._touch_at, time.monotonic() + GATHER_STEPS)
                self._bell.notify()

    def deliver(self, result: Result, deadline: float, give_up: threading.Event) -> bool:
        """Send the rest of the log, then the result. True once the server has it or does not want it any more.

        `deadline` is on the monotonic clock. False when it passed, or `give_up` was set, before that.
        """
        self.stop()
        resends = refusals = 0
        while not self.aborted and not give_up.is_set():
            if not self._drain(deadline, give_up):
                return self.aborted
            answer = self._put_result(result)
            resends += answer.outcome is Outcome.RESEND
            refusals += answer.outcome is Outcome.REFUSED
            if answer.outcome in (Outcome.OK, Outcome.ABORT) or resends > _RESENDS or refusals > _REFUSALS:
                return True
            if answer.outcome is Outcome.RESEND:
                self._sent = 0
            elif not _wait(self._next_try(answer), deadline, give_up):
                return False
        return self.aborted

    def stop(self) -> None:
        """End the thread; what it has not sent stays for `deliver`."""
        with self._bell:
            self._closing = True
            self._bell.notify()
        if self._thread.is_alive() and self._thread is not threading.current_thread():
            self._thread.join()

    def _grown(self) -> None:
        if self._pending_since is None or self._trace.size - self._sent >= CHUNK:
            with self._bell:
                if self._pending_since is None and self._trace.size > self._sent:
                    self._pending_since = time.monotonic()
                self._bell.notify()

    def _run(self) -> None:
        while self._wait_until_due():
            try:
                self._send()
            except Exception:
                # Whatever this was, the next try may work; without this thread nobody could cancel the job.
                log.exception("log could not be sent")
                self._free_at = time.monotonic() + self._backoff()
            if self.aborted:
                self._on_abort()
                return

    def _send(self) -> None:
        if self._touch_at <= time.monotonic() or time.monotonic() < self._log_due():
            self._touch()
        else:
            self._patch()

    def _wait_until_due(self) -> bool:
        with self._bell:
            while not self._closing:
                now = time.monotonic()
                due = min(self._log_due(), self._touch_due())
                if due <= now:
                    return True
                self._bell.wait(due - now)
        return False

    def _log_due(self) -> float:
        pending = self._trace.size - self._sent
        if pending <= 0:
            return float("inf")
        slow = self._interval if self._interval is not None and self._interval > SLOW else 0.0
        if pending >= CHUNK and not slow and not self._failures:
            return 0.0
        since = self._pending_since or 0.0
        return max(self._free_at, self._log_sent + slow, since + GATHER)

    def _touch_due(self) -> float:
        often = self._interval is not None and self._interval <= SLOW
        regular = self._last + (max(self._interval or 0.0, 1.0) if often else self._touch_every)
        return max(self._free_at if self._failures else 0.0, min(self._touch_at, regular))

    def _patch(self) -> Outcome:
        started = time.monotonic()
        # What arrives from here on is pending anew: its gathering time starts with it.
        self._pending_since = None
        self._log_sent = started
        data = self._trace.read(self._sent, CHUNK)
        answer = self._client.patch_trace(self._sent, data)
        if answer.outcome is Outcome.OK:
            whole = self._sent + len(data)
            self._sent = answer.size if answer.size is not None and answer.size <= self._trace.size else whole
            self._begun()
        elif answer.outcome is Outcome.RANGE_MISMATCH:
            self._sent = min(answer.size or 0, self._trace.size)
        elif answer.outcome is Outcome.RESEND:
            self._sent = 0
        self._heard(answer, started, paced=True)
        if self._trace.size > self._sent and self._pending_since is None:
            self._pending_since = started
        return answer.outcome

    def _touch(self) -> None:
        started = time.monotonic()
        with self._bell:
            self._touch_at, self._steps_moved = float("inf"), False
        answer = self._client.update("running", **self._step_option())
        self._heard(answer, started)
        if answer.outcome is Outcome.RETRY:
            with self._bell:
                self._touch_at, self._steps_moved = started, self._steps is not None

    def _begun(self) -> None:
        """The server knows by a piece of log that the job has begun: no touch has to say only that."""
        with self._bell:
            if not self._steps_moved:
                self._touch_at = float("inf")

    def _put_result(self, result: Result) -> JobAnswer:
        started = time.monotonic()
        answer = self._client.update(
            result.state,
            failure_reason=result.failure_reason,
            exit_code=result.exit_code,
            checksum=self._trace.checksum,
            size=self._trace.size,
            **self._step_option(),
        )
        self._heard(answer, started)
        return answer

    def _next_try(self, answer: JobAnswer) -> float:
        if answer.outcome is Outcome.PENDING:
            return answer.interval or 1.0
        return max(0.0, self._free_at - time.monotonic())

    def _step_option(self) -> dict[str, Any]:
        return {} if self._steps is None else {"steps": self._steps()}

    def _heard(self, answer: JobAnswer, started: float, paced: bool = False) -> None:
        now = time.monotonic()
        self._last = now
        if answer.outcome in (Outcome.OK, Outcome.PENDING):
            self._failures = 0
            self._free_at = started + max(PACE, 2 * (now - started)) if paced else self._free_at
        else:
            self._free_at = now + self._backoff()
        if answer.interval is not None:
            self._interval = answer.interval
        if answer.outcome is Outcome.ABORT:
            self.aborted = True
        elif answer.canceling and not self._cancelled:
            self._cancelled = True
            self._on_cancel()

    def _backoff(self) -> float:
        self._failures += 1
        return min(15.0, 0.1 * 2 ** min(self._failures, 10)) * random.uniform(0.7, 1.0)  # noqa: S311 - no secret

    def _drain(self, deadline: float, give_up: threading.Event) -> bool:
        """Send the log to its end. True when the result may follow."""
        refusals = 0
        while self._trace.size > self._sent:
            before = self._sent
            outcome = self._patch()
            if self.aborted:
                return False
            refusals += outcome in (Outcome.REFUSED, Outcome.NOT_FOUND)
            if refusals >= 3:
                return True
            moved = outcome is Outcome.OK or (outcome is Outcome.RANGE_MISMATCH and self._sent != before)
            if not _wait(0.0 if moved and self._failures < 3 else self._free_at - time.monotonic(), deadline, give_up):
                return False
        return True


def _wait(seconds: float, deadline: float, give_up: threading.Event) -> bool:
    """Wait; False when there is no time left for another try."""
    left = deadline - time.monotonic()
    if left <= seconds:
        return False
    return not (give_up.wait(seconds) if seconds > 0 else give_up.is_set())
