"""A hundred jobs `true` of one pipeline on a runner with four slots, against bare containers, four at a time.

Jobs a second from the first that was claimed to the last that ended, by the server's clock. The limit is taken before
and after, so that a machine that becomes busier does not look like a slower runner. Noise: as of the limit.
"""

import json
import sys
from datetime import datetime

from bench.place import Place
from bench.table import RATE, Row
from tests.integration.stack import make_repository

JOBS, SLOTS = 100, 4
CONFIGURATION = """
image: {image}
variables: {{GIT_STRATEGY: none}}
bare: {{script: ["true"], parallel: {jobs}}}
"""


def run(place: Place) -> list[Row]:
    """The one row."""
    before = limit(place)
    repository = make_repository(place.server, "bench/hundred", place.folder / "hundred")
    pipeline = repository.run(CONFIGURATION.format(image=place.image, jobs=JOBS), seconds=300)
    jobs = repository.jobs(pipeline["id"]).values()
    if len(jobs) != JOBS or any(job["status"] != "success" for job in jobs):
        raise RuntimeError(f"{len(jobs)} jobs ran, or some failed")
    begun = min(datetime.fromisoformat(job["started_at"]) for job in jobs)
    ended = max(datetime.fromisoformat(job["finished_at"]) for job in jobs)
    ours = JOBS / (ended - begun).total_seconds()
    peer = [*before, *limit(place)]
    return [Row(f"{JOBS} jobs `true`, {SLOTS} slots", [ours], f"bare lifecycle, {SLOTS} at once", peer, "70 %", RATE)]


def limit(place: Place) -> list[float]:
    """Bare containers a second, taken as the runner's user while the runner idles."""
    words = [sys.executable, "-m", "bench.lifecycle", place.image, str(SLOTS)]
    return [float(rate) for rate in json.loads(place.user.run(words, cwd=place.user.checkout).stdout)]
