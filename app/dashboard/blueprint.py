"""The one blueprint of the pages: it checks every form's token and sets the headers, so no page can forget either."""

from flask import Blueprint, Response, abort, request

from app.dashboard.headers import secure
from app.dashboard.in_place import lead_on
from app.extensions import csrf

pages = Blueprint("pages", __name__)


@pages.before_request
def refuse_nul() -> None:
    """No text that people send holds NUL, and PostgreSQL refuses it: it is a bad request, not our fault."""
    given = [*request.args.items(multi=True), *request.form.items(multi=True)]
    if any("\0" in text for text in (request.path, *(value for _, value in given))):
        abort(400)


@pages.before_request
def check_form_token() -> None:
    """Every POST to a page carries the session's token. Raises CSRFError."""
    csrf.protect()


@pages.after_request
def set_headers(response: Response) -> Response:
    return secure(lead_on(response))
