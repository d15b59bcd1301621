"""Mirrored projects: bring the copy up to date, and make pipelines for what moved."""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import structlog

from app.domain import refs
from app.domain.errors import Conflict, InvalidRequest, SkerryError
from app.git import mirror as git_mirror
from app.git.mirror import Remote
from app.git.receive import RefUpdate
from app.models import Project, User, write
from app.services.core import Core
from app.services.projects.create_project import mirror_context, protect_branch
from app.services.repositories.mirror_url import parse_mirror_url
from app.services.repositories.receive_push import Outcome, finish_push, journal_push

#: A fetch waits so many seconds for another one of the same project.
PATIENCE = 120
_log = structlog.get_logger(__name__)


def fetch_mirror(
    core: Core, project: Project, without: str | None = None, within: float = git_mirror.LONGEST
) -> Outcome:
    """Fetch a mirrored project now; what moved makes pipelines as a push does, in the name of the project's creator.

    `without`: the name of a ref that gets none, because its caller starts one anyway. `within`: seconds after which it
    is given up. What goes wrong is kept on the project's row (`mirror_error`) and raised: GitFailed, StorageFull;
    Conflict when another fetch takes too long; InvalidRequest where the project is no mirror. No connection to the
    database is held while git fetches.
    """
    if project.repository != "mirrored" or project.mirror_url_sealed is None:
        raise InvalidRequest("this project is no mirror", "mirror_url")
    project_id, until = project.id, time.monotonic() + within
    core.session.rollback()
    with alone(core.repositories.path(project_id), min(PATIENCE, within)):
        return fetch_held(core, project_id, without, until - time.monotonic())


def fetch_held(core: Core, project_id: int, without: str | None, within: float) -> Outcome:
    """*Inside `alone`*: as `fetch_mirror`."""
    remote = _remote(core, core.session.get_one(Project, project_id))
    core.session.rollback()
    try:
        updates = _fetch(core, project_id, remote, max(within, 0.1))
    except SkerryError as error:
        note_fetch(core, project_id, str(error))
        raise
    note_fetch(core, project_id, None)
    if not updates:
        return Outcome()
    project = core.session.get_one(Project, project_id)
    user = core.session.get(User, project.creator_id) if project.creator_id else None
    push_id, lock = journal_push(core, project, user, updates, ())
    try:
        git_mirror.apply(core.repositories.path(project_id), updates)
        started = {update.ref for update in updates if without not in (update.ref, refs.split(update.ref).name)}
        return finish_push(core, push_id, started)
    finally:
        lock.release()


def _fetch(core: Core, project_id: int, remote: Remote, within: float) -> list[RefUpdate]:
    repository = core.repositories.open(project_id)
    git_mirror.fetch(repository.folder, remote, within)
    if not repository.branches():
        branch = git_mirror.remote_head(repository.folder, remote, min(within, git_mirror.ASKING))
        if branch and len(branch) > refs.MAX_DEFAULT_BRANCH:
            _log.warning("the remote's default branch has too long a name to be ours", project_id=project_id)
        elif branch:
            repository.set_head(branch)
            with write(core.session):
                project = core.session.get_one(Project, project_id)
                project.default_branch = branch
                protect_branch(core, project, branch)
    return git_mirror.changes(repository)


def _remote(core: Core, project: Project) -> Remote:
    url = core.box.open(project.mirror_url_sealed or "", mirror_context(project))
    parsed = parse_mirror_url(url)
    scheme = urlsplit(parsed.address).scheme
    return Remote(scheme, parsed.address, parsed.username, parsed.password, core.repositories.hooks / "askpass")


def note_fetch(core: Core, project_id: int, error: str | None) -> None:
    """Keep on the project what went wrong, in words without credentials; None: all went well, just now."""
    with write(core.session):
        project = core.session.get_one(Project, project_id)
        project.mirror_error = error
        if error is None:
            project.mirror_fetched_at = core.now()


@contextmanager
def alone(folder: Path, patience: float) -> Iterator[None]:
    """One fetch of a repository at a time, in whichever process. Raises Conflict after `patience` seconds."""
    descriptor = os.open(folder / "mirror.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        deadline = time.monotonic() + patience
        while not _try_lock(descriptor):
            if time.monotonic() >= deadline:
                raise Conflict("another fetch of this mirror is still running")
            time.sleep(0.1)
        yield
    finally:
        os.close(descriptor)


def _try_lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
