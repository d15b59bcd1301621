"""A project's runner also takes the jobs of other projects, or stops doing so. Who may is asked before."""

from sqlalchemy import select

from app.domain.audit import Act
from app.domain.errors import AlreadyExists, NotAllowed, NotFound
from app.models import Project, Runner, RunnerProject, write
from app.services.audit.record import record
from app.services.core import Core
from app.services.jobs.queue import tick
from app.services.runners.create_runner import named


class NotShareable(NotAllowed):
    """The runner is no project's, is locked to its project, or would be left without one; the message says which."""


def share_runner(core: Core, runner: Runner, project: Project) -> Runner:
    """Let `runner` take jobs of `project` too. Raises NotShareable, AlreadyExists."""
    runner_id, project_id = runner.id, project.id
    with write(core.session):
        held = core.session.get_one(Runner, runner_id, with_for_update=True, populate_existing=True)
        if held.runner_type != "project_type":
            raise NotShareable("Runner is not a project runner")
        if held.project_id == project_id or _row(core, runner_id, project_id):
            raise AlreadyExists("has already been taken", "runner_id")
        if held.locked:
            raise NotShareable("Runner is locked")
        core.session.add(RunnerProject(runner_id=runner_id, project_id=project_id))
        record(core, Act.RUNNER_SHARED, named(held), place=project)
        tick(core)
    return core.session.get_one(Runner, runner_id)


def unshare_runner(core: Core, runner: Runner, project: Project) -> None:
    """`runner` takes no jobs of `project` any more. Raises NotFound, NotShareable for the one that it belongs to."""
    runner_id, project_id, own = runner.id, project.id, runner.project_id == project.id
    if own:
        raise NotShareable("Only one project associated with the runner. Please remove the runner instead")
    with write(core.session):
        row = _row(core, runner_id, project_id)
        if row is None:
            raise NotFound("Runner")
        core.session.delete(row)
        record(core, Act.RUNNER_UNSHARED, named(runner), place=project)
        tick(core)


def _row(core: Core, runner_id: int, project_id: int) -> RunnerProject | None:
    return core.session.scalar(select(RunnerProject).filter_by(runner_id=runner_id, project_id=project_id))


def is_shared(core: Core, runner: Runner) -> bool:
    """Whether `runner` takes jobs of more than one project by name."""
    query = select(RunnerProject.project_id).where(RunnerProject.runner_id == runner.id).limit(1)
    return core.session.scalar(query) is not None
