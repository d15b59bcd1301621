"""Bytes on their way out: archives, single files of them, logs. By then the database session is given back."""

import mimetypes
from urllib.parse import quote

from flask import Response, request
from werkzeug.wsgi import wrap_file

from app.api.gitlab_v4.endpoint import Call
from app.models import Artifact, Job
from app.services.artifacts import read_artifact
from app.services.jobs import read_trace

#: Files come from jobs: a browser that opens one must neither guess its type nor run anything of it in our name.
GUARDS = {"X-Content-Type-Options": "nosniff", "Content-Security-Policy": "sandbox; default-src 'none'"}


def disposition(kind: str, name: str) -> str:
    """A Content-Disposition for any `name`, the plain form for old clients first."""
    plain = "".join(char if " " <= char <= "~" and char not in '"\\' else "_" for char in name)
    return f"{kind}; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"


def send_archive(call: Call, archive: Artifact) -> Response:
    """A job's archive, whole or the range asked for; 304 where the caller has it already."""
    file = read_artifact.open_archive(call.core, archive)
    try:
        kind = "application/zip" if archive.file_format == "zip" else "application/octet-stream"
        response = Response(wrap_file(request.environ, file), mimetype=kind, direct_passthrough=True)
        response.call_on_close(file.close)
        response.content_length = archive.size
        response.set_etag(archive.sha256)
        response.headers.update(GUARDS | {"Content-Disposition": disposition("attachment", archive.filename)})
        response.make_conditional(request.environ, accept_ranges=True, complete_length=archive.size)
    except BaseException:
        file.close()
        raise
    return response


def send_member(call: Call, archive: Artifact, path: str) -> Response:
    """One file out of a job's archive, read from it as it is sent; 304 where the caller has it already."""
    member = read_artifact.open_member(call.core, archive, path)
    name = path.rpartition("/")[2]
    response = Response(member, mimetype=mimetypes.guess_type(name)[0] or "application/octet-stream")
    response.content_length = member.size
    response.set_etag(f"{archive.sha256}-{member.crc:08x}")
    response.headers.update(GUARDS | {"Content-Disposition": disposition("attachment", name)})
    response.make_conditional(request.environ)
    return response


def send_trace(call: Call, job: Job) -> Response:
    """The job's log as it stands, byte for byte, or the range asked for: what came since one looked last."""
    trace = read_trace.open_trace(call.core, job)
    try:
        response = Response(trace, mimetype="text/plain")
        response.content_length = trace.size
        response.headers.update(GUARDS | {"Content-Disposition": f'infile; filename="{job.id}.log"'})
        response.make_conditional(request.environ, accept_ranges=True, complete_length=trace.size)
    except BaseException:
        trace.close()
        raise
    return response
