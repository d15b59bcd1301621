"""What the helper does to processes, tried on this process's own children."""

import os
import signal
import socket
import subprocess
import threading
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


class NameServer:
    """Answers questions on 127.0.0.1 after it has ignored `deaf` of them; knows `known` alone."""

    def __init__(self, known: set[bytes], deaf: int = 0) -> None:
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.known, self.deaf = known, deaf

    def serve(self, questions: int) -> None:
        for _ in range(questions):
            question, asker = self.socket.recvfrom(512)
            if self.deaf:
                self.deaf -= 1
                continue
            found = question[12:-4] in self.known
            head = (
                question[:2]
                + (b"\x81\x80" if found else b"\x81\x83")
                + b"\0\1"
                + (b"\0\1" if found else b"\0\0")
                + bytes(4)
            )
            self.socket.sendto(head + question[12:], asker)


def test_a_name_is_known_when_its_server_answers_with_an_address(monkeypatch: pytest.MonkeyPatch) -> None:
    server = NameServer({b"\3web\0"}, deaf=1)
    monkeypatch.setattr(namespaces, "DNS_PORT", server.socket.getsockname()[1])
    monkeypatch.setattr(namespaces, "enter_network", lambda path: None)
    arguments = {"namespace": "", "resolver": "127.0.0.1", "timeout": 0.6}
    thread = threading.Thread(target=server.serve, args=(1000,), daemon=True)
    thread.start()
    assert InProcess().call("wait_for_names", arguments | {"names": ["web"]}).result == []
    assert InProcess().call("wait_for_names", arguments | {"names": ["web", "db.local"]}).result == ["db.local"]
    assert InProcess().call("wait_for_names", arguments | {"names": ["a..b", "c" * 64]}).result == []
