"""Which runners there are, who may manage them, and how they are."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Select, and_, false, or_, select
from sqlalchemy.orm import joinedload, selectinload

from app.domain import status
from app.domain.errors import NotFound
from app.domain.permissions import Role
from app.models import Group, Job, Project, Runner, RunnerManager, RunnerProject, User
from app.services import access
from app.services.core import Core

#: A runner is online while it was heard of in this time, and stale after that one (gitlab.md B.8).
ONLINE = timedelta(hours=2)
STALE = timedelta(days=7)
_CREATOR = joinedload(Runner.creator)
STATUSES = ("online", "offline", "stale", "never_contacted", "active", "paused")


def status_of(contacted_at: datetime | None, created_at: datetime, now: datetime) -> str:
    """online, offline, stale, or never_contacted, of a runner or of one of its managers."""
    if contacted_at is None:
        return "stale" if created_at < now - STALE else "never_contacted"
    if contacted_at > now - ONLINE:
        return "online"
    return "stale" if contacted_at < now - STALE else "offline"


def _has_status(name: str, now: datetime) -> ColumnElement[bool]:
    heard = Runner.contacted_at.is_not(None)
    conditions: dict[str, ColumnElement[bool]] = {
        "active": Runner.paused.is_(False),
        "paused": Runner.paused.is_(True),
        "online": Runner.contacted_at > now - ONLINE,
        "offline": and_(Runner.contacted_at <= now - ONLINE, Runner.contacted_at >= now - STALE),
        "never_contacted": and_(~heard, Runner.created_at >= now - STALE),
        "stale": or_(Runner.contacted_at < now - STALE, and_(~heard, Runner.created_at < now - STALE)),
    }
    return conditions[name]


@dataclass(frozen=True, slots=True, kw_only=True)
class RunnerFilter:
    """What to look for; None does not matter. `tags`: the runner has all of them.

    `version_prefix`: how the version of one of its managers begins.
    """

    runner_type: str | None = None
    status: str | None = None
    paused: bool | None = None
    tags: Collection[str] = ()
    version_prefix: str | None = None


def runners(core: Core, user: User, wanted: RunnerFilter, everywhere: bool = False) -> Select[Runner]:
    """The runners that `user` may read, or all there are when `everywhere`; newest first."""
    query = select(Runner).order_by(Runner.id.desc()).options(_CREATOR)
    if not everywhere:
        query = query.where(_readable(core, user))
    return _filtered(core, query, wanted)


def project_runners(core: Core, project: Project, wanted: RunnerFilter) -> Select[Runner]:
    """The runners that may take jobs of `project`; newest first."""
    own = or_(
        Runner.project_id == project.id,
        Runner.id.in_(select(RunnerProject.runner_id).where(RunnerProject.project_id == project.id)),
        Runner.group_id.in_(access.group_chain(core, project.group)),
        Runner.runner_type == "instance_type" if project.instance_runners else false(),
    )
    query = select(Runner).where(own).order_by(Runner.id.desc()).options(_CREATOR)
    return _filtered(core, query, wanted)


def group_runners(core: Core, group: Group, wanted: RunnerFilter) -> Select[Runner]:
    """The runners that `group` has of its own or by a group above it; newest first."""
    own = Runner.group_id.in_(access.group_chain(core, group))
    return _filtered(core, select(Runner).where(own).order_by(Runner.id.desc()).options(_CREATOR), wanted)


def projects_of(runner: Runner) -> Select[Project]:
    """The projects that a project's runner belongs to, its own first."""
    shared = select(RunnerProject.project_id).where(RunnerProject.runner_id == runner.id)
    chosen = or_(Project.id == runner.project_id, Project.id.in_(shared))
    return select(Project).where(chosen).order_by((Project.id == runner.project_id).desc(), Project.id)


def _filtered(core: Core, query: Select[Runner], wanted: RunnerFilter) -> Select[Runner]:
    if wanted.runner_type is not None:
        query = query.where(Runner.runner_type == wanted.runner_type)
    if wanted.paused is not None:
        query = query.where(Runner.paused.is_(wanted.paused))
    if wanted.status is not None:
        query = query.where(_has_status(wanted.status, core.now()))
    if wanted.version_prefix:
        same = RunnerManager.version.startswith(wanted.version_prefix, autoescape=True)
        query = query.where(Runner.id.in_(select(RunnerManager.runner_id).where(same)))
    if wanted.tags:
        # Tags are a JSON list; there are few runners, so they are compared here rather than in two databases' dialects.
        rows = core.session.execute(query.with_only_columns(Runner.id, Runner.tags).order_by(None)).all()
        query = query.where(Runner.id.in_([row.id for row in rows if set(wanted.tags) <= set(row.tags)]))
    return query


def _manageable(core: Core, user: User) -> ColumnElement[bool]:
    if user.is_admin:
        return Runner.id.is_not(None)
    projects = access.managed_projects(core, user, Role.MAINTAINER)
    groups = access.managed_groups(core, user, Role.OWNER)
    return or_(Runner.project_id.in_(projects), Runner.group_id.in_(groups))


def _readable(core: Core, user: User) -> ColumnElement[bool]:
    """Those that `user` manages, and those that are shared with a project whose runners they manage."""
    projects = access.managed_projects(core, user, Role.MAINTAINER)
    shared = select(RunnerProject.runner_id).where(RunnerProject.project_id.in_(projects))
    return or_(_manageable(core, user), Runner.id.in_(shared))


def find_runner(core: Core, runner_id: int) -> Runner:
    """The runner of that id. Raises NotFound."""
    runner = core.session.get(
        Runner, runner_id, options=[selectinload(Runner.managers), joinedload(Runner.creator)], populate_existing=True
    )
    if runner is None:
        raise NotFound("Runner")
    return runner


def managers(runner: Runner) -> Select[RunnerManager]:
    """The daemons that work with the token of `runner`."""
    return select(RunnerManager).where(RunnerManager.runner_id == runner.id).order_by(RunnerManager.id.desc())


def may_manage(core: Core, user: User, runner: Runner) -> bool:
    """Whether `user` may see all of `runner` and change it: whoever manages the project or group that it belongs to."""
    query = select(Runner.id).where(Runner.id == runner.id, _manageable(core, user))
    return core.session.scalar(query) is not None


def may_read(core: Core, user: User, runner: Runner) -> bool:
    """Whether `user` may see what `runner` is: also where it is only shared with a project of theirs."""
    query = select(Runner.id).where(Runner.id == runner.id, _readable(core, user))
    return core.session.scalar(query) is not None


@dataclass(frozen=True, slots=True)
class Busy:
    """Ids of runners and managers that have a job at the moment."""

    runners: frozenset[int]
    managers: frozenset[int]


def busy(core: Core, runner_ids: Collection[int]) -> Busy:
    """Which of `runner_ids`, and which of their managers, have a job at the moment."""
    if not runner_ids:
        return Busy(frozenset(), frozenset())
    rows = core.session.execute(
        select(Job.runner_id, Job.runner_manager_id)
        .where(Job.runner_id.in_(set(runner_ids)), Job.status.in_(status.EXECUTING))
        .distinct()
    ).all()
    return Busy(
        frozenset(row.runner_id for row in rows),
        frozenset(row.runner_manager_id for row in rows if row.runner_manager_id),
    )
