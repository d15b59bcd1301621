"""Runners as people look at them: of the instance, or those that a project can use."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, or_, select
from sqlalchemy.orm import selectinload

from app.domain.errors import NotFound
from app.domain.status import EXECUTING
from app.models import Job, Project, Runner
from app.services.access import group_chain
from app.services.core import Core

#: A runner polls at least once in this time; a quieter one counts as offline (gitlab.md B.9).
ONLINE_WITHIN = timedelta(hours=2)
LIMIT = 200


@dataclass(frozen=True, slots=True)
class RunnerRow:
    """`state`: online, offline, paused or never_contacted. `running` counts its jobs at work."""

    runner: Runner
    state: str
    running: int


def runner_state(runner: Runner, now: datetime) -> str:
    """In one word: paused, never_contacted, online or offline."""
    if runner.paused:
        return "paused"
    if runner.contacted_at is None:
        return "never_contacted"
    return "online" if now - runner.contacted_at <= ONLINE_WITHIN else "offline"


def show_runners(core: Core, project: Project | None = None) -> list[RunnerRow]:
    """All runners, newest first; with `project` those that may take its jobs."""
    query = select(Runner).order_by(Runner.id.desc()).limit(LIMIT).options(selectinload(Runner.managers))
    if project is not None:
        usable = [Runner.project_id == project.id, Runner.group_id.in_(group_chain(core, project.group))]
        if project.instance_runners:
            usable.append(Runner.runner_type == "instance_type")
        query = query.where(or_(*usable))
    runners = list(core.session.scalars(query))
    at_work = select(Job.runner_id, func.count()).where(
        Job.status.in_(EXECUTING), Job.runner_id.in_([runner.id for runner in runners])
    )
    running = {row[0]: row[1] for row in core.session.execute(at_work.group_by(Job.runner_id))}
    return [RunnerRow(runner, runner_state(runner, core.now()), running.get(runner.id, 0)) for runner in runners]


def find_runner(core: Core, runner_id: int, project: Project | None = None) -> Runner:
    """The runner of that id; with `project` only one that belongs to it. Raises NotFound."""
    runner = core.session.get(Runner, runner_id)
    if runner is None or (project is not None and runner.project_id != project.id):
        raise NotFound("Runner")
    return runner
