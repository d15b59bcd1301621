"""One file of a job's archive, looked at without being downloaded.

A job wrote the file, so nothing in it may act with the powers of whoever looks. Text is text. Pictures and HTML reports
come from an address of their own (`view`), under a policy that lets no script run and no form be sent; a report is
shown in a frame of the preview page, so that nobody takes it for a page of ours.
"""

from pathlib import PurePosixPath

from flask import Response, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from app.dashboard.artifacts import as_attachment, live_artifact
from app.dashboard.blueprint import pages
from app.dashboard.headers import PAGE_POLICY
from app.http.edge import core
from app.services.artifacts.preview_artifact import PICTURES, REPORTS, preview_file
from app.services.artifacts.read_artifact import open_member

#: The preview page alone may have a frame, of this host.
PREVIEW_POLICY = f"{PAGE_POLICY}; frame-src 'self'"
#: The report keeps the origin of this server, or else its own pictures and styles would be asked for without the
#: visitor's session; it gets nothing from that, because no script of it runs, by two rules: the sandbox allows none,
#: and no source of scripts is named. Nor can it send a form, open a window, or leave its frame.
VIEW_POLICY = (
    "sandbox allow-same-origin; default-src 'none'; script-src 'none'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data:; font-src 'self' data:; media-src 'self'; form-action 'none'; base-uri 'none'; "
    "frame-ancestors 'self'"
)
#: What `view` sends to be shown: reports and what they are made of. Anything else is sent for saving.
_SHOWN = {
    **REPORTS,
    **PICTURES,
    ".css": "text/css",
    ".json": "text/plain",
    ".log": "text/plain",
    ".md": "text/plain",
    ".mp4": "video/mp4",
    ".txt": "text/plain",
    ".webm": "video/webm",
    ".woff": "font/woff",
    ".woff2": "font/woff2",
}


@pages.get("/<project:path>/-/jobs/<key:job_id>/artifacts/file/<path:file>")
def artifact_preview(path: str, job_id: int, file: str) -> ResponseReturnValue:
    """A file with its preview; `?source=1`: the text of a report or a picture that has one."""
    artifact = live_artifact(path, job_id, "archive")
    shown = preview_file(core(), artifact, file)
    folders = file.split("/")[:-1]
    g.section = "pipelines"
    page = render_template(
        "jobs/artifact.html",
        project=g.project,
        job=artifact.job,
        artifact=artifact,
        crumbs=[(part, "/".join(folders[: index + 1])) for index, part in enumerate(folders)],
        file=shown,
        source=bool(request.args.get("source")) and shown.lines is not None,
    )
    return page, 200, {"Content-Security-Policy": PREVIEW_POLICY}


@pages.get("/<project:path>/-/jobs/<key:job_id>/artifacts/view/<path:file>")
def artifact_view(path: str, job_id: int, file: str) -> ResponseReturnValue:
    """The bytes of a picture or a report, for the preview page; a report is not shown without its frame."""
    ending = PurePosixPath(file).suffix.lower()
    if ending in REPORTS and request.headers.get("Sec-Fetch-Dest") == "document":
        return redirect(url_for("pages.artifact_preview", path=path, job_id=job_id, file=file), 302)
    artifact = live_artifact(path, job_id, "archive")
    member = open_member(core(), artifact, file)
    core().session.remove()
    kind = _SHOWN.get(ending)
    response = Response(iter(member), mimetype=kind or "application/octet-stream")
    response.call_on_close(member.close)
    response.content_length = member.size
    if kind is None:
        return as_attachment(response, member.name.rsplit("/", 1)[-1])
    response.headers["Content-Security-Policy"] = VIEW_POLICY
    response.headers["X-Frame-Options"] = "SAMEORIGIN"
    response.headers["Referrer-Policy"] = "no-referrer"
    return response
