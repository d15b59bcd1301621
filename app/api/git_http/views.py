"""The three addresses that git knows below a repository's own: `info/refs`, `git-upload-pack`, `git-receive-pack`."""

from collections.abc import Iterable

import structlog
from flask import Blueprint, Response, current_app, request
from sqlalchemy import func, select
from werkzeug.exceptions import (
    BadRequest,
    Forbidden,
    HTTPException,
    RequestEntityTooLarge,
    ServiceUnavailable,
    TooManyRequests,
    Unauthorized,
)

from app.api.git_http.bodies import FETCH_LIMIT, body_of, spooled
from app.api.git_http.callers import CHALLENGE, caller_of, require_read, require_write
from app.api.git_http.push import receive
from app.domain.errors import NotFound, SkerryError, StorageFull
from app.git import transport
from app.git.pktline import ProtocolError
from app.git.receive import read_push
from app.git.transport import RECEIVE, UPLOAD
from app.http.edge import DATABASE_TROUBLE, RETRY_AFTER, core
from app.models import Project

blueprint = Blueprint("git_http", __name__)
_log = structlog.get_logger(__name__)


@blueprint.get("/<path:full_path>.git/info/refs")
@blueprint.get("/<path:full_path>/info/refs")
def info_refs(full_path: str) -> Response:
    """What there is to fetch, or what a push would find."""
    parts, service = core(), request.args.get("service")
    if service not in (UPLOAD, RECEIVE):
        raise Forbidden("Only git's smart HTTP protocol is spoken here.")
    caller, project = caller_of(parts, request), _project(full_path)
    if service == RECEIVE:
        project, _ = require_write(parts, caller, project)
    else:
        project = require_read(parts, caller, project)
    folder = parts.repositories.path(project.id)
    return _answer(service, "advertisement", transport.advertise(folder, service, _protocol()))


@blueprint.post("/<path:full_path>.git/git-upload-pack")
@blueprint.post("/<path:full_path>/git-upload-pack")
def upload_pack(full_path: str) -> Response:
    """One round of a clone or fetch."""
    parts = core()
    project = require_read(parts, caller_of(parts, request), _project(full_path))
    folder = parts.repositories.path(project.id)
    parts.session.remove()  # nobody holds a connection while bytes flow
    with spooled(body_of(request, FETCH_LIMIT)) as file:  # git has its own hold of it when we let go
        return _answer(UPLOAD, "result", transport.upload_pack(folder, file, _protocol()))


@blueprint.post("/<path:full_path>.git/git-receive-pack")
@blueprint.post("/<path:full_path>/git-receive-pack")
def receive_pack(full_path: str) -> Response:
    """A push."""
    parts = core()
    project, user = require_write(parts, caller_of(parts, request), _project(full_path))
    body = body_of(request, parts.config.push_limit)
    parts.session.rollback()  # a client that is slow to say what it wants holds no connection
    try:
        wanted = read_push(body)
    except ProtocolError as error:
        raise BadRequest(f"This is no push: {error}.") from error
    if not wanted.updates:  # git asks so whether it may, before it sends much
        return _answer(RECEIVE, "result", ())
    app = current_app._get_current_object()  # type: ignore[attr-defined]
    return _answer(RECEIVE, "result", receive(app, parts, project, user, wanted, body))


@blueprint.errorhandler(HTTPException)
def _refused(error: HTTPException) -> Response:
    too_large = isinstance(error, RequestEntityTooLarge)
    text = "The request is larger than this server takes." if too_large else error.description
    response = _sorry(text or error.name, error.code or 500)
    if isinstance(error, Unauthorized):
        response.www_authenticate = CHALLENGE
    if isinstance(error, TooManyRequests | ServiceUnavailable):
        response.retry_after = error.retry_after
    return response


@blueprint.errorhandler(SkerryError)
def _failed(error: SkerryError) -> Response:
    if isinstance(error, NotFound):
        return _sorry(str(error), 404)
    if isinstance(error, StorageFull):
        return _sorry("The server's disk is full: nothing was changed.", 507)
    _log.error("a repository does not work", error=str(error), detail=getattr(error, "detail", ""))
    return _sorry("The server cannot use this repository now. Try again later.", 503)


def _no_database(error: Exception) -> Response:
    _log.error("the database does not work", exc_info=error)
    response = _sorry("The server cannot use its database now: nothing was changed. Try again later.", 503)
    response.headers["Retry-After"] = str(RETRY_AFTER)
    return response


for _kind in DATABASE_TROUBLE:
    blueprint.register_error_handler(_kind, _no_database)


def _sorry(text: str, status: int) -> Response:
    """Plain text, which git prints behind `remote: `. The connection ends, because a body may be left unread."""
    response = Response(f"{text}\n", status=status, content_type="text/plain; charset=utf-8")
    response.headers["Connection"] = "close"
    return response


def _project(full_path: str) -> Project | None:
    """The project at that address, with or without `.git`. None where there is none: what is said then depends
    on who asks.
    """
    path = full_path.strip("/").removesuffix(".git")
    return core().session.scalar(select(Project).where(func.lower(Project.full_path) == path.lower()))


def _protocol() -> str | None:
    return request.headers.get("Git-Protocol")


def _answer(service: str, kind: str, body: Iterable[bytes]) -> Response:
    response = Response(body, content_type=f"application/x-{service}-{kind}")
    response.headers["Cache-Control"] = "no-cache, max-age=0, must-revalidate"
    return response
