"""How far each step of a job is, as told to a server that asked for it (feature `skerry_steps`).

A report is a list with one object for each entry of the job's `steps`, in their order:
`{"position", "status", "exit_code", "started_at", "finished_at", "trace_start", "trace_end"}`. `status` is created,
running, success, failed, skipped or canceled; times are ISO 8601 in UTC; `trace_start` and `trace_end` are byte
offsets in the log, from the first byte behind the step's heading to the last that it printed; unknown values are null.
"""

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

ENDED = frozenset(("success", "failed", "skipped", "canceled"))


@dataclass(slots=True)
class _Step:
    status: str = "created"
    exit_code: int | None = None
    started_at: str | None = None
    finished_at: str | None = None
    trace_start: int | None = None
    trace_end: int | None = None
    reason: str = ""


class StepReport:
    """The state of a job's steps. Thread-safe; `on_change` is called after every move."""

    def __init__(self, count: int, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._steps = [_Step() for _ in range(count)]
        self._now = now
        self._lock = threading.Lock()
        self.on_change: Callable[[], None] = lambda: None

    def start(self, position: int, offset: int) -> None:
        with self._lock:
            step = self._steps[position]
            step.status, step.started_at, step.trace_start = "running", self._time(), offset
        self.on_change()

    def end(self, position: int, status: str, offset: int, exit_code: int | None = None, reason: str = "") -> None:
        """`reason`: why it failed, in the protocol's words (gitlab.md A.4); it is not part of the report."""
        with self._lock:
            step = self._steps[position]
            step.status, step.finished_at, step.trace_end, step.exit_code = status, self._time(), offset, exit_code
            step.reason = reason
        self.on_change()

    def close(self) -> None:
        """The job is over: what never ran was skipped."""
        with self._lock:
            for step in self._steps:
                if step.status not in ENDED:
                    step.status = "skipped" if step.started_at is None else "canceled"

    def as_json(self) -> Sequence[dict[str, Any]]:
        with self._lock:
            return [
                {
                    "position": position,
                    "status": step.status,
                    "exit_code": step.exit_code,
                    "started_at": step.started_at,
                    "finished_at": step.finished_at,
                    "trace_start": step.trace_start,
                    "trace_end": step.trace_end,
                }
                for position, step in enumerate(self._steps)
            ]

    def _time(self) -> str:
        return self._now().isoformat(timespec="milliseconds").replace("+00:00", "Z")
