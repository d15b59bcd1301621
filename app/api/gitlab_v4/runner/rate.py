"""A bound on how often one runner may ask, so that a broken one that spins cannot starve the others."""

from threading import Lock
from time import monotonic


class RateLimit:
    """So many requests a second in the long run, and `burst` at once, for each key. Thread-safe."""

    def __init__(self, per_second: float, burst: int) -> None:
        self._rate, self._burst = per_second, burst
        self._lock = Lock()
        self._levels: dict[int, tuple[float, float]] = {}

    def allows(self, key: int) -> bool:
        """Count a request of `key`; False where it is one too many."""
        now = monotonic()
        with self._lock:
            level, since = self._levels.get(key, (0.0, now))
            level = max(0.0, level - (now - since) * self._rate)
            allowed = level + 1 <= self._burst
            self._levels[key] = (level + 1 if allowed else level, now)
            return allowed
