"""From `git push` to a green pipeline: one job that checks its sources out, measured from outside with a wall clock.

Begins when git is started and ends when the API says success, asked every 10 ms. Noise: git's own start (about 20 ms)
and two processes' turns on two cores; the first push, which makes the caches, is dropped.
"""

import time

from bench.place import Place
from bench.table import Row
from tests.integration.stack import Repository, make_repository, wait_until

RUNS = 10
CONFIGURATION = 'image: {image}\nbuild: {{script: ["test -f .gitlab-ci.yml"]}}\n'


def run(place: Place) -> list[Row]:
    """The one row."""
    repository = made(place, "bench/push")
    samples = [push(repository, number) for number in range(RUNS)]
    return [Row("`git push` → green, with checkout", samples, "–", [], "median 1.0 s")]


def made(place: Place, path: str) -> Repository:
    """A new project whose caches are warm: its first pipeline has ended."""
    repository = make_repository(place.server, path, place.folder / path.rpartition("/")[2])
    repository.run(CONFIGURATION.format(image=place.image))
    return repository


def push(repository: Repository, number: int) -> float:
    """Push another commit; returns the seconds until its pipeline is green."""
    sha = repository.commit({"file": str(number)}, f"change {number}")
    begun = time.perf_counter()
    repository.push()
    wait_until("green", lambda: _green(repository, sha), 60, every=0.01)
    return time.perf_counter() - begun


def _green(repository: Repository, sha: str) -> bool:
    found = repository.server.api("GET", f"{repository.api_path}/pipelines?sha={sha}&per_page=1")
    return bool(found) and found[0]["status"] == "success"
