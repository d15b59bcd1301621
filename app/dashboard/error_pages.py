"""Errors in the same dress as everything else. API paths keep what their own blueprints answer."""

import structlog
from flask import Flask, Response, flash, make_response, redirect, render_template, request, url_for
from flask_wtf.csrf import CSRFError
from werkzeug.exceptions import HTTPException, InternalServerError

from app.crypto import KeyMissing
from app.dashboard.blueprint import pages
from app.dashboard.context import SignInRequired
from app.dashboard.headers import secure
from app.dashboard.redirects import safe_next
from app.domain.errors import Conflict, InvalidRequest, LimitExceeded, NotAllowed, NotFound, SkerryError, StorageFull
from app.http.edge import DATABASE_TROUBLE, RETRY_AFTER, core

_log = structlog.get_logger(__name__)

_WORDS = {
    400: ("That request made no sense", "The address or the form holds something that cannot be understood."),
    403: ("You may not do this", "Your role does not allow it. Somebody who maintains the project can change that."),
    404: ("There is nothing here", "The page does not exist, or you may not see it."),
    405: ("That cannot be done here", "The address does not take this kind of request."),
    413: ("That is too large", "What was sent is larger than this server accepts."),
    500: ("Something broke on our side", "The fault is in the server and was written to its log."),
    503: ("The server is busy", "Try again in a few seconds."),
    507: ("The server's disk is full", "Nothing was written. Whoever runs the server has to make room."),
}
_STATUS = {NotFound: 404, NotAllowed: 403, InvalidRequest: 400, Conflict: 409, LimitExceeded: 413, StorageFull: 507}


def error_page(status: int, message: str | None = None) -> Response:
    """The page for `status`; `message` is a sentence that says more than the usual one."""
    title, usual = _WORDS.get(status, ("That did not work", "The server could not do what was asked."))
    page = render_template("errors/error.html", status_code=status, title=title, message=message or usual)
    response = make_response(page, status)
    return secure(response)


@pages.errorhandler(SignInRequired)
def ask_to_sign_in(_error: SignInRequired) -> Response:
    """A reader is sent back afterwards; a form that came too late is not sent again by itself."""
    wanted = request.full_path.rstrip("?") if request.method == "GET" else url_for("pages.projects")
    return redirect(url_for("pages.sign_in", next=wanted))  # type: ignore[return-value]


@pages.errorhandler(CSRFError)
def form_too_old(_error: CSRFError) -> Response:
    return error_page(400, "The form was too old or came from another place. Go back, reload the page, and try again.")


@pages.errorhandler(SkerryError)
def refused(error: SkerryError) -> Response:
    """A refused action is said on the page that it came from; a page that cannot be shown gets the error's own."""
    core().session.rollback()
    back = safe_next(request.form.get("back"), "")
    if request.method == "POST" and back and isinstance(error, (Conflict, NotAllowed, InvalidRequest, LimitExceeded)):
        flash(sentence(error), "error")
        return redirect(back, 303)  # type: ignore[return-value]
    status = next((code for kind, code in _STATUS.items() if isinstance(error, kind)), 400)
    return error_page(status, None if status == 404 else sentence(error))


@pages.errorhandler(KeyMissing)
def key_missing(_error: KeyMissing) -> Response:
    return error_page(500, "A secret cannot be read: the server's key is not the one that it was encrypted with.")


def sentence(error: SkerryError) -> str:
    """The error's text as a sentence."""
    text = str(error)
    text = text[:1].upper() + text[1:]
    return text if text.endswith((".", "!", "?")) else text + "."


def _no_database(error: Exception) -> Response:
    """Plain, because a page in full dress would ask the database who looks at it."""
    _log.error("the database does not work", exc_info=error, method=request.method, path=request.path)
    response = Response("The server cannot use its database now. Try again in a few seconds.\n", 503)
    response.mimetype = "text/plain"
    response.headers["Retry-After"] = str(RETRY_AFTER)
    return secure(response)


for _kind in DATABASE_TROUBLE:
    pages.register_error_handler(_kind, _no_database)


def _is_page() -> bool:
    """Whether the address is one of ours, or nobody's that a browser asks for."""
    unknown = request.blueprint is None and not request.path.startswith("/api/") and ".git/" not in request.path
    wants_page = not request.accept_mimetypes or request.accept_mimetypes.accept_html
    return request.blueprint == pages.name or (unknown and wants_page)


def init_app(app: Flask) -> None:
    """Dress the errors that no blueprint handles: unknown addresses and our own faults."""

    @app.errorhandler(HTTPException)
    def other(error: HTTPException) -> Response | HTTPException:
        code = error.code or 500
        if not _is_page() or code < 400:
            return error
        if isinstance(error, InternalServerError):
            core().session.rollback()
        return error_page(code)
