"""Fetches of mirrors that somebody asked for: written down at once, done by the background's loop.

The row stays until the fetch has ended. A server that is killed meanwhile leaves it, and the lock of the repository
free (`mirror.alone`): so whoever looks next begins it again.
"""

from dataclasses import dataclass
from datetime import datetime

import structlog
from sqlalchemy import and_, delete, select, update

from app.domain.errors import InvalidRequest, SkerryError
from app.domain.permissions import Action
from app.git import mirror as git_mirror
from app.models import MirrorFetch, Project, User, write
from app.services import access
from app.services.core import Core
from app.services.locks import lock_project
from app.services.repositories.mirror import alone, fetch_held, note_fetch

#: A worker looks at so many that wait for one whose repository nobody is at work on.
LOOK_AT = 20
UNEXPECTED = "Something unexpected went wrong in the server. Its log says what."
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class FetchState:
    """`status`: scheduled, started, or how the last one ended: finished, failed, or none where there was none.

    `error` holds no credentials. `started_at`: of the one that is at work.
    """

    status: str
    started_at: datetime | None
    fetched_at: datetime | None
    error: str | None

    @property
    def goes_on(self) -> bool:
        return self.status in ("scheduled", "started")


def fetch_state(core: Core, project: Project) -> FetchState:
    """How the fetches of a mirrored project stand."""
    row = core.session.get(MirrorFetch, project.id, populate_existing=True)
    if row is not None:
        status = "started" if row.started_at else "scheduled"
    elif project.mirror_error is not None:
        status = "failed"
    else:
        status = "finished" if project.mirror_fetched_at else "none"
    return FetchState(status, row.started_at if row else None, project.mirror_fetched_at, project.mirror_error)


def request_fetch(core: Core, project: Project, user: User | None) -> None:
    """Have a mirrored project fetched soon; what moved makes pipelines. One that is at work is followed by another.

    Raises NotAllowed, NotFound, InvalidRequest where the project is no mirror.
    """
    access.require(core, Action.ADMIN_PROJECT, user, project)
    if project.repository != "mirrored":
        raise InvalidRequest("The project is not mirrored", "mirror_url")
    ask_for_fetch(core, project.id)


def ask_for_fetch(core: Core, project_id: int) -> None:
    """The same for who may, of a project that is a mirror."""
    with write(core.session):
        lock_project(core, project_id)
        row = core.session.get(MirrorFetch, project_id, populate_existing=True)
        if row is None:
            core.session.add(MirrorFetch(project_id=project_id, requested_at=core.now()))
        else:
            row.requested_at = core.now()


def fetch_next_mirror(core: Core) -> bool:
    """Do the oldest fetch that waits and that nobody is at work on; False where there is none. For the loop."""
    core.session.rollback()  # see what is there now
    waiting = core.session.scalars(
        select(MirrorFetch.project_id).order_by(MirrorFetch.requested_at, MirrorFetch.project_id).limit(LOOK_AT)
    ).all()
    core.session.rollback()
    return any(_fetch_now(core, project_id) for project_id in waiting)


def _fetch_now(core: Core, project_id: int) -> bool:
    """Fetch it unless another thread or server does. What goes wrong is kept on the project."""
    asked = None
    try:
        with alone(core.repositories.path(project_id), patience=0):
            asked = _begin(core, project_id)
            if asked is None:
                return False
            fetch_held(core, project_id, None, git_mirror.LONGEST)
    except SkerryError as error:
        if asked is None:  # somebody is at work on it
            return False
        _log.info("a mirror was not fetched", project_id=project_id, error=str(error))
        note_fetch(core, project_id, str(error))
    except Exception:
        # One project that is broken must not be tried again every second, nor hold up the others.
        _log.exception("a mirror could not be fetched", project_id=project_id)
        core.session.rollback()
        _note_unexpected(core, project_id)
    _end(core, project_id, asked)
    return True


def _begin(core: Core, project_id: int) -> datetime | None:
    """When the fetch that begins now was asked for; None where it is done already."""
    with write(core.session):
        row = core.session.get(MirrorFetch, project_id, populate_existing=True)
        if row is None:
            return None
        row.started_at = core.now()
        return row.requested_at


def _end(core: Core, project_id: int, asked: datetime | None) -> None:
    """The fetch has ended; one that was asked for while it was at work comes next."""
    mine = MirrorFetch.project_id == project_id
    with write(core.session):
        done = mine if asked is None else and_(mine, MirrorFetch.requested_at == asked)
        core.session.execute(delete(MirrorFetch).where(done))
        core.session.execute(update(MirrorFetch).where(mine).values(started_at=None))


def _note_unexpected(core: Core, project_id: int) -> None:
    if core.session.get(Project, project_id) is not None:
        note_fetch(core, project_id, UNEXPECTED)
