"""Who is still at work on a push: a lock on a file, which the kernel lets go of when the server and git have both
ended.

Git inherits it. So after the server was killed, nobody judges the push before git has done with the refs.
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from app.git.command import failure


class PushLock:
    """The lock of one push, held."""

    def __init__(self, path: Path, descriptor: int) -> None:
        self._path, self.descriptor = path, descriptor

    def release(self) -> None:
        """Let go, and remove the file. Fine when done twice."""
        if self.descriptor >= 0:
            with suppress(FileNotFoundError):
                self._path.unlink()
            os.close(self.descriptor)
            self.descriptor = -1


def hold(repository: Path, push_id: int) -> PushLock:
    """Take the lock of a push that nobody else knows of yet. Raises StorageFull, GitFailed."""
    path = _path(repository, push_id)
    try:
        path.parent.mkdir(exist_ok=True)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise failure(error) from error
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    return PushLock(path, descriptor)


@contextmanager
def abandoned(repository: Path, push_id: int) -> Iterator[bool]:
    """Whether nobody is at work on the push any more; it stays so within the `with` block."""
    path = _path(repository, push_id)
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:
        yield True
        return
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        yield False
        return
    try:
        yield True
    finally:
        PushLock(path, descriptor).release()


def _path(repository: Path, push_id: int) -> Path:
    return repository / "pushes" / str(int(push_id))
