"""How long somebody has to wait who guessed a password wrong, in a little memory."""

from collections import OrderedDict
from collections.abc import Callable
from threading import Lock
from time import monotonic

FREE_TRIES = 5
FREE_TRIES_OF_ADDRESS = 50
LONGEST_WAIT = 300.0
FORGET_AFTER = 3600.0
REMEMBERED = 10_000


class SignInThrottle:
    """Counts wrong guesses by user and address, and by address alone (many users tried from one place).

    After the free tries each further one doubles the wait, up to five minutes. Nobody locks a user out from elsewhere.
    """

    def __init__(self, clock: Callable[[], float] = monotonic) -> None:
        self._clock = clock
        self._lock = Lock()
        self._guesses: OrderedDict[tuple[str, str], tuple[int, float]] = OrderedDict()

    def seconds_to_wait(self, username: str, address: str) -> float:
        """0 when a try is free now."""
        with self._lock:
            pair = self._wait(self._key(username, address), FREE_TRIES)
            return max(pair, self._wait(("", address), FREE_TRIES_OF_ADDRESS))

    def failed(self, username: str, address: str) -> None:
        """One more wrong guess."""
        with self._lock:
            for key in (self._key(username, address), ("", address)):
                count, last = self._guesses.pop(key, (0, 0.0))
                now = self._clock()
                self._guesses[key] = (1 if now - last > FORGET_AFTER else count + 1, now)
            while len(self._guesses) > REMEMBERED:
                self._guesses.popitem(last=False)

    def succeeded(self, username: str, address: str) -> None:
        """The right password: this user's guesses from there are forgotten."""
        with self._lock:
            self._guesses.pop(self._key(username, address), None)

    @staticmethod
    def _key(username: str, address: str) -> tuple[str, str]:
        return username.lower()[:255] or "?", address

    def _wait(self, key: tuple[str, str], free: int) -> float:
        count, last = self._guesses.get(key, (0, 0.0))
        if count < free:
            return 0.0
        pause = min(LONGEST_WAIT, 2.0 ** min(count - free, 10))
        return max(0.0, last + pause - self._clock())
