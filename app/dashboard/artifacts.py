"""A job's artifacts: download them, look into the archive. What a job made is sent for saving and never runs here."""

import mimetypes
from collections.abc import Iterator
from typing import BinaryIO
from urllib.parse import quote

from flask import Response, g, render_template, request, send_file
from flask.typing import ResponseReturnValue

from app.dashboard.blueprint import pages
from app.dashboard.context import open_project, visitor
from app.dashboard.headers import CONTENT_POLICY
from app.domain.errors import NotFound
from app.domain.permissions import Action
from app.http.edge import core
from app.models import Artifact
from app.services.artifacts.artifact_access import require_fetch
from app.services.artifacts.browse_artifacts import find_files, list_folder
from app.services.artifacts.read_artifact import open_member
from app.services.jobs.show_job import find_job

_CHUNK = 256 * 1024


def live_artifact(path: str, job_id: int, file_type: str) -> Artifact:
    """The artifact of a job of the project at `path`, which the visitor may fetch. Raises NotFound, also for one that
    has expired, NotAllowed, SignInRequired.
    """
    project = open_project(path, Action.READ_ARTIFACTS)
    job = find_job(core(), project, job_id)
    now = core().now()
    found = next((artifact for artifact in job.artifacts if artifact.file_type == file_type), None)
    if found is None or (found.expire_at is not None and found.expire_at <= now):
        raise NotFound("Artifact")
    require_fetch(core(), job, visitor())
    return found


@pages.get("/<project:path>/-/jobs/<key:job_id>/artifacts/download")
def download_artifacts(path: str, job_id: int) -> ResponseReturnValue:
    """The archive, or the report of `?file_type=`."""
    artifact = live_artifact(path, job_id, request.args.get("file_type", "archive"))
    local = core().artifacts.path(artifact.storage_key)
    try:
        if local is not None:
            response = send_file(local, mimetype="application/octet-stream", conditional=True, etag=artifact.sha256)
        else:
            file = core().artifacts.open(artifact.storage_key)
            response = Response(_pieces(file), mimetype="application/octet-stream")
            response.call_on_close(file.close)
            response.content_length = artifact.size
    except FileNotFoundError:
        raise NotFound("Artifact") from None
    return as_attachment(response, artifact.filename)


@pages.get("/<project:path>/-/jobs/<key:job_id>/artifacts/browse", defaults={"folder": ""})
@pages.get("/<project:path>/-/jobs/<key:job_id>/artifacts/browse/<path:folder>")
def browse_artifacts(path: str, job_id: int, folder: str) -> ResponseReturnValue:
    """A folder of the archive; `?search=`: the files of the whole archive whose path holds that."""
    artifact = live_artifact(path, job_id, "archive")
    search = request.args.get("search", "").strip()
    entries = find_files(core(), artifact, search) if search else list_folder(core(), artifact, folder)
    parts = [part for part in folder.split("/") if part]
    crumbs = [(part, "/".join(parts[: index + 1])) for index, part in enumerate(parts)]
    g.section = "pipelines"
    return render_template(
        "jobs/artifacts.html",
        project=g.project,
        job=artifact.job,
        artifact=artifact,
        entries=entries,
        crumbs=crumbs,
        search=search,
    )


@pages.get("/<project:path>/-/jobs/<key:job_id>/artifacts/raw/<path:file>")
def artifact_file(path: str, job_id: int, file: str) -> ResponseReturnValue:
    """One file of the archive, for saving."""
    artifact = live_artifact(path, job_id, "archive")
    member = open_member(core(), artifact, file)
    core().session.remove()
    response = Response(iter(member), mimetype=mimetypes.guess_type(file)[0] or "application/octet-stream")
    response.call_on_close(member.close)
    response.content_length = member.size
    return as_attachment(response, file.rsplit("/", 1)[-1])


def as_attachment(response: Response, name: str) -> Response:
    """The response as a file to be saved under `name`, in which nothing runs."""
    plain = "".join(character if character.isascii() and character.isprintable() else "_" for character in name)
    plain = plain.replace('"', "_").replace("\\", "_")
    coded = quote(name, safe="", errors="replace")
    response.headers["Content-Disposition"] = f"attachment; filename=\"{plain}\"; filename*=UTF-8''{coded}"
    response.headers["Content-Security-Policy"] = CONTENT_POLICY
    return response


def _pieces(file: BinaryIO) -> Iterator[bytes]:
    with file:
        while data := file.read(_CHUNK):
            yield data
