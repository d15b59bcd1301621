"""How many jobs may run: `concurrent` in all, `limit` for each runner."""

import threading


class Slots:
    """Permits for jobs, and small numbers for their workspaces. Thread-safe.

    A permit is taken before a job is asked for and given back when its result is delivered; its number stays taken
    until the job's workspace is gone.
    """

    def __init__(self, concurrent: int) -> None:
        self._free = concurrent
        self._running: dict[str, int] = {}
        self._numbers: set[int] = set()
        self._change = threading.Condition()

    def take(self, runner: str, limit: int, stop: threading.Event) -> bool:
        """Wait for a permit. False when `stop` is set (and `wake` was called) before there is one."""
        with self._change:
            while not stop.is_set():
                if self._free > 0 and (not limit or self._running.get(runner, 0) < limit):
                    self._free -= 1
                    self._running[runner] = self._running.get(runner, 0) + 1
                    return True
                self._change.wait()
        return False

    def give(self, runner: str) -> None:
        with self._change:
            self._free += 1
            self._running[runner] -= 1
            self._change.notify_all()

    def wake(self) -> None:
        """Let waiting takers look at their `stop`."""
        with self._change:
            self._change.notify_all()

    def take_number(self) -> int:
        """The smallest number that no job has."""
        with self._change:
            number = next(n for n in range(len(self._numbers) + 1) if n not in self._numbers)
            self._numbers.add(number)
            return number

    def give_number(self, number: int) -> None:
        with self._change:
            self._numbers.discard(number)
