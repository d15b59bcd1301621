"""Artifacts go up, and down to the jobs that depend on them (gitlab.md A.6)."""

from collections.abc import Mapping

from flask import Blueprint, Response, request, send_file

from app.api.gitlab_v4.runner.parameters import text, token
from app.api.gitlab_v4.runner.upload import receive
from app.domain import durations
from app.domain.errors import InvalidRequest, NotFound
from app.http.edge import core
from app.models import Artifact
from app.services.artifacts.fetch_artifact import fetch_archive
from app.services.artifacts.store_artifact import Upload, begin_upload, store_artifact

blueprint = Blueprint("runner_artifacts", __name__)


@blueprint.post("/jobs/<int(max=9223372036854775807):job_id>/artifacts")
def upload(job_id: int) -> Response:
    """What is said of the file comes in the query, so that it can be refused before the bytes are sent; some clients
    say it in fields of the form.
    """
    parts, said = core(), request.args.to_dict()
    job_token = token(said, "Job-Token")
    _upload(said).check()
    begin_upload(parts, job_id, job_token)
    received = receive(parts, job_id)
    try:
        described = _upload(received.fields | said, received.filename)
        described.check()
    except InvalidRequest:
        parts.artifacts.remove(received.stored.key)
        raise
    store_artifact(parts, job_id, job_token, described, received.stored)
    return Response('"201"', status=201, mimetype="application/json")


@blueprint.get("/jobs/<int(max=9223372036854775807):job_id>/artifacts")
def download(job_id: int) -> Response:
    parts = core()
    artifact = fetch_archive(parts, job_id, token(request.args.to_dict(), "Job-Token"))
    return send_artifact(artifact)


def send_artifact(artifact: Artifact) -> Response:
    """The bytes, with ranges and ETag; by sendfile where they lie in a file. Raises NotFound for lost bytes."""
    store = core().artifacts
    path = store.path(artifact.storage_key)
    try:
        response = send_file(
            path if path is not None else store.open(artifact.storage_key),
            mimetype="application/octet-stream",
            as_attachment=True,
            download_name=artifact.filename,
            conditional=True,
            etag=artifact.sha256,
        )
    except FileNotFoundError as error:
        raise NotFound("Artifacts") from error
    response.headers["X-Content-Type-Options"] = "nosniff"
    return response


def _upload(given: Mapping[str, str], filename: str = "") -> Upload:
    expire_in = text(given.get("expire_in"))
    return Upload(
        filename=filename,
        file_type=text(given.get("artifact_type")) or "archive",
        file_format=text(given.get("artifact_format")) or "zip",
        expire_in=durations.parse(expire_in, never=True) if expire_in else None,
    )
