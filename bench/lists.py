"""Lists and searches with a million jobs in a hundred thousand pipelines, against the same with a thousand jobs.

Each page is asked for over HTTP by somebody who may see everything, from a server as it is deployed. One project has
half of all, forty others have the rest. Noise: a page takes some ten milliseconds, most of them for its HTML; what
counts is the ratio.
"""

import time
from http.client import HTTPConnection
from typing import Any

from app.models import Job, Pipeline, write
from bench import bulk
from bench.bed import Bed, bed, kinds
from bench.place import Place
from bench.table import Row
from tests.factories import make_commit, make_job, make_pipeline, make_project, make_user

ALONE = True
"""Needs no installation."""

RUNS = 9
JOBS, FEW = 1_000_000, 1_000
OTHERS = 40
EACH = 10
AIM = "2 ×"
_PROJECT = "/skerry/big"
_API = "/api/v4/projects/skerry%2Fbig"
_ENDS = ("success",) * 17 + ("failed", "canceled", "success")
PAGES = {
    "dashboard home": "/",
    "pipelines of all projects": "/-/pipelines",
    "pipelines of a project": f"{_PROJECT}/-/pipelines",
    "jobs of a project": f"{_PROJECT}/-/jobs",
    "REST: jobs": f"{_API}/jobs",
    "REST: failed jobs, by key": f"{_API}/jobs?scope[]=failed&pagination=keyset",
    "REST: pipelines": f"{_API}/pipelines",
    "search of pipelines: a rare word": f"{_PROJECT}/-/pipelines?search=change+77",
    "search of pipelines: a word that all have": f"{_PROJECT}/-/pipelines?search=harbour",
    "search of pipelines: nothing found": f"{_PROJECT}/-/pipelines?search=octopus",
    "search of all projects' pipelines: nothing found": "/-/pipelines?search=octopus",
    "search of pipelines: is:failed": f"{_PROJECT}/-/pipelines?search=is:failed",
    "search of jobs: a name": f"{_PROJECT}/-/jobs?search=job7",
    "search of jobs: nothing found": f"{_PROJECT}/-/jobs?search=octopus",
}


def run(place: Place | None) -> list[Row]:
    """A row for each page on each database."""
    return [row for kind in kinds() for row in _rows(kind)]


def _rows(kind: str) -> list[Row]:
    few, many = _samples(kind, FEW), _samples(kind, JOBS)
    against = f"the same with {FEW:,}"
    return [Row(f"{page}, {JOBS:,} jobs, {kind}", many[page], against, few[page], AIM) for page in PAGES]


def _samples(kind: str, jobs: int) -> dict[str, list[float]]:
    with bed(kind) as made:
        fill(made, jobs)
        connection = made.connect()
        return {
            page: [_seconds(connection, made.token, path) for _ in range(RUNS + 1)][1:] for page, path in PAGES.items()
        }


def _seconds(connection: HTTPConnection, token: str, path: str) -> float:
    begun = time.perf_counter()
    connection.request("GET", path, headers={"PRIVATE-TOKEN": token})
    answer = connection.getresponse()
    answer.read()
    if answer.status != 200:
        raise RuntimeError(f"{path} was answered with {answer.status}")
    return time.perf_counter() - begun


def fill(made: Bed, jobs: int) -> None:
    """That many jobs, ten in each pipeline; half of them in one project."""
    core, user = made.core, make_user(made.core)
    _project(made, user, "skerry/big", jobs // EACH // 2)
    for number in range(OTHERS):
        _project(made, user, f"other/p{number}", max(jobs // EACH // 2 // OTHERS, 1))
    bulk.finish(core)


def _project(made: Bed, user: Any, path: str, pipelines: int) -> None:
    core = made.core
    project = make_project(core, path, creator=user, visibility="public")
    commit = make_commit("1" * 40, core.now(), "Paint the harbour wall\n")
    run = make_pipeline(core, project, user=user, status="success", calculated_status="succeeded", commit=commit)
    now = core.now()
    job = make_job(core, run, status="success", started_at=now, finished_at=now)
    first, first_iid = bulk.next_id(core, Pipeline), run.iid + 1
    texts = bulk.named("ada\nada@example.com\npaint the harbour wall, change ")
    with write(core.session):
        core.session.get_one(type(project), project.id).last_iid += pipelines
    bulk.copy(
        core,
        Pipeline,
        run.id,
        pipelines,
        id=lambda number: number + first,
        iid=lambda number: number + first_iid,
        status=bulk.one_of(*_ENDS),
        calculated_status=bulk.one_of(*("failure" if end == "failed" else "succeeded" for end in _ENDS)),
        search_text=texts,
        ref=bulk.named("branch-", 200),
    )
    bulk.copy(
        core,
        Job,
        job.id,
        pipelines * EACH,
        pipeline_id=lambda number: number // EACH + first,
        name=bulk.named("job", 40),
        status=bulk.one_of(*_ENDS),
    )
