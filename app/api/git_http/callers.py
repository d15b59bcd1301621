"""Who clones, fetches or pushes, by HTTP's Basic authentication, and what they may do."""

from dataclasses import dataclass

from flask import Request
from werkzeug.datastructures import WWWAuthenticate
from werkzeug.exceptions import Forbidden, NotFound, ServiceUnavailable, TooManyRequests, Unauthorized

from app.domain.errors import Conflict, LimitExceeded
from app.domain.permissions import Action
from app.http.caller_of_request import note_caller
from app.models import Job, Project, User
from app.services.access import may
from app.services.accounts import authenticate
from app.services.accounts.sign_in import check_password
from app.services.core import Core
from app.services.pipelines.predefined import JOB_USER
from app.services.projects.job_token_scope import admits

CHALLENGE = WWWAuthenticate("basic", {"realm": "Skerry"})
_READ_SCOPES = frozenset({"api", "read_repository", "write_repository"})
_WRITE_SCOPES = frozenset({"api", "write_repository"})
_ALL_SCOPES = _READ_SCOPES | _WRITE_SCOPES
#: How soon to try again what the server was too busy for, in seconds.
_BUSY = 5
_TOKEN_PREFIXES = ("glpat-", "glrt-", "glrtr-", "glcbt-", "glptt-")


@dataclass(frozen=True, slots=True)
class Caller:
    """A user with what their token allows, or a job; neither: anonymous."""

    user: User | None = None
    scopes: frozenset[str] = frozenset()
    job: Job | None = None

    @property
    def anonymous(self) -> bool:
        return self.user is None and self.job is None


def caller_of(core: Core, request: Request) -> Caller:
    """Raises 401 for credentials that are wrong, expired or revoked, and 429 for whoever guesses passwords; none at
    all is anonymous.
    """
    given = request.authorization
    if given is None:
        if request.headers.get("Authorization"):
            raise denied()
        return Caller()
    if given.type != "basic" or not given.password:
        raise denied()
    caller = _known(core, given.username or "", given.password, request.remote_addr or "")
    if caller is None:
        raise denied()
    note_caller(caller.user, f"job {caller.job.id}" if caller.job else "git")
    return caller


def _known(core: Core, username: str, password: str, address: str) -> Caller | None:
    if username == JOB_USER:
        job = authenticate.job_by_token(core, password)
        usable = job is not None and (job.user is None or not job.user.blocked)
        return Caller(job=job) if usable else None
    found = authenticate.user_by_token(core, password)
    if found:
        return Caller(found[0], frozenset(found[1].scopes))
    # A token that does not open is no password: no need to spend the time that checking one takes.
    user = None if password.startswith(_TOKEN_PREFIXES) else _by_password(core, username, password, address)
    return Caller(user, _ALL_SCOPES) if user else None


def _by_password(core: Core, username: str, password: str, address: str) -> User | None:
    try:
        return check_password(core, username, password, address)
    except LimitExceeded as error:
        raise TooManyRequests(str(error), retry_after=error.limit) from error
    except Conflict as error:
        raise ServiceUnavailable(str(error), retry_after=_BUSY) from error


def denied() -> Unauthorized:
    """401, which makes git ask for a name and a password."""
    return Unauthorized("HTTP Basic: Access denied. Use a personal access token as the password.")


def require_read(core: Core, caller: Caller, project: Project | None) -> Project:
    """The project, when `caller` may read its code. What they may not know of looks the same as what does not exist."""
    if project is not None and _may_read(core, caller, project):
        return project
    if caller.anonymous:
        raise denied()
    if project is not None and caller.user and may(core, Action.READ_PROJECT, caller.user, project):
        raise Forbidden("You are not allowed to download code from this project.")
    raise NotFound("The project you were looking for could not be found or you don't have permission to view it.")


def require_write(core: Core, caller: Caller, project: Project | None) -> tuple[Project, User]:
    """The project and the user who may push to it."""
    if caller.anonymous:
        raise denied()
    project = require_read(core, caller, project)
    if caller.user is None:
        raise Forbidden("A job token can only read.")
    if not caller.scopes & _WRITE_SCOPES:
        raise Forbidden("Your token needs the scope write_repository to push.")
    if not may(core, Action.PUSH, caller.user, project):
        raise Forbidden("You are not allowed to push code to this project.")
    if project.archived:
        raise Forbidden("This project is archived: it can only be read.")
    if project.repository != "hosted":
        raise Forbidden("This project is a mirror: push to where it comes from.")
    return project, caller.user


def _may_job_read(core: Core, job: Job, project: Project) -> bool:
    """Whether a job of another project may read this one's code: as whoever started it where its token counts."""
    user = job.user if admits(core, job, project) else None
    return may(core, Action.READ_CODE, user, project)


def _may_read(core: Core, caller: Caller, project: Project) -> bool:
    if caller.job is not None:
        return caller.job.project_id == project.id or _may_job_read(core, caller.job, project)
    if caller.user is not None and not caller.scopes & _READ_SCOPES:
        return False
    return may(core, Action.READ_CODE, caller.user, project)
