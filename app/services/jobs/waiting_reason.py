"""Why a pending job waits, in one sentence."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any, Protocol

from sqlalchemy import func, or_, select

from app.domain import failure, status
from app.events.base import QueuedJob, WaitingRunner
from app.models import Job, Project, Runner, RunnerManager, RunnerProject
from app.services import access
from app.services.core import Core

#: A runner that was heard of within this time is online: a poll is held for 50 s at most, and is noted every 40 s.
ONLINE_FOR = timedelta(minutes=2)
#: What is asked of each runner.
_COLUMNS = (
    *("id", "runner_type", "group_id", "project_id", "tags", "run_untagged", "paused", "access_level"),
    "contacted_at",
)


class AnyRunner(Protocol):
    """What the queue asks of a runner: a row, or what is known of one."""

    @property
    def id(self) -> int: ...
    @property
    def runner_type(self) -> str: ...
    @property
    def group_id(self) -> int | None: ...
    @property
    def project_id(self) -> int | None: ...
    @property
    def tags(self) -> list[str]: ...
    @property
    def run_untagged(self) -> bool: ...
    @property
    def paused(self) -> bool: ...
    @property
    def access_level(self) -> str: ...


def as_waiting(runner: Runner) -> WaitingRunner:
    """What `runner` may take, in the bus's words."""
    return waiting_as(runner, _shared_with(runner))


def waiting_as(runner: AnyRunner, shared_with: frozenset[int]) -> WaitingRunner:
    """The same, where it is known which projects share the runner."""
    return WaitingRunner(
        runner_id=runner.id,
        runner_type=runner.runner_type,
        tags=frozenset(runner.tags),
        run_untagged=runner.run_untagged,
        protected_only=runner.access_level == "ref_protected",
        project_id=runner.project_id,
        group_id=runner.group_id,
        shared_with=shared_with,
    )


def _shared_with(runner: Runner) -> frozenset[int]:
    if runner.runner_type != "project_type":
        return frozenset()
    return frozenset(row.project_id for row in runner.shared_with)


class Waiting:
    """Explains jobs of one project. Reads the project's runners once, however many jobs it is asked about."""

    def __init__(self, core: Core, project: Project) -> None:
        self._core, self._project = core, project
        groups = access.group_chain(core, project.group)
        sharing = select(RunnerProject.runner_id).where(RunnerProject.project_id == project.id)
        shared, here = set(core.session.scalars(sharing)), frozenset((project.id,))
        # Columns, no objects: a job that becomes pending waits for this, and there may be hundreds of runners.
        self._runners: Sequence[Any] = core.session.execute(
            select(*(getattr(Runner, name) for name in _COLUMNS)).where(
                or_(
                    Runner.runner_type == "instance_type" if project.instance_runners else Runner.id.is_(None),
                    Runner.group_id.in_(groups),
                    Runner.project_id == project.id,
                    Runner.id.in_(sharing),
                )
            )
        ).all()
        self._known = [(one, waiting_as(one, here if one.id in shared else frozenset())) for one in self._runners]
        self._since = core.now() - ONLINE_FOR
        self._features: dict[int, set[str]] | None = None

    def reason(self, job: QueuedJob, features: Iterable[str], ahead: int) -> str:
        """Why `job` waits, which asks `features` of its runner, and has `ahead` jobs before it."""
        fitting = [runner for runner, known in self._known if known.fits(job)]
        return (
            (_no_fit(self._runners, job) if not fitting else None)
            or self._not_ready(fitting)
            or self._unable(fitting, features)
            or _queued(ahead)
        )

    def hopeless(self, job: QueuedJob, features: Iterable[str]) -> str | None:
        """None where a runner that is online and not paused fits `job` and can do what it asks for; else the reason for
        which the job ends after a while.
        """
        ready = [one for one in self._known if not one[0].paused and self._online(one[0].contacted_at)]
        fitting = [runner for runner, known in ready if known.fits(job)]
        if not fitting:
            return failure.STUCK_PENDING_NO_MATCHING_RUNNERS
        return failure.RUNNER_UNSUPPORTED if self._unable(fitting, features) else None

    def pending_count(self, before: int | None = None) -> int:
        """How many pending jobs compete for these runners: all, or those older than the job `before`."""
        count = select(func.count()).select_from(Job).where(Job.status == status.PENDING, Job.bridge.is_(False))
        if before is not None:
            count = count.where(Job.id < before)
        if all(runner.runner_type == "project_type" for runner in self._runners):
            count = count.where(Job.project_id == self._project.id)
        return self._core.session.scalar(count) or 0

    def _online(self, contacted_at: datetime | None) -> bool:
        return contacted_at is not None and contacted_at > self._since

    def _not_ready(self, fitting: Sequence[Any]) -> str | None:
        awake = [runner for runner in fitting if not runner.paused]
        if not awake:
            return "Every runner that fits is paused."
        if any(self._online(runner.contacted_at) for runner in awake):
            return None
        contacts = [runner.contacted_at for runner in awake if runner.contacted_at]
        if not contacts:
            return "The runner that fits has never connected."
        return f"Every runner that fits has been offline since {max(contacts):%Y-%m-%d %H:%M} UTC."

    def _unable(self, fitting: Sequence[Any], features: Iterable[str]) -> str | None:
        """A sentence when no manager of the fitting runners that is online has all `features`."""
        needed = set(features)
        if not needed:
            return None
        if self._features is None:
            self._features = self._read_features()
        if any(needed <= self._features.get(runner.id, set()) for runner in fitting):
            return None
        return f"No runner that is online and fits can do what the job needs: {', '.join(sorted(needed))}."

    def _read_features(self) -> dict[int, set[str]]:
        """Per runner, the features of its best manager that is online."""
        found: dict[int, set[str]] = {}
        rows = self._core.session.execute(
            select(RunnerManager.runner_id, RunnerManager.features).where(RunnerManager.contacted_at > self._since)
        )
        for runner_id, features in rows:
            able = {name for name, value in features.items() if value is True}
            found[runner_id] = max(found.get(runner_id, set()), able, key=len)
        return found


def _no_fit(runners: Sequence[Any], job: QueuedJob) -> str:
    if not runners:
        return "No runner serves this project yet."
    tagged = [runner for runner in runners if job.tags <= set(runner.tags) and (job.tags or runner.run_untagged)]
    if tagged:
        return "Every runner that fits takes only jobs of protected branches and tags."
    if job.tags:
        plural = "s" if len(job.tags) > 1 else ""
        return f"No runner has the tag{plural} {', '.join(sorted(job.tags))}."
    return "No runner takes jobs without tags."


def _queued(ahead: int) -> str:
    if not ahead:
        return "Next in the queue: waits for a runner to be free."
    return f"Waits for a runner to be free; {ahead} {'job is' if ahead == 1 else 'jobs are'} ahead in the queue."
