"""From `git push` to a green pipeline: one job that checks its sources out, measured from outside with a wall clock.

Begins when git is started and ends when the API says success, asked every 10 ms. Noise: git's own start (about 20 ms)
and two processes' turns on two cores; the first push, which makes the caches, is dropped.
"""

import time

from bench.place import Place
from bench.table import Row
from tests.integration.stack import make_repository, wait_until

RUNS = 10
CONFIGURATION = 'image: {image}\nbuild: {{script: ["test -f .gitlab-ci.yml"]}}\n'


def run(place: Place) -> list[Row]:
    """The one row."""
    repository = make_repository(place.server, "bench/push", place.folder / "push")
    repository.run(CONFIGURATION.format(image=place.image))
    samples = []
    for number in range(RUNS):
        sha = repository.commit({"file": str(number)}, f"change {number}")
        begun = time.perf_counter()
        repository.push()
        wait_until("green", lambda sha=sha: _green(place, repository.api_path, sha), 30, every=0.01)
        samples.append(time.perf_counter() - begun)
    return [Row("`git push` → green, with checkout", samples, "–", [], "median 1.0 s")]


def _green(place: Place, project: str, sha: str) -> bool:
    found = place.server.api("GET", f"{project}/pipelines?sha={sha}&per_page=1")
    return bool(found) and found[0]["status"] == "success"
