"""The operations that work on what jobs have touched, and the process that does them inside the user namespace.

This module and those it imports use the standard library alone: the process runs isolated (`python -I`), as root of
the user namespace. It takes orders from the runner only; what jobs left behind is data to it, never instructions.
"""

import contextlib
import json
import os
import select
import signal
import socket
import sys
import threading
from collections.abc import Callable, Sequence
from typing import Any, NoReturn

from runner.workspace import collection, namespaces

Emit = Callable[[bytes], None]
Outcome = tuple[Any, Sequence[int]]
LIMIT = 1 << 24
REQUEST, QUICK, GUARD = b"request", b"quick", b"guard"
#: Done in a thread: a process of their own costs ten times as much as they do. A thread too has a network of its own.
QUICK_OPERATIONS = frozenset({"listen"})
QUICK_SECONDS = 5.0

OPERATIONS: dict[str, Callable[[dict[str, Any], Emit], Outcome]] = {
    "listen": namespaces.listen,
    "wait_for_port": namespaces.wait_for_port,
    "wait_for_names": namespaces.wait_for_names,
    "signal": namespaces.signal_tree,
    "adopt": namespaces.adopt,
    "pack": collection.pack,
    "unpack": collection.unpack,
    "read_file": collection.read_file,
    "open_file": collection.open_file,
    "remove": collection.remove,
}


def perform(operation: str, arguments: dict[str, Any], emit: Emit) -> Outcome:
    """Do one operation by name; returns a JSON value and descriptors for the caller. Raises RefusedError, OSError,
    ValueError.
    """
    return OPERATIONS[operation](arguments, emit)


def serve() -> NoReturn:
    """Take messages from standard input until the runner is gone. Each request is done in a process of its own, the
    quick ones in a thread that is waited for.

    At the end, orderly or not, the processes that the runner had guarded are killed: the inits of its containers.
    """
    control = socket.socket(fileno=0)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # the kernel buries the children
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the runner, which then closes the socket
    os.chdir("/")
    guarded: list[int] = []
    while True:
        message, descriptors, _, _ = socket.recv_fds(control, 16, 4)
        if not message:
            for process in guarded:
                with contextlib.suppress(ProcessLookupError):
                    signal.pidfd_send_signal(process, signal.SIGKILL)
            sys.exit(0)
        if message == GUARD:
            guarded = [*alive(guarded), *descriptors]
            continue
        for descriptor in descriptors:
            if message == QUICK:
                answer_quickly(descriptor)
                continue
            if os.fork() == 0:
                control.close()
                signal.signal(signal.SIGCHLD, signal.SIG_DFL)
                answer(socket.socket(fileno=descriptor))
                os._exit(0)
            os.close(descriptor)


def answer_quickly(descriptor: int) -> None:
    """As `answer`, for a request that takes no time, in a thread that has ended when this returns."""
    with socket.socket(fileno=descriptor) as connection:
        connection.settimeout(QUICK_SECONDS)
        thread = threading.Thread(target=answer, args=(connection,))
        thread.start()
        thread.join()


def alive(processes: list[int]) -> list[int]:
    """Those of the process descriptors whose process still runs; the others are closed."""
    poll = select.poll()
    for process in processes:
        poll.register(process, select.POLLIN)
    dead = {process for process, _ in poll.poll(0)}
    for process in dead:
        os.close(process)
    return [process for process in processes if process not in dead]


def answer(connection: socket.socket) -> None:
    """Read one request, do it, report."""

    def emit(data: bytes) -> None:
        send({"output": data.decode("utf-8", "surrogateescape")})

    def send(message: dict[str, Any], descriptors: Sequence[int] = ()) -> None:
        data = json.dumps(message).encode() + b"\n"
        sent = socket.send_fds(connection, [data], list(descriptors)) if descriptors else 0
        connection.sendall(data[sent:])

    descriptors: Sequence[int] = ()
    try:
        request = json.loads(read_line(connection))
        result, descriptors = perform(request["operation"], request["arguments"], emit)
        send({"result": result}, descriptors)
    except BrokenPipeError:
        pass  # nobody waits for the answer any more
    except Exception as error:
        # The edge of the process: whatever went wrong must reach the runner, which prints or raises it.
        with contextlib.suppress(OSError):
            send({"error": str(error) or type(error).__name__})
    finally:
        for descriptor in descriptors:
            os.close(descriptor)


def read_line(connection: socket.socket) -> bytes:
    data = b""
    while not data.endswith(b"\n") and len(data) < LIMIT:
        piece = connection.recv(1 << 16)
        if not piece:
            break
        data += piece
    return data
