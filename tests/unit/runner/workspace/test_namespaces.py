"""What the helper does to processes, tried on this process's own children."""

import os
import signal
import subprocess
import time

import pytest

from runner.workspace import namespaces
from runner.workspace.userns import HelperError, InProcess

FAMILY = "sh -c 'sleep 60 & sleep 60 & wait' & sleep 60"


def family() -> "subprocess.Popen[bytes]":
    """A process with three grandchildren."""
    process = subprocess.Popen(["sh", "-c", FAMILY + "; sleep 60"])
    deadline = time.monotonic() + 5
    while len(namespaces.offspring(process.pid)) < 4 and time.monotonic() < deadline:
        time.sleep(0.01)
    return process


def test_all_descendants_are_found_by_either_way() -> None:
    process = family()
    try:
        assert len(namespaces.offspring(process.pid)) == 4
        assert sorted(namespaces.descendants(process.pid)) == sorted(namespaces.offspring(process.pid))
        assert namespaces.live_parent(process.pid) == os.getpid()
    finally:
        InProcess().call("signal", {"init": process.pid, "spare": [], "signal": int(signal.SIGKILL)})
        process.kill()
        process.wait()


def test_a_signal_spares_the_init_and_whom_it_is_told_to() -> None:
    process = family()
    try:
        spared = next(pid for pid in namespaces.offspring(process.pid) if not namespaces.offspring(pid))
        arguments = {"init": process.pid, "spare": [spared], "signal": int(signal.SIGTERM)}
        assert InProcess().call("signal", arguments).result == 3
        assert namespaces.live_parent(process.pid)
        assert namespaces.live_parent(spared)
    finally:
        InProcess().call("signal", {"init": process.pid, "spare": [], "signal": int(signal.SIGKILL)})
        process.kill()
        process.wait()


def test_a_process_that_is_gone_has_no_parent() -> None:
    process = subprocess.Popen(["true"])
    process.wait()
    assert namespaces.live_parent(process.pid) == 0


def test_what_the_helper_cannot_do_is_one_kind_of_error() -> None:
    for operation, arguments in (
        ("listen", {"namespace": "/nonexistent", "places": [["127.0.0.1", 1]]}),
        ("pack", {"root": "/nonexistent", "paths": [], "exclude": [], "untracked": False}),
    ):
        with pytest.raises(HelperError):
            InProcess().call(operation, arguments)
