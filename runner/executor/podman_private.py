"""Images that were fetched with a job's login: nobody else gets them from this host's storage unasked.

`if-not-present` would otherwise hand one project's private image to the next job that knows its name or id. So the ids
of such images are kept, and a job may use one when its own login, or none, has fetched it in this run of the daemon;
else the registry is asked once more (layers that are here are not sent again).
"""

import hashlib
import json
import logging
import os
import threading
from collections.abc import Callable, Iterable
from pathlib import Path

from runner.executor.registry_logins import Login

Existing = Callable[[], Iterable[str]]

logger = logging.getLogger(__name__)


class PrivateImages:
    """Thread-safe. `file` keeps the ids over restarts; None keeps them in memory alone. Who has proven what is never
    written down.
    """

    def __init__(self, file: Path | None) -> None:
        self._file = file
        self._lock = threading.Lock()
        self._salt = os.urandom(16)
        self._proven: set[tuple[str, bytes]] = set()
        self._ids = self._read()

    def may_use(self, image_id: str, login: Login | None) -> bool:
        """Whether a job with `login` for this image's registry may have the image without asking the registry."""
        with self._lock:
            return image_id not in self._ids or (image_id, self._digest(login)) in self._proven

    def fetched(
        self, image_id: str, login: Login | None, was_here: bool, existing: Callable[[], Iterable[str]]
    ) -> None:
        """The registry has given the image for `login`. An image that was here before, and for all, stays so.

        `existing` names the images that are still on this host; others are forgotten.
        """
        with self._lock:
            self._proven.add((image_id, self._digest(login)))
            if login is None or was_here or image_id in self._ids:
                return
            self._ids = {one for one in existing() if one in self._ids} | {image_id}
            self._write()

    def _digest(self, login: Login | None) -> bytes:
        words = [] if login is None else [login.registry, login.username, login.password]
        return hashlib.blake2b(json.dumps(words).encode(), key=self._salt).digest()

    def _read(self) -> set[str]:
        if self._file is None:
            return set()
        try:
            return {str(one) for one in json.loads(self._file.read_text())}
        except FileNotFoundError:
            return set()
        except (OSError, ValueError, TypeError) as error:
            logger.warning("%s cannot be read, private images count as public: %s", self._file, error)
            return set()

    def _write(self) -> None:
        if self._file is None:
            return
        fresh = self._file.with_name(f".{self._file.name}.new")
        try:
            fresh.write_text(json.dumps(sorted(self._ids)))
            fresh.replace(self._file)
        except OSError as error:
            logger.warning("%s cannot be written, after a restart private images count as public: %s", fresh, error)
