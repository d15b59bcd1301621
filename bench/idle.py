"""Memory of a server that has just been started and has answered a few pages, and of a runner that waits for work.

Against what Woodpecker publishes of itself: 100 MB for the server, 30 MB for the agent. Of pages that processes share,
each process counts its share. Podman's own service, which the runner starts, is told beside it. An environment for
development has more to load than a server's: `rich`, which structlog takes where it finds it, is 7 MB in two processes.
"""

from pathlib import Path

from bench.bed import bed, kinds, memory, tree
from bench.place import Place
from bench.table import MEMORY, Row
from tests.integration.stack import wait_until

ALONE = True
"""Needs no installation; the runner's rows are only there with one."""

_PAGES = ("/", "/-/pipelines", "/api/v4/projects")


def run(place: Place | None) -> list[Row]:
    """A row for the server on each database, and two for the runner where there is one."""
    return [_server(kind) for kind in kinds()] + (_runner(place) if place else [])


def _server(kind: str) -> Row:
    with bed(kind) as made:
        connection = made.connect()
        for page in _PAGES:
            connection.request("GET", page, headers={"PRIVATE-TOKEN": made.token})
            connection.getresponse().read()
        return Row(
            f"memory of an idle server, {kind}", [memory(made.processes())], "Woodpecker", [100], "120 MB", MEMORY
        )


def _runner(place: Place) -> list[Row]:
    """Once it waits for work, with its Podman beside it, nothing of its start left and nothing of jobs on the way. The
    helper in the user namespace that jobs have made it start is its own, and counts.
    """
    seen: list[object] = []
    wait_until("the runner waits for work", lambda: _waits(place, seen), 60)
    ours, podman = _processes(place)
    return [
        Row("memory of an idle runner", [memory(ours)], "Woodpecker", [30], "50 MB", MEMORY),
        Row("memory of Podman's service beside it", [memory(podman)], "–", [], "–", MEMORY),
    ]


def _processes(place: Place) -> tuple[list[int], list[int]]:
    """The runner's own processes, and Podman's."""
    pids = tree(place.runner.process.pid) if place.runner.process else []
    podman = [pid for pid in pids if _words(pid)[0] in ("podman", "conmon", "slirp4netns", "rootlessport")]
    return [pid for pid in pids if pid not in podman], podman


def _waits(place: Place, seen: list[object]) -> bool:
    """Whether Podman's service is there and the processes are those that were `seen` for the last ten looks."""
    ours, podman = _processes(place)
    seen.append((ours, podman))
    served = any("service" in _words(pid) for pid in podman)
    return served and len(seen) > 10 and all(look == seen[-1] for look in seen[-10:])


def _words(pid: int) -> list[str]:
    """Name and arguments of a process; no name where it has just ended."""
    try:
        words = Path(f"/proc/{pid}/cmdline").read_bytes().decode("utf-8", "replace").split("\0")
    except (FileNotFoundError, ProcessLookupError):
        return [""]
    return [Path(words[0]).name, *words[1:]]
