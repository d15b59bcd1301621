"""Memory of a server that has just been started and has answered a few pages, and of a runner that waits for work.

Against what Woodpecker publishes of itself: 100 MB for the server, 30 MB for the agent. Of pages that processes share,
each process counts its share. Podman's own service, which the runner starts, is told beside it.
"""

from pathlib import Path

from bench.bed import bed, kinds, memory, tree
from bench.place import Place
from bench.table import MEMORY, Row

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
    process = place.runner.process
    pids = tree(process.pid) if process else []
    podman = [pid for pid in pids if Path(f"/proc/{pid}/comm").read_text().startswith(("podman", "conmon", "slirp"))]
    ours = [pid for pid in pids if pid not in podman]
    return [
        Row("memory of an idle runner", [memory(ours)], "Woodpecker", [30], "50 MB", MEMORY),
        Row("memory of Podman's service beside it", [memory(podman)], "–", [], "–", MEMORY),
    ]
