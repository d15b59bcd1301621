"""Runners as people look at them: all of them, or those that a project or a group can use."""

from dataclasses import dataclass

from sqlalchemy import Select, func, select
from sqlalchemy.orm import selectinload

from app.domain.status import EXECUTING
from app.models import Group, Job, Project, Runner
from app.services.core import Core
from app.services.jobs.waiting_reason import ONLINE_FOR
from app.services.runners.explain_idle import Idleness
from app.services.runners.search_runners import RunnerFilter, group_runners, project_runners, status_of

LIMIT = 200


@dataclass(frozen=True, slots=True)
class RunnerRow:
    """`state`: paused, or one of online, offline, stale and never_contacted. `running` counts its jobs at work; `idle`
    says why it has none, empty where it works as it should.
    """

    runner: Runner
    state: str
    running: int
    idle: str


def show_runners(core: Core, place: Project | Group | None = None) -> list[RunnerRow]:
    """All runners, newest first; with `place` those that may take its jobs (of a group: its own and those above it)."""
    runners = list(core.session.scalars(_found(core, place).limit(LIMIT).options(selectinload(Runner.managers))))
    at_work = select(Job.runner_id, func.count()).where(
        Job.status.in_(EXECUTING), Job.runner_id.in_([runner.id for runner in runners])
    )
    running = {row[0]: row[1] for row in core.session.execute(at_work.group_by(Job.runner_id))}
    idleness = Idleness(core, place)
    return [_row(core, runner, running.get(runner.id, 0), idleness) for runner in runners]


def _found(core: Core, place: Project | Group | None) -> Select[Runner]:
    if isinstance(place, Project):
        return project_runners(core, place, RunnerFilter())
    if place is not None:
        return group_runners(core, place, RunnerFilter())
    return select(Runner).order_by(Runner.id.desc())


def _row(core: Core, runner: Runner, running: int, idleness: Idleness) -> RunnerRow:
    state = _state(core, runner)
    return RunnerRow(runner, state, running, idleness.reason(runner, state, running))


def _state(core: Core, runner: Runner) -> str:
    """A runner is online here while it asks for jobs; the API's `online` lasts two hours (gitlab.md B.8)."""
    if runner.paused:
        return "paused"
    state = status_of(runner.contacted_at, runner.created_at, core.now())
    quiet = runner.contacted_at is not None and runner.contacted_at < core.now() - ONLINE_FOR
    return "offline" if state == "online" and quiet else state
