"""One job `true` without sources, claimed → finished by the server's clock, against the bare life of its container.

The difference is all that Skerry adds: the payload, the scripts, the log, the final report. Noise: as of the limit,
and the log's pacing; the first job is dropped.
"""

import json
import sys
from datetime import datetime

from bench.place import Place
from bench.table import Row
from tests.integration.stack import make_repository

RUNS = 10
CONFIGURATION = """
image: {image}
variables: {{GIT_STRATEGY: none}}
bare: {{script: ["true"]}}
"""


def limit(place: Place) -> list[float]:
    """Samples of the bare lifecycle, taken as the runner's user while the runner idles."""
    done = place.user.run([sys.executable, "-m", "bench.lifecycle", place.image], cwd=place.user.checkout)
    return [float(sample) for sample in json.loads(done.stdout)]


def run(place: Place) -> list[Row]:
    """The one row."""
    repository = make_repository(place.server, "bench/one-job", place.folder / "one-job")
    repository.run(CONFIGURATION.format(image=place.image))
    samples = []
    for _ in range(RUNS):
        made = place.server.api("POST", f"{repository.api_path}/pipeline", {"ref": "main"})
        repository.wait(made["id"])
        job = repository.jobs(made["id"])["bare"]
        samples.append(_seconds(job["started_at"], job["finished_at"]))
    return [Row("one job `true`, claimed → finished", samples, "bare REST lifecycle", limit(place), "limit + 150 ms")]


def _seconds(start: str, end: str) -> float:
    return (datetime.fromisoformat(end) - datetime.fromisoformat(start)).total_seconds()
