"""The one way to call git."""

import os
import select
from pathlib import Path

import pytest

from app.git.command import GitTimedOut, run


def test_what_git_started_ends_with_it_when_it_takes_too_long(tmp_path: Path) -> None:
    """A fetch that is given up leaves no helper behind that goes on fetching."""
    fifo = tmp_path / "alive"
    os.mkfifo(fifo)
    reader = os.open(fifo, os.O_RDONLY | os.O_NONBLOCK)
    alias = f"alias.wait=!(echo started; sleep 60) > '{fifo}' & wait"
    try:
        for seconds in (0.3, 3, 30):  # enough for it to begin, on a host that is busy too
            with pytest.raises(GitTimedOut, match="took longer than"):
                run(tmp_path, ["-c", alias, "wait"], timeout=seconds)
            if select.select([reader], [], [], 0)[0]:
                break
        assert os.read(reader, 100) == b"started\n"
        poll = select.poll()
        poll.register(reader, select.POLLIN)
        assert poll.poll(20_000) == [(reader, select.POLLHUP)], "nobody writes any more"
    finally:
        os.close(reader)
