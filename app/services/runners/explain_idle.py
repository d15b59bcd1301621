"""Why a runner has nothing to do, in one sentence."""

from collections import defaultdict
from collections.abc import Sequence

from sqlalchemy import Select, func, select

from app.domain import status
from app.events.base import QueuedJob, WaitingRunner
from app.models import Group, Job, Project, Runner
from app.services.core import Core
from app.services.jobs.queue import queued_jobs
from app.services.jobs.waiting_reason import as_waiting

#: So many jobs of the queue are looked at; those behind them tell the same.
LOOKED_AT = 200


class Idleness:
    """Explains runners. Reads the queue once, however many runners it is asked about.

    `place`: for whoever may see the jobs of a project or group alone, and is told nothing of those of others.
    """

    def __init__(self, core: Core, place: Project | Group | None = None) -> None:
        self._everywhere = place is None
        self._jobs = _waiting_jobs(core, place)

    def reason(self, runner: Runner, state: str, running: int) -> str:
        """A sentence for `runner` in `state` (`show_runners.RunnerRow`) that runs so many jobs; empty where it works
        as it should.
        """
        if state == "paused":
            return f"Draining: {_count(running).lower()} still at work." if running else "Paused: it gets no jobs."
        if runner.contacted_at is None:
            return "It has never connected: register it on the machine that is to run jobs."
        if state != "online":
            return "It does not ask for jobs: its machine is off, or cannot reach this server."
        if running:
            return ""
        return self._without_work(runner)

    def _without_work(self, runner: Runner) -> str:
        if not self._jobs:
            return "Nothing waits in the queue." if self._everywhere else "No job of these projects waits."
        waiting = as_waiting(runner)
        fitting = [job for job in self._jobs if waiting.fits(job)]
        if fitting:
            return f"{_count(len(fitting))} that it fits {_verb(len(fitting))}; it takes one when it asks next."
        jobs = f"{_count(len(self._jobs))} {_verb(len(self._jobs))}"
        return f"{jobs}, none that it fits: {_what_lacks(waiting, self._jobs)}."


def _what_lacks(waiting: WaitingRunner, jobs: Sequence[QueuedJob]) -> str:
    tags = sorted({tag for job in jobs for tag in job.tags - waiting.tags})
    if tags:
        return "they ask for " + ", ".join(tags[:5])
    return "they are of other projects, or their refs are not protected"


def _count(number: int) -> str:
    return "One job" if number == 1 else f"{number} jobs"


def _verb(number: int) -> str:
    return "waits" if number == 1 else "wait"


def _waiting_jobs(core: Core, place: Project | Group | None) -> list[QueuedJob]:
    query = select(Job.id, Job.project_id).where(Job.status == status.PENDING, Job.bridge.is_(False))
    if place is not None:
        query = query.where(Job.project_id.in_(_projects(place)))
    rows = core.session.execute(query.order_by(Job.queued_at, Job.id).limit(LOOKED_AT)).all()
    by_project = defaultdict(list)
    for row in rows:
        by_project[row.project_id].append(row.id)
    found: list[QueuedJob] = []
    for project_id, job_ids in by_project.items():
        project = core.session.get(Project, project_id)
        if project is not None:
            found.extend(job for job, _ in queued_jobs(core, project, job_ids))
    return found


def _projects(place: Project | Group) -> Select[int]:
    """A select of the id of that project, or of those in the group, at any depth."""
    if isinstance(place, Project):
        return select(Project.id).where(Project.id == place.id)
    above = place.full_path.lower() + "/"
    return select(Project.id).where(func.lower(Project.full_path).startswith(above, autoescape=True))
