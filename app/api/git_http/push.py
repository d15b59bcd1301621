"""One push over HTTP: judged, journalled, given to git, reported."""

from collections.abc import Callable, Generator, Iterator

import structlog
from flask import Flask
from werkzeug.exceptions import RequestEntityTooLarge

from app.domain.errors import SkerryError, StorageFull
from app.git import pktline
from app.git.pktline import PROGRESS, Readable
from app.git.push_lock import PushLock
from app.git.receive import PushRequest, Report, frame, write_report
from app.git.transport import CHUNK, ReceivePack
from app.http.edge import DATABASE_TROUBLE
from app.models import Project, User
from app.services.core import Core
from app.services.pipelines.predefined import pipeline_url
from app.services.repositories.authorise_push import Authorised, authorise_push
from app.services.repositories.push_options import MAX_LENGTH
from app.services.repositories.receive_push import Outcome, finish_push, journal_push

_TROUBLE: tuple[type[Exception], ...] = (SkerryError, *DATABASE_TROUBLE)
_log = structlog.get_logger(__name__)
_FORCED = "you are not allowed to force push to this protected branch"
_LATER = "The pipelines of this push could not be created yet; the server tries again."


class Started:
    """An answer that has begun: what goes wrong before its first bytes is raised here, while a status can still
    say so.
    """

    def __init__(self, pieces: Generator[bytes]) -> None:
        self._pieces = pieces
        self._first = next(pieces)

    def __iter__(self) -> Iterator[bytes]:
        yield self._first
        yield from self._pieces

    def close(self) -> None:
        """Called by the WSGI server at the end, also when the client is gone."""
        self._pieces.close()


def receive(app: Flask, core: Core, project: Project, user: User, request: PushRequest, body: Readable) -> Started:
    """The answer to a push whose commands are read; `body` is the rest of it, the pack.

    Raises RequestEntityTooLarge.
    """
    judged = _judge(core, project, user, request)
    if not judged.allowed:
        core.session.remove()
        return Started(_refuse(request, judged, body))
    project_id, repositories = project.id, core.repositories
    lock: PushLock | None = None
    try:
        push_id, lock = journal_push(core, project, user, judged.allowed, request.options)
        core.session.remove()  # nobody holds a connection while bytes flow
        git = ReceivePack(
            repositories.path(project_id),
            repositories.hooks,
            request,
            judged.allowed,
            judged.forward_only,
            body,
            lock.descriptor,
        )
    except _TROUBLE as error:
        if lock:
            lock.release()
        core.session.remove()
        return Started(_refuse(request, _give_up(request, error), body))
    held = lock

    def conclude() -> tuple[Report, Outcome]:
        try:
            report = git.finish()
            with app.app_context():
                return report, _finish(core, project_id, push_id, _done(request, report))
        finally:
            held.release()

    return Started(_answer(git, request, judged, conclude))


def _judge(core: Core, project: Project, user: User, request: PushRequest) -> Authorised:
    if sum(map(len, request.options)) > MAX_LENGTH:
        return Authorised((), {update.ref: "the push options are too long" for update in request.updates})
    return authorise_push(core, project, user, request.updates, request.atomic)


def _give_up(request: PushRequest, error: Exception) -> Authorised:
    """Git shows the reasons that stand in a report; of an error's page it shows only the number."""
    _log.error("a push cannot be taken", error=str(error), detail=getattr(error, "detail", ""))
    full = isinstance(error, StorageFull)
    reason = "the server's disk is full" if full else "the server cannot take it now, try again later"
    return Authorised((), {update.ref: reason for update in request.updates})


def _refuse(request: PushRequest, judged: Authorised, body: Readable) -> Generator[bytes]:
    while body.read(CHUNK):  # a client that still sends does not read
        continue
    yield from frame(request, write_report(request, None, judged.refused), ())


def _answer(
    git: ReceivePack, request: PushRequest, judged: Authorised, conclude: Callable[[], tuple[Report, Outcome]]
) -> Generator[bytes]:
    try:
        for text in git.progress():
            yield from pktline.band(PROGRESS, text)
    finally:  # also when the client is gone: what git has moved, it has moved
        report, outcome = conclude()
    if isinstance(git.error, RequestEntityTooLarge):
        raise git.error
    refused = dict.fromkeys((update.ref for update in judged.allowed), report.unpack) | judged.refused
    for ref in judged.forward_only:
        if b"hook declined" in report.lines.get(ref, b""):
            del report.lines[ref]
            refused[ref] = _FORCED
    yield from frame(request, write_report(request, report, refused), outcome.notes)


def _done(request: PushRequest, report: Report) -> set[str] | None:
    """The refs that git says it moved; None when it did not get to say, or was not asked."""
    if not request.wants_report or not report.complete:
        return None
    return {ref for ref, line in report.lines.items() if line[4:].startswith(b"ok ")}


def _finish(core: Core, project_id: int, push_id: int, done: set[str] | None) -> Outcome:
    try:
        outcome = finish_push(core, push_id, done)
        project = core.session.get_one(Project, project_id)
        links = [f"Pipeline for {ref}: {pipeline_url(core, project, made)}" for made, ref in outcome.pipelines]
    except Exception:  # the push itself stands, and its journal too: the background finishes it
        _log.exception("could not create the pipelines of a push", push=push_id, project=project_id)
        return Outcome(notes=(_LATER,))
    lines = [*outcome.notes, *links]
    return Outcome(outcome.pipelines, ("", *lines, "") if lines else ())
