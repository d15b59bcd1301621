"""Removal behind the job's back: Podman takes up to 120 ms for a container, and no job has to wait for it."""

import logging
import queue
import threading
import time

from runner.executor.podman_api import PodmanClient, PodmanError
from runner.executor.podman_names import forget_lost_networks

TRIES = 3
PAUSE = 1.0

logger = logging.getLogger(__name__)


class Removal:
    """Removes containers and networks in a thread of its own, in the order they were given."""

    def __init__(self, client: PodmanClient) -> None:
        self._client = client
        self._waiting: queue.SimpleQueue[str | threading.Event | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._work, name="podman-removal", daemon=True)
        self._thread.start()

    def container(self, container_id: str) -> None:
        """Remove a container and its anonymous volumes, soon."""
        self._waiting.put(f"/containers/{container_id}?force=true&timeout=0&v=true&ignore=true")

    def network(self, name: str) -> None:
        """Remove a network, after the containers given before it."""
        self._waiting.put(f"/networks/{name}?force=true")

    def settle(self, timeout: float) -> bool:
        """Wait until everything given so far is removed, at most `timeout` seconds; False when that was too short."""
        done = threading.Event()
        self._waiting.put(done)
        return done.wait(timeout)

    def close(self, timeout: float) -> bool:
        """As `settle`, and take nothing more."""
        self._waiting.put(None)
        self._thread.join(timeout)
        return not self._thread.is_alive()

    def _work(self) -> None:
        while (target := self._waiting.get()) is not None:
            if isinstance(target, threading.Event):
                target.set()
            else:
                self._remove(target)
                if target.startswith("/networks/"):
                    forget_lost_networks(self._client)

    def _remove(self, target: str) -> None:
        path, _, query = target.partition("?")
        for attempt in range(1, TRIES + 1):
            try:
                self._client.request("DELETE", path, query=dict(pair.split("=") for pair in query.split("&")))
                return
            except PodmanError as error:
                if error.status == 404:
                    return
                logger.warning("removing %s failed (try %s of %s): %s", path, attempt, TRIES, error)
                time.sleep(PAUSE if attempt < TRIES else 0)
