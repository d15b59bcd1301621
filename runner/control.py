"""Who wants a job to end, and how: one object that the server's answers, the clock and the signals all speak to."""

import threading
from collections.abc import Callable

CANCELED = "canceled"
TIMED_OUT = "timed out"
INTERRUPTED = "interrupted"
ABORTED = "aborted"


class JobControl:
    """`script` is set when the script should end, `everything` when nothing more may run. Thread-safe, moves only
    forward.

    `cancel` and `time_out` let after_script and the uploads run; `interrupt` (the runner is stopping) and `abort` (the
    server has given the job up) end all at once by calling `on_kill`.
    """

    def __init__(self) -> None:
        self.script = threading.Event()
        self.everything = threading.Event()
        self.reason = ""
        self.on_kill: Callable[[], None] = lambda: None
        self._lock = threading.Lock()

    def cancel(self) -> None:
        """The server asks for a graceful end."""
        self._end(CANCELED)

    def time_out(self) -> None:
        """The job has used up its time."""
        self._end(TIMED_OUT)

    def interrupt(self) -> None:
        """The runner is going away; the server is still to be told."""
        self._end(INTERRUPTED, kill=True)

    def abort(self) -> None:
        """The server does not know the job any more, or has ended it: nobody waits for a result."""
        self._end(ABORTED, kill=True)

    def _end(self, reason: str, kill: bool = False) -> None:
        with self._lock:
            if kill or not self.reason:
                self.reason = reason
            self.script.set()
            if kill:
                self.everything.set()
        if kill:
            self.on_kill()
