"""What the fake GitLab server knows of a job."""

import threading
import zlib
from collections import deque
from dataclasses import dataclass, field
from typing import Any


@dataclass
class ServedJob:
    """What the server knows of a job. `status` as GitLab has it; queues hold the statuses of the next answers."""

    id: int
    token: str
    status: str = "pending"
    trace: bytearray = field(default_factory=bytearray)
    updates: list[dict[str, Any]] = field(default_factory=list)
    patches: list[tuple[int, int, int]] = field(default_factory=list)  # start, length, status
    uploads: list[tuple[dict[str, str], str, bytes]] = field(default_factory=list)
    debug_trace: set[str] = field(default_factory=set)
    interval: str | None = "3"
    patch_faults: deque[int] = field(default_factory=deque)
    update_faults: deque[int] = field(default_factory=deque)
    upload_faults: deque[int] = field(default_factory=deque)
    pending_finals: int = 0
    claimed_as: str = "running"
    ended: threading.Event = field(default_factory=threading.Event)
    changed: threading.Condition = field(default_factory=threading.Condition)

    @property
    def final(self) -> dict[str, Any]:
        return self.updates[-1]

    def wait_for(self, what: Any, seconds: float = 15) -> None:
        """Wait until `what(job)` is true."""
        with self.changed:
            assert self.changed.wait_for(lambda: what(self), seconds), f"not within {seconds} s; {self}"

    def wait_for_text(self, text: bytes, seconds: float = 15) -> None:
        self.wait_for(lambda job: text in job.trace, seconds)


def checksum(data: bytes) -> str:
    return f"crc32:{zlib.crc32(data):08x}"
