"""A hundred jobs `true` of one pipeline on a runner with four slots, against bare containers, four at a time.

Jobs a second from the first that was claimed to the last that ended, by the server's clock. The limit is taken before
and after, so that a machine that becomes busier does not look like a slower runner. Meanwhile nobody looks more often
than every two seconds: answers take the processors' time from the jobs. Noise: as of the limit.
"""

import json
import sys
from datetime import datetime

from bench.place import Place
from bench.table import RATE, Row
from tests.integration.stack import ENDED, Repository, make_repository, wait_until

JOBS, SLOTS = 100, 4
LOOK_EVERY = 2.0
CONFIGURATION = """
image: {image}
variables: {{GIT_STRATEGY: none}}
bare: {{script: ["true"], parallel: {jobs}}}
"""


def run(place: Place) -> list[Row]:
    """The one row."""
    before = limit(place)
    repository = make_repository(place.server, "bench/hundred", place.folder / "hundred")
    pipeline_id = repository.start(CONFIGURATION.format(image=place.image, jobs=JOBS))["id"]
    wait_until("the pipeline ends", lambda: _ended(repository, pipeline_id), 300, every=LOOK_EVERY)
    jobs = repository.jobs(pipeline_id).values()
    if len(jobs) != JOBS or any(job["status"] != "success" for job in jobs):
        raise RuntimeError(f"{len(jobs)} jobs ran, or some failed")
    begun = min(datetime.fromisoformat(job["started_at"]) for job in jobs)
    ended = max(datetime.fromisoformat(job["finished_at"]) for job in jobs)
    ours = JOBS / (ended - begun).total_seconds()
    peer = [*before, *limit(place)]
    return [Row(f"{JOBS} jobs `true`, {SLOTS} slots", [ours], f"bare lifecycle, {SLOTS} at once", peer, "70 %", RATE)]


def _ended(repository: Repository, pipeline_id: int) -> bool:
    found = repository.server.api("GET", f"{repository.api_path}/pipelines/{pipeline_id}")
    return found["status"] in ENDED


def limit(place: Place) -> list[float]:
    """Bare containers a second, taken as the runner's user while the runner idles."""
    words = [sys.executable, "-m", "bench.lifecycle", place.image, str(SLOTS)]
    return [float(rate) for rate in json.loads(place.user.run(words, cwd=place.user.checkout).stdout)]
