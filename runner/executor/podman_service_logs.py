"""What services print: kept for the moment when one does not start, and shown as it comes where a job debugs them."""

import threading
from collections import deque

from runner.executor.base import Output
from runner.executor.podman_api import AttachedStream

#: So much of a service's last output is kept, and so long may a line be before it is shown in parts; in bytes.
KEPT = 16 * 1024
LONGEST_LINE = 8 * 1024
LOOK_SECONDS = 0.25


class ServiceLog:
    """One service's output, read in a thread of its own from before its start until `close`.

    `live` gets whole lines that name the service, never after `close` has returned.
    """

    def __init__(self, name: str, stream: AttachedStream, live: Output | None = None) -> None:
        self._prefix = f"[service:{name}] ".encode("utf-8", "replace")
        self._stream = stream
        self._live = live
        self._lock = threading.Lock()
        self._closed = False
        self._pieces: deque[bytes] = deque()
        self._size = 0
        self._line = b""
        self._thread = threading.Thread(target=self._read, name=f"service-log-{name}"[:60], daemon=True)
        self._thread.start()

    def tail(self) -> str:
        """The last that the service printed."""
        with self._lock:
            return b"".join(self._pieces)[-KEPT:].decode("utf-8", "replace").rstrip()

    def settle(self, timeout: float) -> None:
        """Wait for the end of the output, where the service has ended."""
        self._thread.join(timeout)

    def close(self) -> None:
        """Show nothing any more, and end the reading soon."""
        with self._lock:
            self._closed = True

    def _read(self) -> None:
        try:
            while not self._closed and (data := self._stream.read(LOOK_SECONDS)) is not None:
                if data:
                    self._take(data)
            self._take(b"\n" if self._line else b"")
        finally:
            self._stream.close()

    def _take(self, data: bytes) -> None:
        with self._lock:
            self._pieces.append(data)
            self._size += len(data)
            while self._size - len(self._pieces[0]) > KEPT:
                self._size -= len(self._pieces.popleft())
            if self._live is None or self._closed:
                return
            *lines, self._line = (self._line + data).split(b"\n")
            if len(self._line) > LONGEST_LINE:
                lines, self._line = [*lines, self._line], b""
            if lines:
                self._live(b"".join(self._prefix + line + b"\n" for line in lines))
