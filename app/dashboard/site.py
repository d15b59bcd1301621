"""The web sites that jobs publish, read out of their archives.

Whatever a job made must not act with the powers of whoever looks at it. On the server's own host the pages of a site
run no scripts and send no forms. With SKERRY_PAGES_URL, a host of its own that never sees a session, they may: there
only what is public is shown, and nothing but sites.
"""

import mimetypes
from urllib.parse import quote, urlsplit

from flask import Flask, Response, abort, redirect, request
from flask.typing import ResponseReturnValue

from app.dashboard.blueprint import pages
from app.dashboard.context import open_project
from app.domain.errors import NotFound
from app.domain.permissions import Visibility
from app.http.edge import core
from app.models import Project
from app.services import access
from app.services.pages.find_site import Found, open_page
from app.services.pipelines.predefined import pages_url

#: Nothing here has the authority of the server's own pages: no scripts, no forms, no frames, no plugins.
SANDBOX = (
    "sandbox allow-same-origin allow-popups allow-popups-to-escape-sandbox allow-downloads; default-src 'self' data:; "
    "style-src 'self' 'unsafe-inline'; script-src 'none'; object-src 'none'; connect-src 'none'; form-action 'none'; "
    "base-uri 'self'; frame-ancestors 'none'"
)
OWN_HOST = "frame-ancestors 'self'"
ENDPOINT = "pages.site"


def init_app(app: Flask) -> None:
    """The host of the sites, where there is one, answers nothing else: no session can begin there."""

    @app.before_request
    def _only_sites() -> None:
        if _on_own_host() and request.endpoint != ENDPOINT:
            abort(404)


@pages.get("/<project:path>/-/pages", defaults={"file": None})
@pages.get("/<project:path>/-/pages/", defaults={"file": ""})
@pages.get("/<project:path>/-/pages/<path:file>")
def site(path: str, file: str | None) -> ResponseReturnValue:
    """A file of the project's site, for whoever may see the project."""
    project = access.find_project(core(), path, None) if _on_own_host() else open_project(path)
    address = pages_url(core(), project)
    if file is None:
        return redirect(f"{address}/", 302)
    if core().config.pages_url and not _on_own_host() and project.visibility == Visibility.PUBLIC:
        return redirect(f"{address}/{quote(file)}", 302)
    found = open_page(core(), project, file)
    if found.folder or found.member is None:
        return redirect(f"{_here(project)}/{quote(file)}/", 302)
    return _answer(found)


def _on_own_host() -> bool:
    return bool(core().config.pages_url) and request.host.lower() == urlsplit(core().config.pages_url).netloc.lower()


def _here(project: Project) -> str:
    """The address of the site on the host that was asked."""
    return f"/{project.full_path}/-/pages"


def _answer(found: Found) -> Response:
    member = found.member
    if member is None:
        raise NotFound("Page")
    tag = f"{found.artifact.id}-{member.crc:08x}-{member.size}"
    kind = mimetypes.guess_type(member.name)[0] or "application/octet-stream"
    core().session.remove()
    response = Response(iter(member), mimetype=kind)
    response.call_on_close(member.close)
    response.content_length = member.size
    response.headers["Content-Security-Policy"] = OWN_HOST if _on_own_host() else SANDBOX
    if not found.found:
        response.status_code = 404
        return response
    response.set_etag(tag)
    response.make_conditional(request)
    return response
