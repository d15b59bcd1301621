"""How long the end of one job takes where its pipeline has ten jobs, and where it has a thousand.

Each job that ends may make others ready, so the pipeline's jobs are looked at each time: linear in them at worst, and
what is paid for each must be little. Jobs stand side by side in one stage, and a thousand wait behind them. Against the
small pipeline; the second row's is what one more job in the pipeline adds to each end, which must not grow.
"""

import time

from sqlalchemy import select

from app.models import Job, write
from app.services.core import Core
from app.services.jobs.finish_job import finish
from app.services.locks import lock_job
from bench import bulk
from bench.bed import bed, kinds
from bench.place import Place
from bench.table import Row
from tests.factories import make_job, make_pipeline, make_project

ALONE = True
"""Needs no installation."""

RUNS = 30
SMALL, MIDDLE, LARGE = 10, 100, 1000


def run(place: Place | None) -> list[Row]:
    """Two rows for each database."""
    return [row for kind in kinds() for row in _rows(kind)]


def _rows(kind: str) -> list[Row]:
    with bed(kind) as made:
        small, middle, large = (_samples(made.core, size) for size in (SMALL, MIDDLE, LARGE))
    what = f"a job ends in a pipeline of {LARGE:,} jobs, {kind}"
    return [
        Row(what, large, f"of {SMALL} jobs", small, f"linear: {LARGE // SMALL} ×"),
        Row(f"a job ends in a pipeline of {MIDDLE:,} jobs, {kind}", middle, f"of {SMALL} jobs", small, "linear"),
    ]


def _samples(core: Core, size: int) -> list[float]:
    """Seconds for each of some ends, one after another."""
    pipeline = make_pipeline(core, make_project(core), status="running")
    now = core.now()
    first = make_job(core, pipeline, stage="build", status="running", started_at=now, heard_at=now)
    last = make_job(core, pipeline, stage="test", status="created")
    for job in (first, last):
        bulk.copy(core, Job, job.id, size // 2 - 1, name=bulk.named(f"{job.stage} "))
    bulk.finish(core)
    running = select(Job.id).where(Job.pipeline_id == pipeline.id, Job.status == "running").limit(RUNS)
    found = []
    for job_id in core.session.scalars(running).all():
        core.session.remove()
        begun = time.perf_counter()
        with write(core.session):
            finish(core, lock_job(core, job_id), "success", exit_code=0)
        found.append(time.perf_counter() - begun)
    return found
