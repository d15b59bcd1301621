"""Work that several threads ask for at the same moment, done by one of them for all."""

from collections.abc import Callable, Sequence
from threading import Event, Lock
from typing import Generic, TypeVar


class Turn:
    """What one thread asks for. Whoever serves it leaves the answer here."""

    def __init__(self) -> None:
        self.bell = Event()
        self.done = False


T = TypeVar("T", bound=Turn)


class Turns(Generic[T]):
    """Who comes while nobody works works at once; who comes meanwhile is served together with all others who wait, by
    the first of them. So nobody waits for company, and the more ask the less each costs.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._lock = Lock()
        self._waiting: list[T] = []
        self._busy = False

    def serve(self, mine: T, work: Callable[[Sequence[T]], None], before_waiting: Callable[[], None]) -> None:
        """Return when `mine` was passed to `work`, with others perhaps, in this thread or in another one.

        What `work` raises is raised in its own thread alone; the others find no answer. `before_waiting` is called by
        who is not served at once.
        """
        if not self._enter(mine, only_first=True):
            before_waiting()
            if not self._enter(mine, only_first=False):
                mine.bell.wait()
        if not mine.done:
            self._lead(work)

    def _enter(self, mine: T, only_first: bool) -> bool:
        """Whether `mine` is the first one and leads; others are among those who wait from now on, or not even that."""
        with self._lock:
            leads = not self._busy
            if leads or not only_first:
                self._waiting.append(mine)
                self._busy = True
            return leads

    def _lead(self, work: Callable[[Sequence[T]], None]) -> None:
        with self._lock:
            together, self._waiting = self._waiting[: self._most], self._waiting[self._most :]
        try:
            work(together)
        finally:
            for each in together:
                each.done = True
            with self._lock:
                following = self._waiting[:1]
                self._busy = bool(following)
            for each in (*following, *together):
                each.bell.set()
