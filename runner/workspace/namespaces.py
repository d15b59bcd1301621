"""What the helper does with a running container's namespaces: listen in them, signal in them, hand files to their
user.
"""

import contextlib
import ctypes
import os
import signal
import socket
import struct
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from runner.workspace.tree import opened

CLONE_NEWNET = 0x40000000
KILL_ROUNDS = 200
DNS_PORT = 53
_RECURSE, _ADDRESS, _INTERNET, _ERROR_MASK = 0x0100, 1, 1, 0x000F


def listen(arguments: dict[str, Any], _emit: Callable[[bytes], None]) -> tuple[Any, Sequence[int]]:
    """Listening sockets on `places`, each a loopback address and a port, inside the network namespace at path
    `namespace`. Returns the places that were opened, and their descriptors.

    A socket belongs to the namespace it was made in, wherever its descriptor goes: the runner accepts on it from
    outside, and no process has to run inside. A port that is taken raises OSError; IPv6 may be missing there.
    """
    enter_network(str(arguments["namespace"]))
    opened: list[Any] = []
    with contextlib.ExitStack() as stack:
        listeners = []
        for address, port in arguments["places"]:
            family = socket.AF_INET6 if ":" in address else socket.AF_INET
            try:
                listener = stack.enter_context(socket.socket(family, socket.SOCK_STREAM | socket.SOCK_CLOEXEC))
                listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                listener.bind((address, int(port)))
            except OSError:
                if family == socket.AF_INET:
                    raise
                continue
            listener.listen(128)
            opened.append((address, port))
            listeners.append(listener)
        return opened, [listener.detach() for listener in listeners]


def wait_for_port(arguments: dict[str, Any], _emit: Callable[[bytes], None]) -> tuple[Any, Sequence[int]]:
    """Wait until one of `ports` answers on the loopback of the network namespace at path `namespace`.

    Returns that port, 0 when `timeout` seconds pass or the process with host pid `pid` ends before.
    """
    enter_network(str(arguments["namespace"]))
    deadline = time.monotonic() + float(arguments["timeout"])
    while time.monotonic() < deadline and live_parent(int(arguments["pid"])):
        for port in arguments["ports"]:
            with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
                probe.settimeout(1.0)
                if probe.connect_ex(("127.0.0.1", int(port))) == 0:
                    return int(port), ()
        time.sleep(0.02)
    return 0, ()


def wait_for_names(arguments: dict[str, Any], _emit: Callable[[bytes], None]) -> tuple[Any, Sequence[int]]:
    """Wait until the name server at the IPv4 address `resolver` knows all `names`, asked inside the network namespace
    at path `namespace`. Returns those that it does not know after `timeout` seconds.
    """
    enter_network(str(arguments["namespace"]))
    deadline = time.monotonic() + float(arguments["timeout"])
    # Of a name with an empty or longer part no question can be asked.
    missing = [name for name in arguments["names"] if all(1 <= len(label) <= 63 for label in name.split("."))]
    while missing and time.monotonic() < deadline:
        missing = [name for name in missing if not _is_known(name, str(arguments["resolver"]))]
        if missing:
            time.sleep(0.02)
    return missing, ()


def _is_known(name: str, resolver: str) -> bool:
    """Whether the server at `resolver` answers a question for the IPv4 address of `name` (RFC 1035, section 4)."""
    number = os.urandom(2)
    labels = b"".join(bytes([len(label)]) + label for label in name.encode("ascii").split(b"."))
    question = (
        number + struct.pack(">5H", _RECURSE, 1, 0, 0, 0) + labels + b"\0" + struct.pack(">2H", _ADDRESS, _INTERNET)
    )
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
        asking.settimeout(0.2)
        try:
            asking.connect((resolver, DNS_PORT))
            asking.send(question)
            answer = asking.recv(512)
        except OSError:
            return False
    if len(answer) < 12 or answer[:2] != number:
        return False
    flags, _, answers = struct.unpack(">3H", answer[2:8])
    return not flags & _ERROR_MASK and answers > 0


def enter_network(path: str) -> None:
    """Join a network namespace, for this thread alone. It serves one request, so it never needs to go back."""
    libc = ctypes.CDLL(None, use_errno=True)
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        if libc.setns(descriptor, CLONE_NEWNET) != 0:
            code = ctypes.get_errno()
            raise OSError(code, f"cannot join the container's network: {os.strerror(code)}")
    finally:
        os.close(descriptor)


def signal_tree(arguments: dict[str, Any], _emit: Callable[[bytes], None]) -> tuple[Any, Sequence[int]]:
    """Send `signal` to every process below the container's init (host pid `init`), but not to init nor to `spare`.

    SIGKILL is repeated until nobody is left, since a process may fork between the look and the signal. Returns how many
    signals were sent.
    """
    init, number = int(arguments["init"]), int(arguments["signal"])
    spared = {init, *map(int, arguments["spare"])}
    sent = 0
    for _ in range(KILL_ROUNDS if number == signal.SIGKILL else 1):
        found = [pid for pid in descendants(init) if pid not in spared]
        if not found:
            break
        for pid in found:
            try:
                os.kill(pid, number)
                sent += 1
            except ProcessLookupError:
                continue
        time.sleep(0.002)
    return sent, ()


def descendants(root: int) -> Iterator[int]:
    """The host pids of all live processes below `root`; an orphan's parent is its container's init, so none gets
    lost.
    """
    parents: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and (parent := live_parent(int(entry.name))):
            parents.setdefault(parent, []).append(int(entry.name))
    waiting = [root]
    while waiting:
        children = parents.get(waiting.pop(), [])
        yield from children
        waiting += children


def offspring(root: int) -> list[int]:
    """As `descendants`, by the kernel's own list of children where it has one: 0.1 ms instead of a walk over /proc."""
    waiting, found = [root], []
    while waiting:
        pid = waiting.pop()
        try:
            children = [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
        except (FileNotFoundError, ProcessLookupError):
            return list(descendants(root))
        found += children
        waiting += children
    return found


def live_parent(pid: int) -> int:
    """The parent's pid; 0 for a process that is gone or a zombie."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return 0
    return 0 if fields[0] == b"Z" else int(fields[1])


def adopt(arguments: dict[str, Any], _emit: Callable[[bytes], None]) -> tuple[Any, Sequence[int]]:
    """Give the tree at `tree`, and what is in the folder `shared`, to the user that the process with host pid `pid`
    runs as.

    `shared` itself stays the runner's, which goes on making files in it, and is opened for all; the folder above it
    lets nobody else in. Follows no link. Returns [uid, gid] as the container sees them.
    """
    owner = user_of(int(arguments["pid"]))
    with opened(arguments["tree"]) as tree:
        os.fchown(tree, *owner)
        give_contents(tree, owner)
    with opened(arguments["shared"]) as shared:
        os.fchmod(shared, 0o777)
        give_contents(shared, owner)
    return list(owner), ()


def give_contents(folder: int, owner: tuple[int, int]) -> None:
    for _, folders, files, below in os.fwalk(".", dir_fd=folder, follow_symlinks=False):
        for name in (*folders, *files):
            os.chown(name, *owner, dir_fd=below, follow_symlinks=False)


def user_of(pid: int) -> tuple[int, int]:
    """Effective uid and gid of a process, in the numbers of this user namespace."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    values = {key: rest.split() for key, _, rest in (line.partition(":") for line in lines)}
    return int(values["Uid"][1]), int(values["Gid"][1])
